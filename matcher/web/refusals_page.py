"""``/refus``: refusals after release, to read; and the two letters of whoever was refused."""

from datetime import datetime
from enum import StrEnum
from typing import Final, Literal, Required, TypeVar

from aiohttp import web
from typing_extensions import TypedDict

from matcher import printed
from matcher.service import refusals
from matcher.service.actors import COORDINATION
from matcher.service.errors import Conflict, Invalid
from matcher.service.house import Territory
from matcher.service.refusals import Facts, Kind, To
from matcher.web import pages, rights_page, words
from matcher.web.keys import actor_of, house_of
from matcher.web.moves import API, SEARCH
from matcher.web.reading import Body, answer, body_of
from matcher.web.route import Doc, Route

_E = TypeVar("_E", bound=StrEnum)

_ADDRESSED: Final = {
    To.CPAM: "À l’attention du médiateur et de la direction de la caisse primaire d’assurance maladie "
    "(adresse à compléter)",
    To.ORDRE: "À l’attention de la présidence du conseil départemental de l’Ordre des médecins "
    "(adresse à compléter)",
}
_ASKED: Final = {
    To.CPAM: "Je vous demande d’examiner cette situation et de m’aider à trouver un médecin traitant. Si "
    "vous estimez que ce refus peut relever de l’article L. 1110-3 du code de la santé publique, je vous "
    "demande de le traiter comme tel.",
    To.ORDRE: "Je vous demande d’examiner cette situation. Si vous estimez que ce refus peut relever de "
    "l’article L. 1110-3 du code de la santé publique, je vous demande de bien vouloir réunir la commission "
    "de conciliation qu’il prévoit.",
}


_LAW: Final = (
    "Je ne sais pas si ce refus est légitime. Un médecin peut refuser ses soins, hors urgence, pour des "
    "raisons personnelles ou professionnelles (article R. 4127-47 du code de la santé publique), mais non en "
    "raison de l’origine, de l’état de santé, de la situation ou de la couverture d’une personne (article "
    "L. 1110-3)."
)


class RefusalView(TypedDict, total=False):
    """A doctor who had the record gave up; nobody has read why."""

    search: Required[str]
    reference: Required[str]
    at: Required[datetime]
    label: str
    doctor: str
    reason: str


class RefusalList(TypedDict):
    """Those that wait, oldest first."""

    items: list[RefusalView]


class ReadIn(Body):
    """What the refusal was."""

    kind: Kind


class LetterIn(Body):
    """Whom the letter is for; the patient has agreed to it."""

    to: To
    agreed: Literal[True]


def document(facts: Facts, to: To, territory: Territory, now: datetime) -> printed.Document:
    """The letter, in the patient's name: what was noted, and places to fill in by hand for what was not."""
    chosen = "" if facts.chosen_on is None else f" Je l’avais choisi le {pages.day(facts.chosen_on)}."
    course = (
        f"Je cherche un médecin traitant avec l’aide de la {territory.name} (recherche {facts.reference}). "
        f"{facts.doctor or 'Un médecin'} avait accepté de me recevoir.{chosen} Après avoir pu lire ma fiche, "
        f"ce médecin s’est désisté le {pages.day(facts.refused_on)}."
    )
    reason = "Aucun motif ne m’a été donné."
    if facts.reason is not None:
        reason = f"Le motif noté est : « {facts.reason} »."
    return printed.Document(
        title=f"Lettre – {facts.reference}",
        sender=f"{facts.name} – {facts.address or '(adresse à compléter)'}",
        heading="Refus d’un médecin après son accord",
        subtitle=_ADDRESSED[to],
        sentences=(
            "Madame, Monsieur,",
            course,
            reason,
            _LAW,
            _ASKED[to],
            "Je vous prie d’agréer, Madame, Monsieur, mes salutations distinguées.",
            f"Fait le {pages.day(now)}. Signature :",
        ),
        footer=f"Lettre préparée par la {territory.name} avec l’accord de la personne, qui la relit, la "
        "complète, la signe et l’envoie elle-même si elle le souhaite.",
    )


async def page(request: web.Request) -> web.Response:
    """The refusals that wait to be read."""
    found = await refusals.unread(house_of(request), actor_of(request))
    return pages.render(request, "refusals.html", items=pages.lenient(found), kinds=words.AFTER_RELEASE)


@pages.or_error_page
async def read(request: web.Request) -> web.Response:
    """One was read."""
    kind = _one_of(Kind, (await pages.fields_of(request)).get("kind", ""), "kind")
    await refusals.read(house_of(request), actor_of(request), request.match_info["id"], kind)
    return pages.see_other("/refus", fait="saved")


async def letters(request: web.Request) -> web.Response:
    """The two letters, for a patient who wishes one."""
    return await rights_page.drawn(request, "recourse.html", words.RECOURSE)


async def write(request: web.Request) -> web.Response:
    """One letter, as a PDF."""
    fields = await pages.fields_of(request)
    try:
        return await _letter(request, _one_of(To, fields.get("to", ""), "to"), fields.get("agreed") == "oui")
    except (Invalid, Conflict) as error:
        return await rights_page.drawn(
            request, "recourse.html", words.RECOURSE, pages.refusal_of(error), fields
        )


async def _letter(request: web.Request, to: To, agreed: bool) -> web.Response:
    house, actor = house_of(request), actor_of(request)
    facts = await refusals.letter(house, actor, request.match_info["id"], to, agreed=agreed)
    now = house.now()
    return web.Response(
        body=await printed.pdf(document(facts, to, house.territory(actor.territory), now), now),
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="lettre-{to}-{facts.reference}.pdf"'},
    )


def _one_of(kind: type[_E], text: str, name: str) -> _E:
    try:
        return kind(text)
    except ValueError:
        raise Invalid({name: "Choisissez une réponse dans la liste."}) from None


async def listing(request: web.Request) -> web.StreamResponse:
    """The refusals that wait to be read."""
    return answer({"items": await refusals.unread(house_of(request), actor_of(request))})


async def read_api(request: web.Request) -> web.StreamResponse:
    """One was read; those that still wait."""
    body, house, actor = await body_of(request, ReadIn), house_of(request), actor_of(request)
    await refusals.read(house, actor, request.match_info["id"], body.kind)
    return answer({"items": await refusals.unread(house, actor)})


async def letter_api(request: web.Request) -> web.StreamResponse:
    """One letter, as a PDF."""
    body = await body_of(request, LetterIn)
    return await _letter(request, body.to, body.agreed)


PAGES: Final = (
    Route("GET", "/refus", page, allowed=COORDINATION),
    Route("POST", "/refus/{id}", read, allowed=COORDINATION),
    Route("GET", "/recherches/{id}/recours", letters, allowed=COORDINATION),
    Route("POST", "/recherches/{id}/recours", write, allowed=COORDINATION, fresh=True),
)
ROUTES: Final = (
    Route(
        "GET",
        API + "/refusals",
        listing,
        allowed=COORDINATION,
        doc=Doc(summary="Refusals after release, to read", answers={200: RefusalList}),
    ),
    Route(
        "POST",
        SEARCH + "/refusal/read",
        read_api,
        allowed=COORDINATION,
        doc=Doc(summary="Note that a refusal was read", body=ReadIn, answers={200: RefusalList}),
    ),
    Route(
        "POST",
        SEARCH + "/recourse",
        letter_api,
        allowed=COORDINATION,
        doc=Doc(
            summary="A letter for a patient who was refused",
            body=LetterIn,
            answers={200: bytes},
            media_type="application/pdf",
        ),
    ),
)
