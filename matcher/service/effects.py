"""Carrying out what a step asks for, inside the transaction of its event."""

from typing import assert_never

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol.effects import (
    CloseRecord,
    CountOffer,
    DestroyRecord,
    EndRelease,
    FlagMailbox,
    FlagNumber,
    NeverCall,
    OpenRelease,
    PauseDoctor,
    ReopenRecord,
    RevokeLinks,
    SendToDoctor,
    SendToRequester,
    SplitHousehold,
)
from matcher.protocol.moves import Step
from matcher.protocol.search import Search, State
from matcher.service import households, post, vaulted
from matcher.service.house import House
from matcher.storage import doctors, links, offers, releases


async def carry_out(session: AsyncSession, house: House, before: Search, step: Step) -> None:
    """Do the effects of a step, in their order. Letters to doctors that follow each other go together: a wave
    asks dozens.
    """
    search, territory = step.search, step.search.territory
    letters: list[SendToDoctor] = []
    for effect in step.effects:
        if isinstance(effect, SendToDoctor):
            letters.append(effect)
            continue
        await post.to_doctors(session, house, search, letters)
        letters = []
        match effect:
            case SendToRequester(letter=letter, number=number):
                await post.to_requester(session, house, search, letter, number)
            case OpenRelease(release=release):
                await links.revoke(session, territory, search.id, release.doctor, "record")
                await releases.insert(
                    session,
                    territory,
                    search.id,
                    release,
                    run=search.run,
                    code_expires_at=release.at + house.territory(territory).rules.code_life,
                )
            case EndRelease(doctor=doctor):
                await links.revoke(session, territory, search.id, doctor, "record")
                await releases.end(session, territory, search.id, house.now())
            case RevokeLinks(doctor=doctor):
                await links.revoke(session, territory, search.id, doctor, "answer")
            case PauseDoctor(doctor=doctor, until=until):
                await doctors.pause(session, territory, doctor, until)
            case NeverCall(doctor=doctor):
                await doctors.never_call(session, territory, doctor)
            case FlagNumber(doctor=doctor):
                await doctors.flag_number(session, territory, doctor)
            case FlagMailbox(doctor=doctor):
                await doctors.flag_mailbox(session, territory, doctor)
            case CountOffer(offer=offer, by=by):
                await offers.count(session, territory, offer, by)
            case SplitHousehold(rest=rest):
                await households.split_off(session, house, search, rest)
            case CloseRecord():
                await vaulted.close(session, house, search)
            case ReopenRecord():
                await vaulted.reopen(session, search)
            case DestroyRecord(consent_taken_back=taken_back):
                # Whoever found a doctor did, whatever is taken back or erased after that.
                counted = before if before.state is State.ATTACHED else search
                await vaulted.destroy(session, house, counted, consent_taken_back=taken_back)
            case _:
                assert_never(effect)
    await post.to_doctors(session, house, search, letters)
