"""Drawing a page: the templates, what every page knows, dates in French, and errors said kindly."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from functools import cache, wraps
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from aiohttp import web
from aiohttp.web_request import FileField
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from matcher.protocol.moves import Refused
from matcher.records.words import MONTHS
from matcher.service.actors import COORDINATION, OFFICE, STAFF, Actor, Role
from matcher.service.errors import Conflict, Invalid
from matcher.web import journal_words, record_words, words
from matcher.web.keys import HEARD, OTHERS, OUTSIDE, csrf_of, house_of, maybe_actor

TEMPLATES: Final = Path(__file__).resolve().parents[2] / "templates" / "pages"
STATIC: Final = Path(__file__).resolve().parent / "static"
PARIS: Final = ZoneInfo("Europe/Paris")

DAYS: Final = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")


def _time(value: datetime | str) -> datetime:
    """A moment in Paris, from a datetime or its ISO text."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at.astimezone(PARIS)


def day(value: date | str) -> str:
    """« mardi 24 novembre 2026 », without the weekday where only a day is known."""
    on = value
    if isinstance(on, str):
        on = _time(on).date() if "T" in on else date.fromisoformat(on)
    elif isinstance(on, datetime):
        on = _time(on).date()
    number = "1er" if on.day == 1 else str(on.day)
    return f"{DAYS[on.weekday()]} {number} {MONTHS[on.month - 1]} {on.year}"


def clock(value: datetime | str) -> str:
    """« 9 h 05 », « 14 h »."""
    at = _time(value)
    # An hour is not broken over two lines.
    return (f"{at.hour} h {at.minute:02d}" if at.minute else f"{at.hour} h").replace(
        " ", "\N{NO-BREAK SPACE}"
    )


def moment(value: datetime | str) -> str:
    """« mardi 24 novembre à 9 h 05 »."""
    return f"{day(_time(value)).rsplit(' ', 1)[0]} à {clock(value)}"


def short(value: datetime | str) -> str:
    """« 24/11 9 h 05 », for tables."""
    at = _time(value)
    return f"{at.day:02d}/{at.month:02d} {clock(at)}"


def iso(value: datetime | str) -> str:
    """« 2026-11-24T09:05:00+01:00 », for machines that read a page."""
    return _time(value).isoformat(timespec="seconds")


def phone(value: str) -> str:
    """A French number in pairs; anything else as it is."""
    digits = value.replace(" ", "").replace(".", "")
    if digits.startswith("+33") and len(digits) == 12:
        digits = "0" + digits[3:]
    if len(digits) == 10 and digits.isdigit():
        return "\N{NO-BREAK SPACE}".join(digits[i : i + 2] for i in range(0, 10, 2))
    return value


def plural(count: int, one: str, many: str | None = None) -> str:
    """« 1 médecin », « 12 médecins », « 0 médecin »."""
    word = one if abs(count) < 2 else (many or one + "s")
    return f"{thousands(count)}\N{NO-BREAK SPACE}{word}"


def opening(text: str) -> str:
    """The same with a capital first letter; the rest (EHPAD, ALD) stays."""
    return text[:1].upper() + text[1:]


def thousands(count: int) -> str:
    """« 1 900 »."""
    return f"{count:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def written(figure: str | float) -> str:
    """A figure as people write it: « 1 900 », « 3,5 », « 37 »; words as they are."""
    if isinstance(figure, str):
        return figure
    return thousands(int(figure)) if figure == int(figure) else str(figure).replace(".", ",")


class Lenient(dict[str, Any]):
    """A view in which what is absent reads as None, since views leave out what there is not."""

    def __missing__(self, key: str) -> None:
        return None


def lenient(value: Any) -> Any:
    """The same value with every object in it lenient."""
    if isinstance(value, dict):
        return Lenient({key: lenient(one) for key, one in value.items()})
    if isinstance(value, list | tuple):
        return [lenient(one) for one in value]
    return value


@cache
def asset(name: str) -> str:
    """The address of a static file, with a mark that changes with its content."""
    mark = sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={mark}"


#: No list is longer.
_LONGEST_LIST: Final = 1_000_000

#: Address, name in the menu, and who has it there.
MENU: Final = (
    ("/bureau", "Bureau", OFFICE),
    ("/recherches", "Recherches", OFFICE),
    ("/appels", "Appels", OFFICE),
    ("/mes-demandes", "Mes demandes", frozenset({Role.REQUESTER})),
    ("/demande", "Nouvelle demande", COORDINATION | {Role.REQUESTER}),
    ("/equipe", "Équipe", frozenset({Role.REQUESTER})),
    ("/medecins", "Médecins", COORDINATION),
    ("/rapport", "Rapport", frozenset({Role.DIRECTRICE})),
    ("/journal", "Journal", frozenset({Role.DIRECTRICE})),
    ("/reglages", "Réglages", STAFF),
    ("/comptes", "Comptes", frozenset({Role.DIRECTRICE})),
    ("/aide", "Aide", STAFF | {Role.REQUESTER}),
)


