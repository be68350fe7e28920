"""``/journal``, ``/rapport``, ``/reglages`` and ``/aide``: pages that are only read."""

import asyncio
from datetime import date, timedelta
from typing import Final

from aiohttp import web

from matcher.service import openings, reports
from matcher.service.actors import STAFF, Role
from matcher.service.errors import Invalid
from matcher.web import calendar_preview, pages, report_files, words
from matcher.web.keys import actor_of, house_of
from matcher.web.route import Route

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
    today = house_of(request).now().astimezone(pages.PARIS).date()
    refusal: tuple[int, str | None, dict[str, str]] = (200, None, {})
    try:
        start, end = _period(request, today)
    except Invalid as refused:
        refusal = pages.refusal_of(refused)
        start, end = today - timedelta(days=30), today
    status, error, faults = refusal
    figures = await reports.report(house_of(request), actor_of(request), start, end)
    typed = {"du": request.query.get("du", ""), "au": request.query.get("au", "")}
    return pages.render(
        request,
        "report.html",
        status=status,
        error=error,
        faults=faults,
        period=report_files.period(figures),
        requests=figures["requests"],
        sections=report_files.sections(figures),
        typed={"du": typed["du"] or start.isoformat(), "au": typed["au"] or end.isoformat()},
        formats=("pdf", "xlsx", "csv"),
    )


async def download(request: web.Request) -> web.Response:
    """The same to take along."""
    house, actor, format_ = house_of(request), actor_of(request), request.match_info["format"]
    if format_ not in report_files.FORMATS:
        raise web.HTTPNotFound
    today = house.now().astimezone(pages.PARIS).date()
    start, end = _period(request, today)
    figures = await reports.report(house, actor, start, end)
    settings = house.territory(actor.territory).settings
    made = await asyncio.to_thread(report_files.made, format_, figures, settings.name, house.now())
    return web.Response(
        body=made,
        content_type=report_files.FORMATS[format_],
        headers={"Content-Disposition": f'attachment; filename="rapport-{start}-{end}.{format_}"'},
    )


def _period(request: web.Request, today: date) -> tuple[date, date]:
    """What was asked for, else this year so far. Raises Invalid."""
    start = _day("du", request.query.get("du", ""), today.replace(month=1, day=1))
    end = _day("au", request.query.get("au", ""), today)
    if end < start:
        raise Invalid({"au": "La fin précède le début."})
    return start, end


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
