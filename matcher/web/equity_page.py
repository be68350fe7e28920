"""``/rapport/equite``: whether every group of patients ends with a doctor as often as the others."""

from datetime import date
from typing import Any, Final

from aiohttp import web
from typing_extensions import TypedDict

from matcher.records.disparity import Measure, Rate
from matcher.records.words import CODES
from matcher.service import equity
from matcher.service.actors import Role
from matcher.service.errors import Invalid
from matcher.web import pages, words
from matcher.web.api_reports import ReportQuery
from matcher.web.keys import actor_of, house_of
from matcher.web.moves import API
from matcher.web.reading import answer, query_of
from matcher.web.route import Doc, Route

DIRECTION: Final = frozenset({Role.DIRECTRICE})
#: Years that the page looks back: small groups need time to be large enough.
_YEARS: Final = 3
_MEASURES: Final[dict[Measure, str]] = {"age": "Âge", "coverage": "Couverture", "quartier": "Quartier"}


class EquityView(TypedDict):
    """Outcomes by group, over the quarters of which every request is counted."""

    quarters: list[str]
    #: Refusals after release that were read, by kind, where there were enough of them.
    refusals: dict[str, int]
    rates: list[Rate]
    #: Measure → value → share in each quarter, null where the group was too small in it.
    course: dict[str, dict[str, list[float | None]]]


async def page(request: web.Request) -> web.Response:
    """The last three years, as far as every quarter is counted."""
    house, actor = house_of(request), actor_of(request)
    today = house.now().astimezone(pages.PARIS).date()
    first = date(today.year - _YEARS, 1, 1)
    told = await equity.rates(house, actor, first, today)
    groups = [
        (title, [_drawn(rate, told) for rate in told["rates"] if rate["measure"] == measure])
        for measure, title in _MEASURES.items()
    ]
    return pages.render(
        request,
        "equity.html",
        groups=[(title, rates) for title, rates in groups if rates],
        flagged=[_drawn(rate, told) for rate in told["rates"] if rate["unexplained"]],
        first=first,
        refusals=[(words.AFTER_RELEASE.get(kind, kind), n) for kind, n in sorted(told["refusals"].items())],
    )


def _drawn(rate: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    value = rate["value"]
    named = {"age": words.AGES, "coverage": CODES["coverage"]}.get(rate["measure"], {})
    years: dict[str, list[str]] = {}
    for quarter, share in zip(told["quarters"], told["course"][rate["measure"]][value], strict=True):
        if share is not None:
            said = f"T{(int(quarter[5:]) + 2) // 3}\N{NO-BREAK SPACE}{100 * share:.0f}"
            years.setdefault(quarter[:4], []).append(said)
    course = [(year, " · ".join(shares)) for year, shares in years.items()]
    return rate | {"said": named.get(value, value), "course": course}


async def rates(request: web.Request) -> web.StreamResponse:
    """Outcomes by group of patients, with their uncertainty."""
    query = query_of(request, ReportQuery)
    if query.to < query.from_:
        raise Invalid({"to": "La fin précède le début."})
    return answer(await equity.rates(house_of(request), actor_of(request), query.from_, query.to))


PAGES: Final = (Route("GET", "/rapport/equite", page, allowed=DIRECTION),)
ROUTES: Final = (
    Route(
        "GET",
        API + "/equity",
        rates,
        allowed=DIRECTION,
        doc=Doc(summary="Outcomes by group of patients", query=ReportQuery, answers={200: EquityView}),
    ),
)
