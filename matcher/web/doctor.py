"""The doctors' pages, ``/r``, ``/dossier``, ``/places``, ``/mes-reponses``: static, so that opening them
changes nothing (P6).

The token travels in the fragment, which never reaches this server with the page. The page's own
script hands it over by POST to ``/api/v1/links/…`` and takes it out of the address bar.
"""

from typing import Final

from aiohttp import web

from matcher.records.words import CODES
from matcher.service.second_factor import BACK
from matcher.web import pages, record_words, words
from matcher.web.keys import house_of
from matcher.web.route import ANYONE, Route


def _offices(request: web.Request) -> list[dict[str, str]]:
    """The territories' names and numbers, for whoever has no JavaScript: the page knows no token yet."""
    return [
        {"name": territory.name, "phone": territory.phone}
        for territory in house_of(request).territories.values()
    ]


async def answer(request: web.Request) -> web.Response:
    """Where a doctor answers an announcement."""
    return pages.render(
        request, "doctor_answer.html", offices=_offices(request), refusals=words.REFUSALS, where=words.WHERE
    )


async def record(request: web.Request) -> web.Response:
    """Where the chosen doctor opens the record, with the second factor."""
    said = {
        "groups": record_words.GROUPS,
        "labels": record_words.LABELS,
        "values": CODES,
    }
    return pages.render(request, "doctor_record.html", offices=_offices(request), said=said)


async def set_up(request: web.Request) -> web.Response:
    """Where a doctor sets an authenticator up, with the office on the phone."""
    return pages.render(request, "doctor_factor.html", offices=_offices(request))


async def places(request: web.Request) -> web.Response:
    """Where a doctor says how many patients of a list he could take."""
    return pages.render(request, "doctor_places.html", offices=_offices(request), conditions=words.CONDITIONS)


async def data(request: web.Request) -> web.Response:
    """Where a doctor reads what is kept of him, and how to object."""
    return pages.render(request, "doctor_data.html", offices=_offices(request))


ROUTES: Final = (
    Route("GET", "/r", answer, allowed=ANYONE),
    Route("GET", "/dossier", record, allowed=ANYONE),
    # The same page: what Pro Santé Connect adds to its address is taken up by the script alone.
    Route("GET", BACK, record, allowed=ANYONE),
    Route("GET", "/double-verification", set_up, allowed=ANYONE),
    Route("GET", "/places", places, allowed=ANYONE),
    Route("GET", "/mes-reponses", data, allowed=ANYONE),
)
