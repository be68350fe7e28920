"""What of a search lies sealed: put in, taken out, closed, destroyed.

Sections: ``draft`` (until submitted), ``record`` (the request as it was sent),
``contact`` (what the office and the mails to a patient need: label, names, numbers), ``missing`` (what the
office wrote when it returned the request), ``consent`` (as it was last told, until the request is sealed
again), ``figures`` (opened once, at the end), ``reasons`` (why a doctor or the patient did not go on, why a
search was reopened) and the replies that wait to be read. Nothing else of a patient is stored; look-ups go
over keyed hashes.

What a requester reads again (``draft``, ``missing``) lies under the month's pair of the drafts: a process
that takes requests in opens nothing else (ARCHITECTURE, decision 6).
"""

import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol.ids import SearchId
from matcher.protocol.search import Search, State
from matcher.records import figures as words
from matcher.records import lookup
from matcher.records.bulletin import label
from matcher.service import asking, figures
from matcher.service.errors import Conflict, NotFound
from matcher.service.house import House, Part
from matcher.storage import lookups, sealed
from messaging.keyring import KeyAbsent
from messaging.vault import Sealed, Unreadable

DRAFT, RECORD, CONTACT, MISSING, REASONS = "draft", "record", "contact", "missing", "reasons"
#: One section for each reply by plain mail that a person must read: ``reply-<id>``.
REPLY = "reply"
CONSENT, FIGURES = "consent", "figures"
#: Lines of withdrawn consents and of erasures, beside the keys: a restore replays them before anything else
#: (P9).
REGISTER = "consents-taken-back.jsonl"

_log = structlog.get_logger(__name__)

#: Where the requester fills in or completes.
_COMPLETED = frozenset({State.DRAFT, State.RETURNED})
#: The parts of a record that the contact section repeats.
CONTACT_FIELDS = (
    "birth_name",
    "first_names",
    "used_name",
    "birth_date",
    "phone",
    "phone2",
    "email",
    "reach_via",
    "safe_contact",
    "contact",
    "language",
    "interpreter",
)


async def hand_back(session: AsyncSession, house: House, search: Search, missing: Sequence[str]) -> None:
    """Seal a returned request for its requester, with what it lacks in the office's own words."""
    await put_draft(session, house, search, await request(session, house, search))
    lacking = {"missing": list(missing)}
    await _put(session, house, search, MISSING, lacking, house.keyring.current_drafts(house.now()))


async def missing(session: AsyncSession, house: House, search: Search) -> list[str]:
    """What the office said is missing of a returned request; empty in every other state."""
    if search.state is not State.RETURNED:
        return []
    held = await _open(session, house, search.territory, search.id, MISSING)
    return _list(held, MISSING)


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the page of a search shows of the vault."""

    contact: dict[str, Any] | None
    missing: list[str]
    reasons: list[dict[str, str]]


async def told(session: AsyncSession, house: House, search: Search, *, with_reasons: bool) -> Told:
    """``contact``, ``missing`` and ``reasons`` in one look."""
    wanted = [CONTACT]
    if search.state is State.RETURNED:
        wanted.append(MISSING)
    if with_reasons:
        wanted.append(REASONS)
    boxes = await sealed.sections(session, search.territory, search.id, wanted)
    held = {name: _opened(house, search.territory, search.id, name, boxes.get(name)) for name in wanted[1:]}
    box = boxes.get(CONTACT)
    return Told(
        contact=None if box is None else _contact(house, search.territory, search.id, box),
        missing=_list(held.get(MISSING), MISSING),
        reasons=_list(held.get(REASONS), REASONS),
    )


def _list(held: dict[str, Any] | None, name: str) -> list[Any]:
    return [] if held is None else list(held[name])


async def put_draft(session: AsyncSession, house: House, search: Search, raw: dict[str, Any]) -> None:
    """Seal what was typed so far; it needs the public half of the drafts' pair only."""
    await _put(session, house, search, DRAFT, raw, house.keyring.current_drafts(house.now()))


async def put_record(
    session: AsyncSession,
    house: House,
    search: Search,
    raw: dict[str, Any],
    priority_reasons: Sequence[str] | None = None,
) -> None:
    """Seal the request as sent, and its contact section; the draft goes, the look-ups are made anew.

    The reasons of the priority tell of health: they lie in the contact section, only the class is in clear.
    """
    month = house.keyring.current(house.now())
    record = raw["record"]
    if priority_reasons is None:
        held = await contact(session, house, search.territory, search.id)
        priority_reasons = [] if held is None else held["priority_reasons"]
    known = {name: record[name] for name in CONTACT_FIELDS if name in record}
    known |= {"label": label(record), "priority_reasons": list(priority_reasons)}
    await _put(session, house, search, RECORD, raw, month)
    await _put(session, house, search, CONTACT, known, month)
    kept = words.of_record(record, asking.today(house, search.territory))
    await _put(session, house, search, FIGURES, kept, month)
    for section in (DRAFT, CONSENT):
        await sealed.delete(session, search.territory, search.id, section)
    terms = (*lookup.lookup_terms(record), *lookup.duplicate_terms(record))
    hashed = [hashed_term(house, search.territory, term) for term in terms]
    await lookups.replace(session, search.territory, search.id, hashed)


