"""The small forms of a search's page: each reads its fields and calls one use case."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final, TypeVar

from aiohttp import web

from matcher.protocol.search import (
    AppointmentState,
    Declaration,
    Given,
    Household,
    Next,
    PatientContact,
    ReleaseKind,
    Says,
    WithdrawalReason,
)
from matcher.records.bulletin import ConsentIn, consent_of
from matcher.service import launching, requests, searches, views
from matcher.service.actors import COORDINATION, OFFICE, Actor, Role
from matcher.service.errors import Invalid
from matcher.service.house import House
from matcher.web import pages, request_form
from matcher.web.keys import actor_of, house_of
from matcher.web.route import Handler, Route
from matcher.web.search_page import show

_E = TypeVar("_E", bound=StrEnum)

MISSING: Final = "Ce champ est nécessaire."


@dataclass(frozen=True)
class Form:
    """A posted form, read field by field. Every reader raises Invalid naming the field."""

    house: House
    actor: Actor
    search: str
    fields: Mapping[str, str]
    many: Mapping[str, list[str]]

    def one_of(self, name: str, kind: type[_E]) -> _E:
        """A code of a closed list."""
        try:
            return kind(self.fields.get(name, ""))
        except ValueError:
            raise Invalid({name: "Choisissez une réponse dans la liste."}) from None

    def maybe_one_of(self, name: str, kind: type[_E]) -> _E | None:
        """The same, where nothing may be chosen."""
        return self.one_of(name, kind) if self.fields.get(name) else None

    def day(self, name: str) -> date:
        """A day."""
        on = self.maybe_day(name)
        if on is None:
            raise Invalid({name: "Indiquez une date."})
        return on

    def maybe_day(self, name: str) -> date | None:
        """A day, or nothing."""
        text = self.fields.get(name, "")
        if not text:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise Invalid({name: "Cette date ne se lit pas : jour, mois, année."}) from None

    def text(self, name: str) -> str:
        """A text that must be there."""
        value = self.fields.get(name, "")
        if not value:
            raise Invalid({name: MISSING})
        return value

    def count(self, name: str) -> int:
        """A whole number from 0."""
        value = self.fields.get(name, "0") or "0"
        if not value.isdecimal():
            raise Invalid({name: "Indiquez un nombre."})
        return int(value)


Run = Callable[[Form], Awaitable[Any]]


async def _give_back(f: Form) -> None:
    missing = [line.strip() for line in f.fields.get("missing", "").splitlines() if line.strip()]
    if not missing:
        raise Invalid({"missing": "Dites ce qui manque, une chose par ligne."})
    await searches.give_back(f.house, f.actor, f.search, missing)


async def _announce(f: Form) -> None:
    age, _, place = f.text("choice").partition("|")
    await searches.announce(f.house, f.actor, f.search, age or None, place or None)


async def _consent(f: Form) -> None:
    given, now = f.one_of("given", Given), f.house.now()
    if given is Given.YES:
        # A "yes" needs its proof, as at the hand-in.
        lacking = [name for name in ("by", "how") if not f.fields.get(name)]
        if lacking:
            raise Invalid(dict.fromkeys(lacking, MISSING))
    told = request_form.consent({f"consent.{name}": value for name, value in f.fields.items()}, now)
    consent = consent_of(ConsentIn.model_validate_json(json.dumps(told)), now)
    assert consent is not None  # only an absent consent has no value
    await searches.take_consent(f.house, f.actor, f.search, consent, told)


async def _rest(f: Form) -> None:
    await searches.rest(f.house, f.actor, f.search, f.maybe_day("until"))


async def _priority(f: Form) -> None:
    await searches.set_priority(f.house, f.actor, f.search, f.text("level"), f.text("reason"))


async def _join(f: Form) -> None:
    # People know a reference, the use case an id.
    reference = f.text("search").upper()
    found = (await views.listing(f.house, f.actor, q=reference))["items"]
    others = [one["id"] for one in found if one["reference"] == reference]
    if not others:
        raise Invalid({"search": "Aucune recherche ne porte cette référence."})
    await searches.join(f.house, f.actor, f.search, others[0])


async def _split(f: Form) -> None:
    keep = Household(adults=f.count("adults"), children=f.count("children"))
    await searches.split(f.house, f.actor, f.search, keep)


async def _choose(f: Form) -> None:
    handover = f.maybe_one_of("handover", ReleaseKind)
    await searches.choose(f.house, f.actor, f.search, f.text("doctor_id"), handover)


async def _decline(f: Form) -> None:
    if not f.many["doctor_id"]:
        raise Invalid({"doctor_id": "Cochez au moins un médecin."})
    await searches.decline_proposals(f.house, f.actor, f.search, f.many["doctor_id"])


async def _renew(f: Form) -> None:
    handover = f.maybe_one_of("handover", ReleaseKind)
    await searches.renew_release(f.house, f.actor, f.search, f.fields.get("email") or None, handover)


async def _settle(f: Form) -> None:
    await searches.settle_answer(f.house, f.actor, f.search, f.text("answer_id"), f.text("keep") == "oui")


async def _desist(f: Form) -> None:
    by = f.text("by")
    if by not in ("doctor", "patient"):
        raise Invalid({"by": "Choisissez qui renonce."})
    await searches.desist(f.house, f.actor, f.search, by, f.text("reason"))


async def _close(f: Form) -> None:
    await searches.close(f.house, f.actor, f.search, f.one_of("next", Next), f.maybe_day("relaunch_on"))


def _simple(use_case: Callable[[House, Actor, str], Awaitable[Any]]) -> Run:
    async def run(f: Form) -> None:
        await use_case(f.house, f.actor, f.search)

    return run


@dataclass(frozen=True)
class Action:
    """One form: its word in the address, the sentence of ``words.DONE`` said afterwards, and who may."""

    name: str
    done: str
    run: Run
    allowed: frozenset[Role] = COORDINATION


ACTIONS: Final = (
    Action("transmettre", "submitted", _simple(requests.submit)),
    Action("valider", "validate", _simple(searches.validate)),
    Action("renvoyer", "return", _give_back),
    Action("annonce", "announcement", _announce),
    Action("lancer", "launch", _simple(launching.launch)),
    Action("vague", "wave", _simple(searches.send_wave)),
    Action("appels", "calls", _simple(searches.start_calls)),
    Action("elargir", "widen", _simple(searches.widen)),
    Action("accord", "consent", _consent),
    Action("reconfirmer", "reconfirm", _simple(searches.reconfirm)),
    Action(
        "retirer", "withdraw",
        lambda f: searches.withdraw(f.house, f.actor, f.search, f.one_of("reason", WithdrawalReason)),
    ),
    Action("annuler-retrait", "undo", _simple(searches.undo_withdrawal)),
    Action(
        "contact", "attempt",
        lambda f: searches.attempt(f.house, f.actor, f.search, f.one_of("outcome", PatientContact)),
    ),
    Action("pause", "rest", _rest),
    Action("reprendre", "wake", _simple(searches.wake)),
    Action("priorite", "priority", _priority),
    Action("reunir", "join", _join),
    Action("partager", "split", _split),
    Action("choisir", "choose", _choose),
    Action("ecarter", "decline", _decline),
    Action("code", "code", _simple(searches.new_code)),
    Action("nouvel-acces", "renew", _renew),
    Action(
        "reponse", "reply",
        lambda f: searches.mail_reply(
            f.house, f.actor, f.search, f.text("doctor_id"), f.one_of("answer", Says)
        ),
        OFFICE,
    ),
    Action("trancher", "settle", _settle, OFFICE),
    Action(
        "rendez-vous", "appointment",
        lambda f: searches.appointment(
            f.house, f.actor, f.search, f.day("on"), f.one_of("state", AppointmentState)
        ),
        OFFICE,
    ),
    Action(
        "confirmer", "confirm",
        lambda f: searches.confirm(
            f.house, f.actor, f.search, f.one_of("declaration", Declaration), f.maybe_day("honoured_on")
        ),
    ),
    Action("renoncer", "desist", _desist),
    Action("clore", "close", _close),
    Action(
        "relancer", "relaunch",
        lambda f: searches.relaunch(f.house, f.actor, f.search, f.maybe_day("on")),
    ),
    Action("rouvrir", "reopen", lambda f: searches.reopen(f.house, f.actor, f.search, f.text("reason"))),
)  # fmt: skip


def _handler(action: Action) -> Handler:
    async def act(request: web.Request) -> web.StreamResponse:
        fields = await pages.fields_of(request)
        form = Form(
            house=house_of(request),
            actor=actor_of(request),
            search=request.match_info["id"],
            fields=fields,
            many={"doctor_id": await pages.many_of(request, "doctor_id")},
        )
        try:
            await action.run(form)
        except pages.EXPLAINED as error:
            return await show(request, refusal=pages.refusal_of(error), action=action.name, typed=fields)
        return pages.see_other(f"/recherches/{form.search}", fait=action.done)

    act.__doc__ = f"The form « {action.name} »."
    return act


ROUTES: Final = tuple(
    Route("POST", f"/recherches/{{id}}/{action.name}", _handler(action), allowed=action.allowed)
    for action in ACTIONS
)
