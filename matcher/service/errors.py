"""What a use case may answer instead of doing the thing. Pages and API turn these into words."""


class ServiceError(Exception):
    """Every refusal of a use case that is not the protocol's own."""


class NotFound(ServiceError):
    """No such thing in this territory, for this actor. Says nothing about other territories (P10)."""


class Forbidden(ServiceError):
    """The actor's role does not allow it."""


class Invalid(ServiceError):
    """Input at fault. ``fields`` maps a dotted field name to a French sentence."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {why}" for name, why in fields.items()))
        self.fields = fields


class Conflict(ServiceError):
    """An Idempotency-Key used again for another request, or a claim that somebody else holds."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class BadLink(ServiceError):
    """Revoked, altered, other purpose's or made up: one answer for all, in one time."""


class Over(ServiceError):
    """The link is ended or expired; the cause is not said."""


class WrongCode(ServiceError):
    """The second factor was wrong, used or lapsed."""


class NotProven(ServiceError):
    """Pro Santé Connect did not prove who this is (refused, altered, unreachable): one answer for all."""


class Locked(ServiceError):
    """Five wrong codes: the link waits for the office to renew it."""


class TooMany(ServiceError):
    """Too many tries; ``retry_after`` in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"retry after {retry_after} s")
        self.retry_after = retry_after