async def put_again(session: AsyncSession, house: House, search: Search, raw: dict[str, Any]) -> None:
    """Seal a corrected request where it lay: in the draft until it is submitted, then in the record; in both
    while its requester completes it.
    """
    if search.state is not State.DRAFT:
        await put_record(session, house, search, raw)
    if search.state in _COMPLETED:
        await put_draft(session, house, search, raw)


async def note_consent(session: AsyncSession, house: House, search: Search, told: Mapping[str, Any]) -> None:
    """Keep the consent as it was told, by whom and how: beside the request, which need not be opened."""
    if search.state in _COMPLETED:
        kept = await request(session, house, search) | {CONSENT: dict(told)}
        await put_again(session, house, search, kept)
    else:
        month = house.keyring.current(house.now())
        await _put(session, house, search, CONSENT, dict(told), month)


async def note_priority(session: AsyncSession, house: House, search: Search, reason: str) -> None:
    """Keep why a person changed the priority, sealed with the contact section."""
    held = await contact(session, house, search.territory, search.id)
    if held is not None:
        held["priority_reasons"] = [reason]
        await _put(session, house, search, CONTACT, held, house.keyring.current(house.now()))


async def note_reason(session: AsyncSession, house: House, search: Search, given: Mapping[str, str]) -> None:
    """Keep why something happened, in a person's own words: ``{what, by?, text}``. They may tell of health,
    so they are sealed like the record and end with it; the journal holds only that it happened.
    """
    if search.record_destroyed or not given["text"]:
        return
    kept = [*await reasons(session, house, search), {**given, "at": house.now().isoformat()}]
    await _put(session, house, search, REASONS, {"reasons": kept}, house.keyring.current(house.now()))


async def reasons(session: AsyncSession, house: House, search: Search) -> list[dict[str, str]]:
    """The reasons given so far, oldest first: ``{what, by?, text, at}``."""
    held = await _open(session, house, search.territory, search.id, REASONS)
    return _list(held, REASONS)


def hashed_term(house: House, territory: str, term: lookup.Term) -> tuple[str, str]:
    """A look-up term as it is stored: its kind, and its keyed hash."""
    return term.kind, house.vault.hmac_term(territory, f"{term.kind}:{term.value}")


async def request(session: AsyncSession, house: House, search: Search) -> dict[str, Any]:
    """The request exactly as it was sent, with the consent as it was last told: from the draft while its
    requester fills it in, from the record once submitted.

    Raises NotFound where it was destroyed or is closed.
    """
    for section in (DRAFT, RECORD):
        found = await _open(session, house, search.territory, search.id, section)
        if found is not None:
            consent = await _open(session, house, search.territory, search.id, CONSENT)
            return found if consent is None else found | {CONSENT: consent}
    raise NotFound


async def contact(
    session: AsyncSession, house: House, territory: str, search_id: str
) -> dict[str, Any] | None:
    """The contact section, None where there is none (a draft, a destroyed record) or it does not open."""
    return (await contacts(session, house, territory, [search_id])).get(search_id)


