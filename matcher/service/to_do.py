"""What needs a person, search by search, in the order in which to do it; /bureau looks the names up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from matcher.protocol.ids import DoctorId
from matcher.protocol.search import SpeaksToPatient, State, TaskKind, TimerKind
from matcher.records.priority import Priority, order, waited
from matcher.storage.searches import Owned


@dataclass(frozen=True, kw_only=True)
class Thing:
    """A row before its names were looked up: most rows of a long list are not shown."""

    search: str
    reference: str
    kind: str
    reason: str
    verb: str
    at: datetime
    doctor: DoctorId | None = None
    #: Where it is done, if not on the search's own page.
    url: str | None = None
    #: Where to say that it was done, if it does not go by itself.
    done_url: str | None = None
    #: Where to have a mail that died sent again.
    again_url: str | None = None


#: Tasks in the order in which to do them, with their reason and verb. What is not listed comes last.
_TASKS: Mapping[TaskKind, tuple[str, str]] = {
    TaskKind.ANSWER_HELD_OVERDUE: ("Réponse retenue depuis plus d’un jour ouvré", "Trancher"),
    TaskKind.CALL_ME_FOR_THE_CODE: ("Attend votre appel pour le code de la fiche", "Appeler"),
    TaskKind.CALL_BACK: ("Rappel promis", "Rappeler"),
    TaskKind.LAST_YES_GONE: ("Le dernier oui n’est plus là", "Voir"),
    TaskKind.DOCTOR_GAVE_UP: ("Le médecin choisi s’est désisté", "Voir"),
    TaskKind.APPOINTMENT_TO_CHECK: ("Le rendez-vous a-t-il eu lieu ?", "Noter"),
    TaskKind.APPOINTMENT_MISSED: ("Rendez-vous manqué : une nouvelle date est à trouver", "Appeler"),
    TaskKind.APPOINTMENT_DATE_WANTED: ("La date du premier rendez-vous manque", "Noter"),
    TaskKind.CHOICE_WAITED_FOR: ("Un oui attend le choix de la personne", "Appeler"),
    TaskKind.RECORD_NOT_OPENED: ("La fiche n’est pas ouverte", "Appeler"),
    TaskKind.LINK_LOCKED: ("Cinq codes faux : le lien est bloqué", "Renouveler"),
    TaskKind.RELEASE_UNREACHED: ("Le mail de la fiche n’est pas arrivé", "Renouveler"),
    TaskKind.ANSWER_HELD: ("Réponse retenue : est-ce bien le médecin ?", "Trancher"),
    TaskKind.MAIL_UNREACHED: ("Mail impossible à remettre : à appeler", "Appeler"),
    TaskKind.NOBODY_REACHED: ("Aucun mail parti depuis une heure", "Voir"),
    TaskKind.PATIENT_UNREACHABLE: ("Personne injoignable", "Essayer"),
    TaskKind.RECONFIRM: ("Besoin et accord à reconfirmer", "Reconfirmer"),
    TaskKind.RELAUNCH_DUE: ("La date de relance est là", "Relancer"),
    TaskKind.LATE_YES: ("Un oui est arrivé après la fin", "Voir"),
    TaskKind.BOTH_RELEASED: ("Deux fiches pour la même personne", "Voir"),
    TaskKind.UNTOUCHED: ("Sans mouvement depuis 90 jours", "Voir"),
}
_ORDER = {kind: place for place, kind in enumerate(_TASKS)}
#: A yes that lapses within this time is shown before urgent requests.
_SOON = timedelta(hours=24)


def things(everything: list[Owned], now: datetime) -> tuple[list[Thing], list[Thing]]:
    """What needs a person, in order: before the doctors to call, and after."""
    kinds = list(_TASKS)
    before = [
        *_of_tasks(everything, set(kinds[:3])),
        *_lapsing(everything, now),
        *_of_tasks(everything, {TaskKind.CHOICE_WAITED_FOR}),
        *_fresh(everything),
        *_requests(everything, now, urgent=True),
    ]
    after = [
        *_of_tasks(everything, set(kinds[3:8])),
        *_requests(everything, now, urgent=False),
        *_ready(everything),
        *_of_tasks(everything, set(kinds[8:]) - {TaskKind.CHOICE_WAITED_FOR}),
    ]
    return before, after


def _of_tasks(everything: list[Owned], kinds: set[TaskKind]) -> list[Thing]:
    found = [(one, task) for one in everything for task in one.search.tasks if task.kind in kinds]
    found.sort(key=lambda pair: (_ORDER[pair[1].kind], pair[1].since))
    return [
        _thing(
            one,
            kind=task.kind,
            reason=_TASKS[task.kind][0],
            verb=_TASKS[task.kind][1],
            at=task.since,
            doctor=task.doctor,
        )
        for one, task in found
    ]


def _lapsing(everything: list[Owned], now: datetime) -> list[Thing]:
    soon = [
        (timer, one)
        for one in everything
        for timer in one.search.timers
        if timer.kind in (TimerKind.YES_HELD, TimerKind.YES_LAPSES) and timer.at - now <= _SOON
    ]
    return [
        _thing(
            one,
            kind="yes_lapsing",
            reason="Un oui va expirer",
            verb="Proposer",
            at=timer.at,
            doctor=timer.doctor,
        )
        for timer, one in sorted(soon, key=lambda pair: pair[0].at)
    ]


def _thing(
    one: Owned,
    *,
    kind: str,
    reason: str,
    verb: str,
    at: datetime | None = None,
    doctor: DoctorId | None = None,
) -> Thing:
    """A row about a search, done on its page; since when it stands where it does, unless said otherwise."""
    return Thing(
        search=one.search.id,
        reference=one.reference,
        kind=kind,
        reason=reason,
        verb=verb,
        at=at or one.search.since,
        doctor=doctor,
    )


def _fresh(everything: list[Owned]) -> list[Thing]:
    """A yes that nobody has put to the person yet, where the office does it: the longest waited first."""
    found = [
        one
        for one in everything
        if one.search.state is State.PROPOSING
        and one.search.speaks_to_patient is SpeaksToPatient.COORDINATRICE
        and TaskKind.CHOICE_WAITED_FOR not in {task.kind for task in one.search.tasks}
    ]
    return [
        _thing(
            one,
            kind="yes_to_propose",
            reason="Un oui à proposer à la personne",
            verb="Proposer",
        )
        for one in sorted(found, key=lambda one: one.search.since)
    ]


def _requests(everything: list[Owned], now: datetime, *, urgent: bool) -> list[Thing]:
    new = [o for o in everything if o.search.state is State.SUBMITTED and o.search.urgent is urgent]
    new.sort(key=lambda one: _pressing(one, now))
    reason = "Demande urgente à relire" if urgent else "Nouvelle demande à relire"
    return [
        _thing(
            one,
            kind="new_request",
            reason=reason if one.structure_name is None else f"{reason} ({one.structure_name})",
            verb="Relire",
        )
        for one in new
    ]


def _pressing(one: Owned, now: datetime) -> tuple[int, datetime]:
    """A sorting key: the class, raised by the time waited so that nobody starves; then who waited longest."""
    seniority = one.search.seniority or one.search.since
    return order(waited(Priority(level=one.priority), seniority=seniority, now=now).level, seniority)


def _ready(everything: list[Owned]) -> list[Thing]:
    return [
        _thing(
            one,
            kind="ready",
            reason="Prête à être lancée",
            verb="Lancer",
        )
        for one in everything
        if one.search.state is State.READY
    ]
