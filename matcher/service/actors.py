"""Who is acting, and what each role may do."""

from dataclasses import dataclass
from enum import StrEnum

from matcher.service.errors import Forbidden


class Role(StrEnum):
    """The roles of PROTOCOL.md; SYSTEM is the protocol acting by itself (a due step, a mail's outcome)."""

    COORDINATRICE = "coordinatrice"
    COORDINATRICE_SOCIALE = "coordinatrice_sociale"
    SECRETAIRE = "secretaire"
    DIRECTRICE = "directrice"
    REQUESTER = "requester"
    OPERATOR = "operator"
    DOCTOR = "doctor"
    SYSTEM = "system"


#: What a key may be narrowed to: look, hand requests in, do what follows.
SCOPES = frozenset({"read", "create", "act"})
#: May lead a search and open records.
COORDINATION = frozenset({Role.COORDINATRICE, Role.COORDINATRICE_SOCIALE})
#: May take answers and calls.
OFFICE = COORDINATION | {Role.SECRETAIRE}
#: Everybody who works at the CPTS.
STAFF = OFFICE | {Role.DIRECTRICE}


@dataclass(frozen=True, kw_only=True)
class Actor:
    """One person, structure or mechanism, acting in one territory. The journal names it by ``id``."""

    territory: str
    id: str
    role: Role
    name: str = ""
    #: A person's own address, for the person alone.
    email: str = ""
    #: The requester's structure.
    structure: str | None = None
    #: What a key is narrowed to; None for everything that the role may do.
    scopes: frozenset[str] | None = None

    @property
    def kind(self) -> str:
        """``staff``, ``requester``, ``doctor`` or ``system``."""
        if self.role in STAFF:
            return "staff"
        return {Role.REQUESTER: "requester", Role.DOCTOR: "doctor"}.get(self.role, "system")


def system(territory: str) -> Actor:
    """The protocol acting by itself."""
    return Actor(territory=territory, id="protocol", role=Role.SYSTEM, name="le protocole")


def operator(territory: str) -> Actor:
    """Who runs the installation, at its command line: adds people and keys, opens no record."""
    return Actor(territory=territory, id="operator", role=Role.OPERATOR)


def require(actor: Actor, allowed: frozenset[Role]) -> None:
    """Raise Forbidden unless the role is allowed. The routes check too; here it cannot be forgotten."""
    if actor.role not in allowed:
        raise Forbidden
