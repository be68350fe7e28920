"""What every use case needs, put together once by ``matcher.app``."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from config.settings import Settings
from config.territory import TerritorySettings
from matcher.protocol.announcement import Ground
from matcher.protocol.places import Gazetteer
from matcher.protocol.population import Population
from matcher.protocol.rules import Rules
from matcher.service.actors import Actor
from matcher.service.finding import Finder
from matcher.service.labels import Labels
from matcher.service.live import Bell
from matcher.service.memory import Memory
from matcher.service.sheets import Sheets
from matcher.storage.journal import Entry
from messaging.escrow import Escrow
from messaging.keyring import KeyRing
from messaging.links import Links
from messaging.vault import Vault


@dataclass(frozen=True, kw_only=True)
class Territory:
    """One CPTS as the use cases know it: its settings, rules, residents and places."""

    id: str
    settings: TerritorySettings
    rules: Rules
    population: Population
    places: Gazetteer
    #: Finds typed addresses; reads the disk, so use it in a thread.
    finder: Finder

    @cached_property
    def ground(self) -> Ground:
        """What announcements are measured on; kept, since much is worked out of it once."""
        return Ground(gazetteer=self.places, population=self.population, k=self.rules.k)

    @property
    def name(self) -> str:
        """« CPTS de Vénissieux »."""
        return self.settings.name

    @property
    def mail(self) -> str:
        """The office's mailbox, shown to doctors and used as sender."""
        return self.settings.mail

    @property
    def phone(self) -> str:
        """The office's number, as people read it."""
        return self.settings.phone


class Part(StrEnum):
    """What a process does. Two processes under two users keep what opens records from what faces outwards."""

    #: Everything: one process, or one of several alike.
    ALL = "all"
    #: Takes requests in, with public keys: for requesters, and nobody else.
    INTAKE = "intake"
    #: Everything but that: the office, the doctors' links, timers and mail.
    RELEASE = "release"


@dataclass(frozen=True, kw_only=True)
class CaughtMail:
    """A mail that the demo's catcher received."""

    id: str
    at: datetime
    to: str
    subject: str
    text: str
    html: str


class Mailbox(Protocol):
    """The demo's mail catcher, shown at ``/boite``."""

    def messages(self) -> Sequence[CaughtMail]:
        """Every mail caught, oldest first."""

    def forget(self, message_ids: Collection[str]) -> None:
        """Drop the mails of these Message-IDs."""


@dataclass(frozen=True, kw_only=True)
class House:
    """The installation: settings, database, keys, clock, territories."""

    settings: Settings
    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]
    keyring: KeyRing
    #: Copies of the private keys that one offline key opens.
    escrow: Escrow
    vault: Vault
    links: Links
    #: The only clock of the use cases.
    now: Callable[[], datetime]
    #: By id; filled at start and by ``installation.init``.
    territories: Mapping[str, Territory]
    bell: Bell = field(default_factory=Bell)
    #: What doctors answered within a year.
    past: Memory = field(default_factory=Memory)
    #: The labels of patients that this process has opened lately.
    labels: Labels = field(default_factory=Labels)
    #: The open searches and doctors that the screens of the office are drawn from.
    sheets: Sheets = field(default_factory=Sheets)
    mailbox: Mailbox | None = None
    #: How it goes at the door where mail comes back, in this process: refused, deferred, taken …
    at_the_door: Counter[str] = field(default_factory=Counter)
    part: Part = Part.ALL

    @property
    def public_url(self) -> str:
        """Where people reach the service, without a slash at the end."""
        return self.settings.public_url

    def entry(
        self,
        actor: Actor,
        action: str,
        *,
        search: str | None = None,
        doctor: str | None = None,
        purpose: str | None = None,
        state: str | None = None,
    ) -> Entry:
        """A journal entry of what this actor does now. Opaque ids and words of the code; no patient data."""
        return Entry(
            territory=actor.territory,
            at=self.now(),
            actor_kind=actor.role,
            actor_id=actor.id,
            action=action,
            search=search,
            doctor=doctor,
            purpose=purpose,
            state=state,
        )

    def territory(self, territory_id: str) -> Territory:
        """The territory; a KeyError here is a programmer's mistake, ids come from our own rows."""
        return self.territories[territory_id]
