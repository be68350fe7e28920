"""The record for a doctor without a mailbox: printed for the patient to carry, or read out by phone."""

from typing import Any

from matcher import documents
from matcher.protocol.moves import Refused
from matcher.protocol.search import HANDOVERS, ReleaseKind, State
from matcher.service import turn, vaulted
from matcher.service.actors import COORDINATION, Actor, require
from matcher.service.house import House
from matcher.storage import doctors, journal, searches


async def printed(house: House, actor: Actor, search_id: str) -> bytes:
    """The record as a PDF with its cover line, for a release that is a hand-over; in the journal.

    Raises Refused where the record does not go that way.
    """
    require(actor, COORDINATION)
    async with house.sessions.begin() as session:
        search = await turn.locked(session, actor, search_id)
        release = search.release
        if (
            release is None
            or release.kind not in HANDOVERS
            or search.state not in (State.RELEASED, State.ATTACHED)
        ):
            raise Refused(
                "no_handover",
                "Cette fiche ne se remet ni sur papier ni par téléphone : choisissez d’abord cette remise.",
                search.state,
            )
        await journal.append(
            session,
            house.entry(actor, "print_record", search=search.id, doctor=release.doctor, purpose=release.kind),
        )
        request = await vaulted.request(session, house, search)
        owned = await searches.get(session, actor.territory, search.id)
        card = await doctors.get(session, actor.territory, release.doctor)
        position = search.position(release.doctor)
    assert owned is not None
    assert card is not None
    territory = house.territory(actor.territory)
    return await documents.record_pdf(
        given(request, nationality=search.consent is not None and search.consent.nationality_shared),
        reference=owned.reference,
        territory=territory.name,
        doctor=card.name,
        at=house.now(),
        office=f"{territory.phone} – {territory.mail}",
        kind=ReleaseKind.PAPER,
        terms=None if position is None or position.answer is None else position.answer.terms,
    )


def given(request: dict[str, Any], *, nationality: bool) -> dict[str, Any]:
    """The record as a doctor gets it: as submitted; the nationality only if the patient agreed."""
    record: dict[str, Any] = dict(request["record"])
    if not nationality:
        record.pop("nationality", None)
    return record
