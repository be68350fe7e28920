"""``/journal``, ``/rapport``, ``/reglages`` and ``/aide``: pages that are only read."""

import asyncio
from datetime import date
from typing import Any, Final

from aiohttp import web

from matcher.service import openings, reports
from matcher.service.actors import STAFF, Actor, Role
from matcher.service.errors import Invalid
from matcher.service.house import House
from matcher.web import calendar_preview, pages, report_files, report_picture, words
from matcher.web.keys import actor_of, house_of
from matcher.web.route import Route

#: First and last day of a report.
Period = tuple[date, date]
DIRECTION: Final = frozenset({Role.DIRECTRICE})
WEEK: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


async def journal(request: web.Request) -> web.Response:
    """The journal of the territory, newest first."""
    after = request.query.get("after", "")
    found = await openings.everything(
        house_of(request), actor_of(request), int(after) if after.isdecimal() else None
    )
    return pages.render(request, "journal.html", items=pages.lenient(found["items"]), next=found.get("next"))


async def report(request: web.Request) -> web.Response:
    """The figures of a period; this year's until another is chosen."""
    house, actor = house_of(request), actor_of(request)
    refusal: pages.Refusal | None = None
    this_year = _this_year(house)
    try:
        period = _period(request, this_year)
        figures = await _figures(house, actor, period)
    except Invalid as refused:
        refusal = pages.refusal_of(refused)
        period = this_year
        figures = await _figures(house, actor, period)
    return pages.render(
        request,
        "report.html",
        refusal=refusal,
        period=report_files.period(figures),
        requests=figures["requests"],
        months=report_picture.months(figures["by_month"]),
        sections=report_picture.with_bars(report_files.sections(figures)),
        typed={
            name: request.query.get(name) or day.isoformat()
            for name, day in zip(("du", "au"), period, strict=True)
        },
        formats=("pdf", "xlsx", "csv"),
    )


async def download(request: web.Request) -> web.Response:
    """The same to take along."""
    house, actor, format_ = house_of(request), actor_of(request), request.match_info["format"]
    if format_ not in report_files.FORMATS:
        raise web.HTTPNotFound
    start, end = _period(request, _this_year(house))
    figures = await _figures(house, actor, (start, end))
    settings = house.territory(actor.territory).settings
    made = await asyncio.to_thread(report_files.made, format_, figures, settings.name, house.now())
    return web.Response(
        body=made,
        content_type=report_files.FORMATS[format_],
        headers={"Content-Disposition": f'attachment; filename="rapport-{start}-{end}.{format_}"'},
    )


def _this_year(house: House) -> Period:
    today = house.now().astimezone(pages.PARIS).date()
    return today.replace(month=1, day=1), today


def _period(request: web.Request, otherwise: Period) -> Period:
    """What was asked for. Raises Invalid where it is no day."""
    start, end = otherwise
    return _day("du", request.query.get("du", ""), start), _day("au", request.query.get("au", ""), end)


async def _figures(house: House, actor: Actor, period: Period) -> dict[str, Any]:
    """The report. Raises Invalid by the names of the page's fields."""
    try:
        return await reports.report(house, actor, *period)
    except Invalid as refused:
        said = {"from": "du", "to": "au"}
        raise Invalid({said[name]: text for name, text in refused.fields.items()}) from None


def _day(name: str, typed: str, otherwise: date) -> date:
    try:
        return date.fromisoformat(typed) if typed else otherwise
    except ValueError:
        raise Invalid({name: "Cette date ne se lit pas."}) from None


async def settings(request: web.Request) -> web.Response:
    """The delays of the territory, in words; they are set in its file, not here."""
    territory, now = house_of(request).territory(actor_of(request).territory), house_of(request).now()
    held = territory.settings
    urgent = "urgente" in request.query
    told = calendar_preview.moments(territory.rules, now, urgent=urgent)
    delays = [
        (
            name,
            words.DELAYS[name],
            words.delay(getattr(held.delays, name)),
            words.delay(getattr(held.urgent, name)),
        )
        for name in words.DELAYS
    ]
    hours = {
        "Médecins": [(pages.DAYS[i], getattr(held.hours.doctors, day)) for i, day in enumerate(WEEK)],
        "Bureau": [(pages.DAYS[i], getattr(held.hours.office, day)) for i, day in enumerate(WEEK)],
    }
    return pages.render(
        request,
        "settings.html",
        t=held,
        delays=delays,
        hours=hours,
        urgent=urgent,
        weeks=calendar_preview.days(territory.rules, now, told),
    )


async def help_(request: web.Request) -> web.Response:
    """What each role does, step by step."""
    return pages.render(request, "help.html")


ROUTES: Final = (
    Route("GET", "/journal", journal, allowed=DIRECTION),
    Route("GET", "/rapport", report, allowed=DIRECTION),
    Route("GET", "/rapport.{format}", download, allowed=DIRECTION),
    Route("GET", "/reglages", settings, allowed=STAFF),
    Route("GET", "/aide", help_, allowed=STAFF | {Role.REQUESTER}),
)