def menu(actor: Actor) -> list[tuple[str, str]]:
    """The pages of this person: (address, name)."""
    return [(address, name) for address, name, who in MENU if actor.role in who]


@cache
def environment() -> Environment:
    """The templates of pages. Unknown variables fail, everything is escaped."""
    jinja = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Else every look asks the disk for the time of each file.
        auto_reload=False,
    )
    jinja.filters.update(
        day=day,
        clock=clock,
        moment=moment,
        short=short,
        iso=iso,
        phone=phone,
        thousands=thousands,
        written=written,
        plural=plural,
        opening=opening,
    )
    jinja.globals.update(
        asset=asset, words=words, journal_words=journal_words, menu=menu, label_of=record_words.label_of
    )
    return jinja


#: What a page shows of a refusal: the status, a sentence for the top, and the faults by field.
Refusal = tuple[int, str, dict[str, str]]


def render(
    request: web.Request,
    template: str,
    *,
    status: int = 200,
    refusal: Refusal | None = None,
    **context: Any,
) -> web.Response:
    """The page ``template``, knowing who looks at it, and what was just done or refused."""
    status, error, faults = refusal or (status, None, {})
    actor = maybe_actor(request)
    house = house_of(request)
    page = environment().get_template(template)
    text = page.render(
        actor=actor,
        csrf=csrf_of(request),
        path=request.path,
        done=words.DONE.get(request.query.get("fait", "")),
        territory=house.territories[actor.territory] if actor else None,
        heard=request.get(HEARD, ""),
        inside=not request.get(OUTSIDE, False),
        others=request.get(OTHERS, ()),
        **{"error": error, "faults": faults, **context},
    )
    return web.Response(text=text, content_type="text/html", status=status)


def start_of(request: web.Request) -> int:
    """Where the shown part of a long list begins (``?depuis=40``); 0 where nothing sensible is asked for."""
    asked = request.query.get("depuis", "")
    return min(int(asked), _LONGEST_LIST) if asked.isdecimal() and len(asked) < 9 else 0


def see_other(path: str, **query: str) -> web.Response:
    """Where a browser goes after a POST; ``fait="…"`` names a sentence of ``words.DONE``."""
    return web.Response(status=303, headers={"Location": f"{path}?{urlencode(query)}" if query else path})


async def fields_of(request: web.Request) -> dict[str, str]:
    """The text fields of a posted form, stripped; of repeated names the last; without the CSRF token."""
    posted = await request.post()
    return {
        name: value.strip().replace("\r\n", "\n")
        for name, value in posted.items()
        if isinstance(value, str) and name != "csrf"
    }


def bytes_of(file: FileField) -> bytes:
    """The content of an uploaded file, which is closed then."""
    with file.file as content:
        return content.read()


async def many_of(request: web.Request, name: str) -> list[str]:
    """Every value of a repeated field (check boxes)."""
    return [str(value) for value in (await request.post()).getall(name, [])]


def given(fields: Mapping[str, str], *names: str) -> dict[str, str]:
    """Those of the named fields that were filled in."""
    return {name: fields[name] for name in names if fields.get(name)}


def refusal_of(error: Invalid | Refused | Conflict) -> Refusal:
    """A refusal of a use case in words."""
    match error:
        case Invalid():
            return (
                400,
                "Quelque chose est à corriger ; rien de ce que vous avez saisi n’est perdu.",
                error.fields,
            )
        case Refused():
            return 409, error.reason, {}
        case Conflict():
            return 409, error.reason, {}


#: The refusals that a page explains in place; the guards answer the others.
EXPLAINED: Final = (Invalid, Refused, Conflict)


async def error_page(request: web.Request, status: int, title: str, text: str) -> web.Response:
    """An error as a page of its own, for everything that a handler did not explain."""
    return render(request, "error.html", status=status, title=title, text=text)


Page = Callable[[web.Request], Awaitable[web.StreamResponse]]


def or_error_page(handler: Page) -> Page:
    """For short forms that no page keeps: a refusal becomes a page with its reason and the way back."""

    @wraps(handler)
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except EXPLAINED as error:
            status, text, faults = refusal_of(error)
            return render(
                request, "error.html", status=status, title="Ce n’est pas possible", text=text, faults=faults
            )

    return answer