async def contacts(
    session: AsyncSession, house: House, territory: str, searches: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """The contact sections of several searches, where ``contact`` would give one."""
    found = {}
    for search, box in (await sealed.get_many(session, territory, searches, CONTACT)).items():
        held = _contact(house, territory, search, box)
        if held is not None:
            found[str(search)] = held
    return found


async def labels(
    session: AsyncSession, house: House, territory: str, searches: Collection[str]
) -> dict[str, str]:
    """The labels of these searches; those without a contact section that opens are left out."""
    boxes = await sealed.get_many(session, territory, sorted(searches), CONTACT)
    found: dict[str, str] = {}
    for search in searches:
        box = boxes.get(SearchId(search))
        if box is None:
            house.labels.forget(territory, search)
            continue
        label = house.labels.of(territory, search, box.nonce)
        if label is None:
            held = _contact(house, territory, search, box)
            if held is None:
                continue
            label = str(held["label"])
            house.labels.keep(territory, search, box.nonce, label)
        found[search] = label
    return found


def _contact(house: House, territory: str, search: str, box: Sealed) -> dict[str, Any] | None:
    """A contact section opened; None where it does not open.

    Lists show many: one that was tampered with must not take the others away.
    """
    if house.part is Part.INTAKE:
        return None
    try:
        text = house.vault.open(box, territory=territory, record=search, section=CONTACT)
    except (Unreadable, KeyAbsent):
        _log.error("contact_unreadable", territory=territory, search=search)
        return None
    value: dict[str, Any] = json.loads(text)
    return value


async def put_reply(
    session: AsyncSession, house: House, search: Search, reply: str, words: dict[str, Any]
) -> None:
    """Seal what somebody wrote back: it may tell of a patient."""
    month = house.keyring.current(house.now())
    await _put(session, house, search, f"{REPLY}-{reply}", words, month)


async def reply(
    session: AsyncSession, house: House, territory: str, search_id: str, reply: str
) -> dict[str, Any] | None:
    """What somebody wrote back; None where it was not kept, or went with its record."""
    return await _open(session, house, territory, search_id, f"{REPLY}-{reply}")


async def forget_reply(session: AsyncSession, territory: str, search_id: str, reply: str) -> None:
    """The office has dealt with it."""
    await sealed.delete(session, territory, search_id, f"{REPLY}-{reply}")


async def close(session: AsyncSession, house: House, search: Search) -> None:
    """Nobody opens it any more, until ``reopen`` or destruction."""
    house.labels.forget(search.territory, search.id)
    await sealed.close(session, search.territory, search.id, house.now())


async def reopen(session: AsyncSession, search: Search) -> None:
    """A withdrawal was undone in time."""
    await sealed.close(session, search.territory, search.id, None)


async def destroy(session: AsyncSession, house: House, search: Search, *, consent_taken_back: bool) -> None:
    """The data keys go, and with them the sections and the look-ups; the figures are counted.

    A consent taken back is first written outside the database: should the transaction fail after
    that, the line says no more than what the person asked for.
    """
    if consent_taken_back:
        _register(house.keyring.folder / REGISTER, search.territory, search.id, house.now().isoformat())
    left = await _count(session, house, search)
    house.labels.forget(search.territory, search.id)
    await sealed.destroy(session, search.territory, search.id, but=left)
    await lookups.replace(session, search.territory, search.id, [])


class BadRegister(Exception):
    """A line of the register cannot be read: a consent taken back could be missed."""


def registered(house: House, territory: str, *, erased: bool = False) -> list[str]:
    """The searches of a territory in the register, each once; ``erased``: only those that are to go
    altogether. Raises BadRegister.
    """
    register, found = house.keyring.folder / REGISTER, list[str]()
    if not register.exists():
        return []
    for number, line in enumerate(register.read_text("utf-8").splitlines(keepends=True), 1):
        if not line.endswith("\n"):
            # The last line of a process that was killed while it wrote: what it stood for was not done.
            break
        try:
            told = json.loads(line)
            if told["territory"] == territory and (told.get("erased", False) or not erased):
                found.append(told["search"])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise BadRegister(f"{register.name}, line {number}") from None
    return list(dict.fromkeys(found))


def register_erased(house: House, search: Search) -> None:
    """Write outside the database that everything of this search is to go: a restore replays it (P9)."""
    path, at = house.keyring.folder / REGISTER, house.now().isoformat()
    _register(path, search.territory, search.id, at, erased=True)


async def count_left(session: AsyncSession, house: House, search: Search) -> None:
    """Count the figures of a record that was destroyed where they could not be opened."""
    if search.record_destroyed:
        await _count(session, house, search)
        await sealed.destroy(session, search.territory, search.id)


async def _count(session: AsyncSession, house: House, search: Search) -> frozenset[str]:
    """Count the figures of a record that ends; the sections that must wait for a process that opens them."""
    if house.part is Part.INTAKE:
        return frozenset({FIGURES})
    try:
        kept = await _open(session, house, search.territory, search.id, FIGURES, closed=True)
    except (Unreadable, KeyAbsent):
        # A figure is no reason to keep what a person wants gone.
        _log.error("figures_unreadable", territory=search.territory, search=search.id)
        kept = None
    if kept is not None:
        await figures.count(session, house, search, kept)
    return frozenset()


async def _put(
    session: AsyncSession, house: House, search: Search, section: str, value: dict[str, Any], key: str
) -> None:
    if house.part is Part.INTAKE and await sealed.is_destroyed(session, search.territory, key):
        # Its folder is older than the destruction (``keys publish``): nobody could ever open this.
        _log.error("key_destroyed_elsewhere", key=key)
        raise Conflict(
            "keys_stale", "Aucune demande ne peut être reçue ici pour l’instant : appelez la CPTS."
        )
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    box = house.vault.seal(text, territory=search.territory, record=search.id, section=section, key=key)
    await sealed.put(session, search.territory, search.id, section, box)


async def _open(
    session: AsyncSession, house: House, territory: str, search_id: str, section: str, *, closed: bool = False
) -> dict[str, Any] | None:
    box = await sealed.get(session, territory, search_id, section, closed=closed)
    return _opened(house, territory, search_id, section, box)


def _opened(
    house: House, territory: str, search_id: str, section: str, box: Sealed | None
) -> dict[str, Any] | None:
    if box is None:
        return None
    text = house.vault.open(box, territory=territory, record=search_id, section=section)
    value: dict[str, Any] = json.loads(text)
    return value


def _register(path: Path, territory: str, search_id: str, at: str, *, erased: bool = False) -> None:
    told = {"territory": territory, "search": search_id, "at": at}
    line = json.dumps(told | ({"erased": True} if erased else {})) + "\n"
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, line.encode())
        os.fsync(handle)
    finally:
        os.close(handle)
