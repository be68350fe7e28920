"""From an outbox row to a mail: looked up, checked to be still wanted, worded. Nothing of it is stored.

An address, a token or a text exists only here and on the wire.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.protocol import letters
from matcher.protocol.announcement import Announcement
from matcher.protocol.doctors import Zone
from matcher.protocol.effects import Letter
from matcher.protocol.ids import DoctorId
from matcher.protocol.places import Place, PlaceKind, distance_km, rounded_km
from matcher.protocol.search import Search, State
from matcher.protocol.wording import sentence, where
from matcher.service import asking, gathering, list_mails, post, second_factor
from matcher.service.house import House
from matcher.service.phrases import day, duration, frame
from matcher.storage import doctors, links, people, searches
from matcher.storage.doctors import Card
from matcher.storage.links import Row as LinkRow
from matcher.storage.searches import Owned
from messaging.claims import Row
from messaging.letters import Letters, Mailbox, Message, Obsolete, compose
from messaging.links import Link, Purpose

#: Mails worded between two looks at what else waits.
_AT_A_TIME = 8
_ANNOUNCING = frozenset({Letter.ANNOUNCEMENT, Letter.REMINDER})
#: Letters that are answered by yes or no: a reply to them is read by the service, where it receives mail.
_ANSWERED = frozenset({Letter.ANNOUNCEMENT, Letter.REMINDER, Letter.CONFIRM_ANSWER, Letter.STILL_AVAILABLE})
_RECORD_LETTERS = post.WITH_THE_RECORD
_TO_REQUESTER = frozenset({Letter.REQUESTER_NEWS, Letter.CHOICE_CHASED})


@dataclass(frozen=True, kw_only=True)
class _Facts:
    """What the mails of one batch to people of one territory are made of, read together."""

    searches: Mapping[str, Owned]
    cards: Mapping[DoctorId, Card]
    #: By search, run, doctor and purpose.
    links: Mapping[tuple[str, int, str, str], LinkRow]
    pauses: Mapping[str, LinkRow]
    #: Where each doctor reads what is kept of him.
    data: Mapping[str, LinkRow]
    structures: Mapping[str, people.Structure]
    #: How each doctor who is told of a record will show who he is.
    factors: Mapping[DoctorId, str]
    #: By id, those that set an authenticator up: they belong to no search.
    set_up: Mapping[str, LinkRow]
    #: By search: who may be asked now, where that may have changed since a mail was put into the outbox.
    fitting: Mapping[str, frozenset[DoctorId]]


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What one letter to a doctor says."""

    to: Mailbox
    words: Mapping[str, object]
    unsubscribe: str
    #: The Message-ID of the announcement that a reminder reminds of.
    earlier: str | None


_NOTHING = _Facts(
    searches={}, cards={}, links={}, pauses={}, data={}, structures={}, factors={}, set_up={}, fitting={}
)


