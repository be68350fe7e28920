"""``/journal/fiches``: who opened which record and why; and the same for one patient, as a page and a PDF."""

from datetime import datetime
from typing import Any, Final, Required

from aiohttp import web
from typing_extensions import TypedDict

from matcher import printed
from matcher.service import openings
from matcher.service.actors import COORDINATION, Role
from matcher.service.errors import NotFound
from matcher.web import journal_words, pages, words
from matcher.web.keys import actor_of, house_of
from matcher.web.moves import API
from matcher.web.reading import answer
from matcher.web.route import Doc, Route

DIRECTION: Final = frozenset({Role.DIRECTRICE})
_PURPOSE: Final = (
    "Vous avez le droit de savoir qui a vu vos données. Cette liste vient du journal de la CPTS : chaque "
    "ouverture de votre fiche y est inscrite au moment où elle a lieu, et rien ne peut en être retiré sans "
    "que cela se voie."
)
_ASK: Final = (
    "Une ligne vous étonne ? Demandez à la CPTS : elle doit vous répondre. Vous pouvez aussi vous adresser à "
    "la CNIL (cnil.fr)."
)


class AccessView(TypedDict, total=False):
    """That somebody saw a record, or that it was given to a doctor; ``who`` is a name, where it is known."""

    seq: Required[int]
    at: Required[datetime]
    by: Required[str]
    role: Required[str]
    what: Required[str]
    who: str
    why: str
    search: str
    reference: str
    doctor: str


class AccessList(TypedDict):
    """Who saw one patient's record, oldest first, over every search about the same person."""

    reference: str
    items: list[AccessView]


async def listing(request: web.Request) -> web.Response:
    """Every opening in the territory, newest first; of one search or of one person where asked."""
    asked = {name: request.query.get(name, "").strip() for name in ("reference", "par", "after")}
    after = int(asked["after"]) if asked["after"].isdecimal() else None
    faults = {}
    try:
        found = await openings.openings(
            house_of(request), actor_of(request), after=after, reference=asked["reference"], by=asked["par"]
        )
    except NotFound:
        found = {"items": []}
        faults = {"reference": "Aucune recherche ne porte cette référence."}
    return pages.render(
        request,
        "openings.html",
        status=404 if faults else 200,
        items=pages.lenient(found["items"]),
        next=found.get("next"),
        asked=asked,
        faults=faults,
    )


async def of_patient(request: web.Request) -> web.Response:
    """Who saw this patient's record, to read and to hand over."""
    told = await openings.of_patient(house_of(request), actor_of(request), request.match_info["id"])
    lines = [access_line(one) for one in told["items"]]
    return pages.render(
        request, "accesses.html", id=request.match_info["id"], reference=told["reference"], lines=lines
    )


async def printout(request: web.Request) -> web.Response:
    """The same as a PDF for the patient: roles of the office, names of doctors, no data of the record."""
    house, actor = house_of(request), actor_of(request)
    told = await openings.of_patient(house, actor, request.match_info["id"])
    territory, now = house.territory(actor.territory), house.now()
    sender = f"{territory.settings.name} – {territory.settings.phone} – {territory.settings.mail}"
    document = printed.Document(
        title=f"Qui a vu mes données – {told['reference']}",
        sender=sender,
        heading="Qui a vu mes données",
        subtitle=f"Recherche {told['reference']} – état au {pages.day(now)}",
        sentences=(_PURPOSE,),
        tables=(
            printed.Table(
                title="Ouvertures de la fiche",
                head=("Quand", "Qui", "Quoi", "Pourquoi"),
                rows=[access_line(one) for one in told["items"]],
                empty="Personne n’a ouvert la fiche.",
            ),
        ),
        footer=_ASK,
    )
    return web.Response(
        body=await printed.pdf(document, now),
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="acces-{told["reference"]}.pdf"'},
    )


def access_line(one: dict[str, Any]) -> tuple[str, str, str, str]:
    """When, who, what, why; to the patient the office is one, its members are roles."""
    doctor = one.get("doctor") or "un médecin"
    who = doctor if one["role"] == Role.DOCTOR else words.ROLES.get(one["role"], "la CPTS")
    what = journal_words.SEEN.get(one["what"], one["what"]).replace("{doctor}", doctor)
    return pages.moment(one["at"]), who, what, journal_words.WHY.get(one.get("why", ""), "")


async def accesses(request: web.Request) -> web.StreamResponse:
    """Who saw this patient's record, oldest first."""
    return answer(await openings.of_patient(house_of(request), actor_of(request), request.match_info["id"]))


PAGES: Final = (
    Route("GET", "/journal/fiches", listing, allowed=DIRECTION),
    Route("GET", "/recherches/{id}/acces", of_patient, allowed=COORDINATION | DIRECTION),
    # It leaves the house: like a record it wants who is logged in for long to say again who they are.
    Route("GET", "/recherches/{id}/acces.pdf", printout, allowed=COORDINATION | DIRECTION, fresh=True),
)
ROUTES: Final = (
    Route(
        "GET",
        API + "/searches/{id}/accesses",
        accesses,
        allowed=COORDINATION | DIRECTION,
        doc=Doc(summary="Who saw the record", answers={200: AccessList}),
    ),
)
