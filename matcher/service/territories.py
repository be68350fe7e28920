"""From a territory's settings to the rules that the protocol uses."""

from zoneinfo import ZoneInfo

from holidays import country_holidays

from config.settings import elapsed
from config.territory import DelaySettings, TerritorySettings, Week
from matcher.protocol.hours import Calendar, Delay, parse_delay
from matcher.protocol.rules import Delays, Gathering, Rules

#: Public holidays are worked out for these years; delays never reach further than a few weeks.
FIRST_YEAR, LAST_YEAR = 2020, 2060


def rules_of(settings: TerritorySettings) -> Rules:
    """The rules of a territory, its two calendars with French public holidays of its subdivision."""
    years = range(FIRST_YEAR, LAST_YEAR)
    holidays = frozenset(
        country_holidays("FR", subdiv=settings.holidays or None, years=years, language="fr").keys()
    )

    def calendar(week: Week) -> Calendar:
        return Calendar(
            zone=ZoneInfo(settings.timezone),
            opening=week.openings(),
            holidays=holidays,
            always_open=settings.clock == "wall",
        )

    return Rules(
        doctors_calendar=calendar(settings.hours.doctors),
        office_calendar=calendar(settings.hours.office),
        delays=_delays(settings.delays),
        urgent=_delays(settings.urgent),
        wave_size=settings.waves.size,
        settle=elapsed(settings.answers.settle),
        min_reading=elapsed(settings.answers.min_reading),
        rounds=settings.calls.rounds,
        claim=elapsed(settings.calls.claim),
        k=settings.announcement.k,
        unreachable_tries=settings.unreachable.tries,
        link_life=elapsed(settings.release.link_life),
        code_life=elapsed(settings.release.code_life),
        retention_draft=elapsed(settings.retention.draft),
        retention_record=elapsed(settings.retention.record),
        # In a rehearsal many searches are launched within minutes: nothing waits there.
        gathering=None
        if settings.clock == "wall"
        else Gathering(more_than=settings.digest.more_than, window=elapsed(settings.digest.window)),
    )


def _delays(settings: DelaySettings) -> Delays:
    def delay(text: str) -> Delay:
        return parse_delay(text)

    return Delays(
        reminder=None if settings.reminder is None else delay(settings.reminder),
        next_wave=delay(settings.next_wave),
        calls=delay(settings.calls),
        yes_held=delay(settings.yes_held),
        choice_chase=delay(settings.choice_chase),
        opening_reminder=delay(settings.opening_reminder),
        opening_call=delay(settings.opening_call),
        appointment_asked=delay(settings.appointment_asked),
        appointment_check=delay(settings.appointment_check),
        reconfirm=delay(settings.reconfirm),
    )
