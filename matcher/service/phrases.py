"""What mails say of a territory, and settings in words: durations, days, opening hours."""

from datetime import date, time

from config.territory import Week
from matcher.service.house import Territory

_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_MONTHS = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)


def frame(territory: Territory) -> dict[str, object]:
    """What every mail needs."""
    return {
        "territory": {
            "name": territory.name,
            "mail": territory.mail,
            "phone": territory.phone,
            "hours": hours(territory.settings.hours.office),
        },
        "signature": None,
    }


def duration(text: str, *, weekdays: bool = True) -> str:
    """A setting's duration in words: « 3 jours ouvrés », « 15 minutes », « 2 heures », « 3 ans »."""
    unit, number = text[-1], int("".join(sign for sign in text if sign.isdigit()))
    plural = "s" if number > 1 else ""
    if unit == "D" and not weekdays and number % 365 == 0:
        return "un an" if number == 365 else f"{number // 365} ans"
    if unit == "D":
        return f"{number} jour{plural}" + (f" ouvré{plural}" if weekdays else "")
    noun = {"H": "heure", "M": "minute", "S": "seconde"}[unit]
    return f"{number} {noun}{plural}"


def day(value: date) -> str:
    """« 12 mars 2026 », « 1er mai 2026 »."""
    number = "1er" if value.day == 1 else str(value.day)
    return f"{number} {_MONTHS[value.month - 1]} {value.year}"


def hours(week: Week) -> str:
    """When somebody is there, in words: « du lundi au vendredi, 9 h – 17 h »."""
    said: list[str] = []
    days = sorted(week.openings().items())
    while days:
        first, opening = days[0]
        same = [number for number, other in days if other == opening]
        days = [(number, other) for number, other in days if other != opening]
        run = same == list(range(first, first + len(same)))
        names = [_DAYS[number] for number in same]
        which = f"du {names[0]} au {names[-1]}" if run and len(names) > 2 else f"le {', le '.join(names)}"
        said.append(f"{which}, {_clock(opening[0])} – {_clock(opening[1])}")
    return " ; ".join(said)


def _clock(at: time) -> str:
    return f"{at.hour} h {at.minute:02d}" if at.minute else f"{at.hour} h"
