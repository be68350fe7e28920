"""What is compared: by hand, with the default delays, with the territory's settings as they are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from matcher.protocol.hours import Delay, parse_delay
from matcher.protocol.rules import Rules

#: More doctors than any territory has.
EVERYBODY: Final = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One way of running the protocol: its rules, whether wishes steer who is asked, how calls are placed."""

    name: str
    #: Said in reports, in French.
    label: str
    rules: Callable[[Rules], Rules]
    #: False: everybody is asked whatever the patient wishes, in the order of the list.
    steered: bool = True
    #: One call carries at most so many announcements; calls go doctor by doctor above 1.
    per_call: int = 3
    #: Searches that are ready share the doctors, as the service does it.
    shared: bool = True


def by_hand(*, calls: int = 4, steered: bool = False, per_call: int = 1, name: str = "by-hand") -> Policy:
    """Vénissieux by hand: one mail to all members, no reminder, then calls in list order.

    ``calls``: weekdays of patience before the first call. ``steered``: hard wishes kept in mind.
    """

    def rules(own: Rules) -> Rules:
        wait = Delay(weekdays=calls)
        delays = replace(own.delays, reminder=None, next_wave=wait, calls=wait)
        return replace(own, wave_size=EVERYBODY, delays=delays, gathering=None)

    return Policy(name=name, label="à la main", rules=rules, steered=steered, per_call=per_call, shared=False)


def own_settings(rules: Rules) -> Rules:
    """The territory's rules as they are."""
    return rules


def waves(
    size: int, *, reminder: str | None, next_wave: str, calls: str, name: str, label: str | None = None
) -> Policy:
    """Our protocol with other waves and delays, as ``territory.toml`` writes them; None: no reminder."""

    def rules(own: Rules) -> Rules:
        delays = replace(
            own.delays,
            reminder=None if reminder is None else parse_delay(reminder),
            next_wave=parse_delay(next_wave),
            calls=parse_delay(calls),
        )
        return replace(own, wave_size=size, delays=delays)

    return Policy(name=name, label=label or name, rules=rules)


#: The policies that the command line knows.
POLICIES: Final[Mapping[str, Policy]] = {
    policy.name: policy
    for policy in (
        by_hand(),
        # The delays and waves of PROTOCOL.md, "Time", on the territory's own calendars.
        waves(20, reminder="P2D", next_wave="P2D", calls="P4D", name="default", label="délais par défaut"),
        Policy(name="own", label="réglages du territoire", rules=own_settings),
        # What docs/simulation.md finds: fewer mails and calls for the same time.
        waves(8, reminder=None, next_wave="P1D", calls="P2D", name="small-waves", label="petites vagues"),
        waves(
            6,
            reminder=None,
            next_wave="PT4H",
            calls="P1D",
            name="quick-waves",
            label="petites vagues rapides",
        ),
        waves(
            20,
            reminder=None,
            next_wave="P2D",
            calls="P4D",
            name="no-reminder",
            label="par défaut, sans relance",
        ),
        # As impatient as small waves are: what remains is not the delay's doing.
        replace(by_hand(calls=2, name="by-hand-2"), label="à la main, appels dès P2D"),
        replace(by_hand(steered=True, name="by-hand-wishes"), label="à la main, souhaits en tête"),
    )
}
