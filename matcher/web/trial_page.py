"""``/reglages/essai``: a directrice plays her own territory with other delays, and sees what would change."""

import math
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from config.settings import is_duration
from matcher.service import asking
from matcher.service.actors import Role
from matcher.service.errors import Conflict, Invalid
from matcher.simulation.measures import FIGURES, Interval
from matcher.simulation.terrain import Terrain
from matcher.simulation.trial import SHOWN, Found, Wanted
from matcher.web import pages, words
from matcher.web.keys import actor_of, house_of
from matcher.web.route import Route
from matcher.web.trials import TRIALS

DIRECTION: Final = frozenset({Role.DIRECTRICE})
#: What may be chosen; the territory's own value is added where it is another.
SIZES: Final = ("4", "6", "8", "12", "20", "40")
REMINDERS: Final = ("none", "P1D", "P2D", "P3D", "P5D")
WAITS: Final = ("PT2H", "PT4H", "P1D", "P2D", "P3D", "P4D", "P5D")
MOST_SEARCHES: Final = 5000
_PICTURE_WIDTH: Final = 150.0


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure under both settings: in words, and as lengths of a bar (0 to 150)."""

    name: str
    own: str
    tried: str
    own_bar: float
    tried_bar: float
    #: Better, worse, or nothing that three short runs could tell.
    verdict: str


async def show(request: web.Request) -> web.Response:
    """The form with the territory's own settings, and what came of the last trial."""
    return _page(request, {})


def _page(request: web.Request, typed: dict[str, str], refusal: pages.Refusal | None = None) -> web.Response:
    territory = house_of(request).territory(actor_of(request).territory)
    trial = request.app[TRIALS].last.get(territory.id)
    held = territory.settings
    own = {
        "size": str(held.waves.size),
        "reminder": held.delays.reminder or "none",
        "next_wave": held.delays.next_wave,
        "calls": held.delays.calls,
        "searches": "800",
    }
    if trial is not None and not typed:
        typed = {
            "size": str(trial.wanted.size),
            "reminder": trial.wanted.reminder or "none",
            "next_wave": trial.wanted.next_wave,
            "calls": trial.wanted.calls,
            "searches": str(trial.wanted.searches),
        }
    values = own | typed
    page = pages.render(
        request,
        "trial.html",
        refusal=refusal,
        own=own,
        values=values,
        sizes=_options(SIZES, own["size"], values["size"]),
        reminders=_options(REMINDERS, own["reminder"], values["reminder"]),
        waits=_options(WAITS, own["next_wave"], own["calls"], values["next_wave"], values["calls"]),
        trial=trial,
        rows=[] if trial is None or trial.found is None else rows(trial.found),
    )
    if trial is not None and trial.runs():
        # Without a script the page asks again by itself; it has a link to do so as well.
        page.headers["Refresh"] = "4"
    return page


async def begin(request: web.Request) -> web.Response:
    """Start a trial; one runs at a time."""
    typed = await pages.fields_of(request)
    house, actor = house_of(request), actor_of(request)
    trials = request.app[TRIALS]
    try:
        wanted = _wanted(typed)
        if trials.busy:
            raise Conflict(
                "trial_runs", "Un calcul est déjà en cours ; attendez qu’il finisse, ou arrêtez-le."
            )
        territory = house.territory(actor.territory)
        async with house.sessions.begin() as session:
            known = await asking.roster(session, house, territory.id)
        if not known.doctors or not territory.population.residents:
            raise Conflict(
                "nothing_to_play", "Il faut des médecins et des habitants pour jouer ce territoire."
            )
        terrain = Terrain(
            id=territory.id,
            name=territory.name,
            rules=territory.rules,
            doctors=known.doctors,
            population=territory.population,
            gazetteer=territory.places,
            requesters=(),
        )
        if not trials.busy:
            await trials.begin(terrain, wanted)
    except pages.EXPLAINED as refused:
        return _page(request, typed, pages.refusal_of(refused))
    return pages.see_other("/reglages/essai")


async def stop(request: web.Request) -> web.Response:
    """End the trial that runs."""
    await request.app[TRIALS].stop(actor_of(request).territory)
    return pages.see_other("/reglages/essai")


def _wanted(typed: dict[str, str]) -> Wanted:
    """What is asked for, from closed lists and two numbers. Raises Invalid."""
    faults = {
        name: "Choisissez une durée dans la liste."
        for name in ("next_wave", "calls")
        if not is_duration(typed.get(name, ""))
    }
    reminder = typed.get("reminder", "")
    if reminder != "none" and not is_duration(reminder):
        faults["reminder"] = "Choisissez une durée dans la liste, ou « aucun »."
    numbers = {}
    for name, most in (("size", 1000), ("searches", MOST_SEARCHES)):
        text = typed.get(name, "")
        if text.isascii() and text.isdecimal() and 1 <= int(text) <= most:
            numbers[name] = int(text)
        else:
            faults[name] = f"Écrivez un nombre de 1 à {most}."
    if faults:
        raise Invalid(faults)
    return Wanted(
        size=numbers["size"],
        reminder=None if reminder == "none" else reminder,
        next_wave=typed["next_wave"],
        calls=typed["calls"],
        searches=numbers["searches"],
    )


def _options(choices: tuple[str, ...], *others: str) -> dict[str, str]:
    """Each choice in words."""
    return {one: _said(one) for one in dict.fromkeys((*choices, *others))}


def _said(written: str) -> str:
    if written == "none":
        return "aucun"
    return words.delay(written) if is_duration(written) else written


def rows(found: Found) -> list[Row]:
    """The figures of both settings, ready to be read and drawn."""
    made = []
    for name in SHOWN:
        said, unit, less = FIGURES[name]
        own, tried = found.own[name], found.tried[name]
        most = max((one.mean for one in (own, tried) if math.isfinite(one.mean)), default=0.0) or 1.0
        made.append(
            Row(
                name=f"{said} ({unit})" if unit else said,
                own=_number(own.mean),
                tried=_number(tried.mean),
                own_bar=_length(own, most),
                tried_bar=_length(tried, most),
                verdict=_verdict(own, tried, less=less),
            )
        )
    return made


def _verdict(own: Interval, tried: Interval, *, less: bool) -> str:
    """Better or worse only where the means are apart by a tenth: three short runs tell no more."""
    apart = abs(tried.mean - own.mean) if own.mean != tried.mean else 0.0
    if apart <= (0.1 * abs(own.mean) if math.isfinite(own.mean) else 0.0):
        return "à peu près pareil"
    return "mieux" if (tried.mean < own.mean) is less else "moins bien"


def _length(one: Interval, most: float) -> float:
    return round(_PICTURE_WIDTH * one.mean / most, 1) if math.isfinite(one.mean) else 0.0


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "jamais"
    return (f"{value:.2f}" if abs(value) < 1 else f"{value:.1f}").replace(".", ",")


ROUTES: Final = (
    Route("GET", "/reglages/essai", show, allowed=DIRECTION),
    Route("POST", "/reglages/essai", begin, allowed=DIRECTION),
    Route("POST", "/reglages/essai/arreter", stop, allowed=DIRECTION),
)