@dataclass(frozen=True)
class Composer:
    """What the dispatcher calls to word mails."""

    house: House
    letters: Letters

    async def compose(self, rows: Sequence[Row]) -> list[Message | Obsolete | Exception]:
        """Each row's mail as it must be now, or that it is no longer wanted, or why it cannot be worded."""
        async with self.house.sessions.begin() as session:
            items = await gathering.spoken_of(session, rows)
        single = [row for row in rows if row.letter not in (Letter.DIGEST, Letter.LIST)]
        single += [item for of_digest in items.values() for item in of_digest]
        facts = {}
        for territory in sorted({row.territory for row in rows} & self.house.territories.keys()):
            theirs = [row for row in single if row.territory == territory]
            facts[territory] = await self._facts(territory, theirs)
        worded: list[Message | Obsolete | Exception] = []
        for number, row in enumerate(rows):
            if number % _AT_A_TIME == 0:
                # Nobody else's request waits for a whole batch to be worded.
                await asyncio.sleep(0)
            try:
                if row.letter == Letter.LIST:
                    worded.append(await list_mails.compose_for(self.house, self.letters, row))
                    continue
                known = facts.get(row.territory, _NOTHING)
                of_digest = items.get(row.id)
                one = self._worded(row, known) if of_digest is None else self._digest(row, of_digest, known)
                worded.append(one)
            except Exception as slip:  # noqa: BLE001
                worded.append(slip)
        return worded

    async def _facts(self, territory: str, rows: Sequence[Row]) -> _Facts:
        ids = {row.ids["search"] for row in rows if "search" in row.ids}
        told = {DoctorId(row.ids["doctor"]) for row in rows if row.letter in _RECORD_LETTERS}
        to_doctors = {row.ids["doctor"] for row in rows if "doctor" in row.ids}
        async with self.house.sessions.begin() as session:
            owned = await searches.get_all(session, territory, ids)
            structures = await people.structures(session, territory) if len(to_doctors) < len(rows) else []
            return _Facts(
                searches=owned,
                cards=await doctors.cards(session, territory, to_doctors) if to_doctors else {},
                links=await links.of_searches(session, territory, ids, to_doctors),
                pauses=await links.of_doctors(
                    session, territory, to_doctors, Purpose.PAUSE, now=self.house.now()
                ),
                data=await links.of_doctors(
                    session, territory, to_doctors, Purpose.DATA, now=self.house.now()
                ),
                structures={structure.id: structure for structure in structures},
                factors={
                    doctor: (await second_factor.ways(session, self.house, territory, doctor))[
                        "second_factor"
                    ]
                    for doctor in sorted(told)
                },
                set_up=await self._set_up_links(session, rows),
                fitting=await self._fitting(session, territory, owned, rows),
            )

    async def _set_up_links(self, session: AsyncSession, rows: Sequence[Row]) -> dict[str, LinkRow]:
        wanted = [row.ids["link"] for row in rows if row.letter == Letter.SECOND_FACTOR]
        found = [await links.by_id(session, link) for link in wanted]
        return {link.id: link for link in found if link is not None}

    async def _fitting(
        self, session: AsyncSession, territory: str, owned: Mapping[str, Owned], rows: Sequence[Row]
    ) -> dict[str, frozenset[DoctorId]]:
        """Of the searches that changed while their mail waited, or whose doctor did: a hard wish may have
        come, or turn out not to be met (P4).
        """
        announcing = [row for row in rows if row.letter in _ANNOUNCING and row.ids["search"] in owned]
        if not announcing:
            return {}
        since = min(row.enqueued_at for row in announcing)
        corrected = await doctors.corrected(session, territory, [r.ids["doctor"] for r in announcing], since)
        changed = {
            search.id: search
            for row, search in ((row, owned[row.ids["search"]].search) for row in announcing)
            if max(search.touched_at, corrected.get(DoctorId(row.ids["doctor"]), since)) > row.enqueued_at
        }
        if not changed:
            return {}
        roster = await asking.roster(session, self.house, territory)
        return {
            id: frozenset(
                c.doctor for c in (await asking.candidates(session, self.house, search, roster)).ordered
            )
            for id, search in changed.items()
        }

    def _worded(self, row: Row, facts: _Facts) -> Message | Obsolete:
        letter = Letter(row.letter)
        if letter is Letter.SECOND_FACTOR:
            return self._set_up(row, facts)
        owned = facts.searches.get(row.ids["search"])
        if owned is None:
            return Obsolete("no_search")
        if letter in _TO_REQUESTER:
            return self._to_requester(row, letter, owned, facts)
        return self._to_doctor(row, letter, owned.search, facts)

    def _to_requester(self, row: Row, letter: Letter, owned: Owned, facts: _Facts) -> Message | Obsolete:
        search = owned.search
        if owned.structure is None:
            return Obsolete("no_requester")
        structure = facts.structures.get(owned.structure)
        if structure is None or structure.email is None:
            return Obsolete("no_mailbox")
        # As to a doctor: one whose earlier attempt may have arrived goes again as it was.
        if letter is Letter.CHOICE_CHASED and search.state is not State.PROPOSING and not row.may_have_left:
            return Obsolete("chosen_meanwhile")
        if letter is Letter.REQUESTER_NEWS and row.ids["state"] != search.state and not row.may_have_left:
            # The next piece of news is already in the outbox.
            return Obsolete("old_news")
        words: dict[str, object] = {
            "reference": owned.reference,
            "state": row.ids.get("state", search.state.value),
            "link": f"{self.house.settings.intake_url}/mes-demandes",
            "proposals": max(1, len(search.standing_yes)),
        }
        return self._mail(row, letter, Mailbox(address=structure.email, name=structure.name), words)

    def _to_doctor(self, row: Row, letter: Letter, search: Search, facts: _Facts) -> Message | Obsolete:
        over = self._over(row, letter, search, facts)
        # One whose earlier attempt may have arrived goes again as it was: it is no new mail.
        if over is not None and not row.may_have_left:
            return Obsolete(over)
        told = self._told(row, letter, search, facts)
        return told if isinstance(told, Obsolete) else self._mail_of(row, letter, told)

    def _digest(self, row: Row, items: Sequence[Row], facts: _Facts) -> Message | Obsolete:
        """Several announcements or reminders in one mail. What it speaks of is frozen at the first attempt;
        of a repeat the items that have ended since are marked.
        """
        told: list[tuple[Row, _Told, str | None]] = []
        why_not = "nothing_left"
        for item in items:
            owned = facts.searches.get(item.ids["search"])
            if owned is None or (row.items is not None and gathering.key_of(item) not in row.items):
                continue
            letter = Letter(item.letter)
            over = self._over(item, letter, owned.search, facts)
            if over is not None and row.items is None:
                why_not = over
                continue
            one = self._told(item, letter, owned.search, facts)
            if isinstance(one, Obsolete):
                why_not = one.reason
                continue
            told.append((item, one, over))
        ended = [over for _, _, over in told if over is not None]
        if not told or (len(ended) == len(told) and not row.may_have_left):
            return Obsolete(ended[0] if ended else why_not)
        item, first, _ = told[0]
        keys = tuple(gathering.key_of(item) for item, _, _ in told)
        if len(told) == 1:
            return self._mail_of(row, Letter(item.letter), first, items=keys)
        words = {name: first.words[name] for name in ("doctor", "delegate", "yes_held", "data_link")}
        words |= {
            "reminder": item.letter == Letter.REMINDER,
            "pause_link": next((one.words["link"] for _, one, over in told if over is None), None),
            "items": [
                {name: one.words[name] for name in ("sentence", "link", "answer_links")}
                | {"over": over is not None}
                for _, one, over in told
            ],
        }
        return self._mail(row, Letter.DIGEST, first.to, words, unsubscribe=first.unsubscribe, items=keys)

    def _over(self, row: Row, letter: Letter, search: Search, facts: _Facts) -> str | None:
        """Why a letter has no reason to go any more; None where it has."""
        doctor = DoctorId(row.ids["doctor"])
        unwanted = letters.unwanted(
            search, letter, doctor, run=int(row.ids["run"]), number=int(row.ids.get("number", "1"))
        )
        card = facts.cards.get(doctor)
        if unwanted is not None or letter not in _ANNOUNCING or row.may_have_left or card is None:
            return unwanted
        if card.away_until is not None and card.away_until >= asking.today(self.house, row.territory):
            return "paused"
        if not card.member or card.zone is not Zone.TERRITORY:
            return "no_member"
        if doctor not in facts.fitting.get(search.id, {doctor}):
            return "no_longer_fits"
        return None

    def _told(self, row: Row, letter: Letter, search: Search, facts: _Facts) -> _Told | Obsolete:
        """What a letter to a doctor says, and to whom it goes."""
        doctor = DoctorId(row.ids["doctor"])
        delegate = row.ids["purpose"] == Purpose.DELEGATE
        card = facts.cards.get(doctor)
        address = None if card is None else (card.delegate_email if delegate else card.mailbox)
        if card is None or address is None:
            return Obsolete("no_mailbox")
        purpose = Purpose.RECORD if letter in _RECORD_LETTERS else Purpose(row.ids["purpose"])
        link = facts.links.get((search.id, int(row.ids["run"]), doctor, purpose))
        if link is None or search.announcement is None:
            return Obsolete("no_link")
        page = "dossier" if purpose is Purpose.RECORD else "r"
        words = self._words(search, card, f"{self.house.public_url}/{page}#{self._token(link)}")
        words |= {"delegate": delegate, "renewed": row.ids["number"] != "1"}
        # What is kept of a doctor is for nobody but that doctor.
        words["data_link"] = None if delegate else self._data_link(facts, doctor)
        if purpose is Purpose.RECORD:
            words |= {"second_factor": facts.factors[doctor]}
        unsubscribe = f"{self.house.public_url}/u/{self._token(facts.pauses[doctor])}"
        earlier = None
        if letter is Letter.REMINDER:
            earlier = post.message_id(self.house, search, doctor, Letter.ANNOUNCEMENT, delegate=delegate)
        to = Mailbox(address=address, name="" if delegate else card.name)
        return _Told(to=to, words=words, unsubscribe=unsubscribe, earlier=earlier)

    def _mail_of(
        self, row: Row, letter: Letter, told: _Told, items: tuple[str, ...] | None = None
    ) -> Message:
        return self._mail(
            row,
            letter,
            told.to,
            told.words,
            unsubscribe=told.unsubscribe,
            references=told.earlier,
            items=items,
        )

    def _set_up(self, row: Row, facts: _Facts) -> Message | Obsolete:
        """The link under which a doctor sets an authenticator up, while it is worth anything."""
        link, card = facts.set_up.get(row.ids["link"]), facts.cards.get(DoctorId(row.ids["doctor"]))
        if link is None or link.expires_at <= self.house.now():
            return Obsolete("link_over")
        if card is None or card.mailbox is None:
            return Obsolete("no_mailbox")
        words = {
            "doctor": {"title_name": f"Dr {card.last_name}"},
            "link": f"{self.house.public_url}/double-verification#{self._token(link)}",
            "data_link": self._data_link(facts, card.id),
        }
        return self._mail(row, Letter.SECOND_FACTOR, Mailbox(address=card.mailbox, name=card.name), words)

    def _words(self, search: Search, card: Card, link: str) -> dict[str, object]:
        assert search.announcement is not None
        territory = self.house.territory(search.territory)
        settings = territory.settings
        delays = settings.urgent if search.urgent else settings.delays
        given = search.release.at if search.release is not None else search.since
        zone = territory.rules.office_calendar.zone
        return {
            "doctor": {"title_name": f"Dr {card.last_name}"},
            "subject_who": _subject(search.announcement),
            "sentence": sentence(search.announcement, distance_km=_distance(search.announcement.place, card)),
            "link": link,
            "answer_links": _answer_links(link),
            "pause_link": link,
            "yes_held": duration(delays.yes_held),
            "link_life": duration(settings.release.link_life, weekdays=False),
            "code_life": duration(settings.release.code_life),
            "given_on": day(given.astimezone(zone).date()),
        }

    def _mail(
        self,
        row: Row,
        letter: Letter,
        to: Mailbox,
        words: Mapping[str, object],
        *,
        unsubscribe: str | None = None,
        references: str | None = None,
        items: tuple[str, ...] | None = None,
    ) -> Message:
        territory = self.house.territory(row.territory)
        office = Mailbox(address=territory.mail, name=territory.name)
        rendered = self.letters.render(letter.value, {**frame(territory), **words})
        links, domain = self.house.links, territory.settings.return_domain
        answers = office
        # A reply to a digest does not tell of whom it speaks: the office reads it.
        if letter in _ANSWERED and items is None and self.house.settings.inbox is not None:
            answers = Mailbox(address=links.reply_path(row.id, domain), name=territory.name)
        return compose(
            rendered,
            sender=office,
            recipient=to,
            return_path=links.return_path(row.id + links.address_mark(to.address), domain),
            message_id=row.message_id,
            date=row.first_attempt_at,
            reply_to=answers,
            unsubscribe=unsubscribe,
            references=references,
            items=items,
        )

    def _data_link(self, facts: _Facts, doctor: str) -> str:
        return f"{self.house.public_url}/mes-reponses#{self._token(facts.data[doctor])}"

    def _token(self, row: LinkRow) -> str:
        return self.house.links.token(
            Link(territory=row.territory, purpose=row.purpose, id=row.id, nonce=row.nonce)
        )


def _answer_links(link: str) -> dict[str, str]:
    """Where the three buttons of the mail lead: the same page, with that button pressed beforehand."""
    # Behind the token, in the fragment: no log reads what somebody was about to answer.
    answers = {"yes": "oui", "conditions": "conditions", "no": "non"}
    return {name: f"{link}.{word}" for name, word in answers.items()}


def _subject(announcement: Announcement) -> str:
    """« une personne du quartier Parilly », « un foyer à Vénissieux »: who and where, without age."""
    who = "une personne" if announcement.age is not None else "un foyer"
    place = announcement.place
    match place.kind:
        case PlaceKind.QUARTIER:
            return f"{who} du {where(place)}"
        case PlaceKind.STREET:
            return f"{who} ({where(place)})"
        case _:
            return f"{who} {where(place)}"


def _distance(place: Place, card: Card) -> float | None:
    if card.lat is None or card.lon is None:
        return None
    return rounded_km(distance_km(place.lat, place.lon, card.lat, card.lon))
