"""``/medecins``: the directory, its corrections, and the places that doctors offer."""

import json
from typing import Any, Final
from uuid import uuid4

from aiohttp import web
from pydantic import ValidationError

from matcher.protocol import languages
from matcher.protocol.announcement import ConditionKind
from matcher.service import directory, doctor_history, factor_setup
from matcher.service.actors import COORDINATION, Actor
from matcher.service.errors import Invalid
from matcher.service.house import House
from matcher.web import pages, problems
from matcher.web.api_directory import DoctorCorrection, DoctorIn, DoctorPatch
from matcher.web.keys import actor_of, house_of
from matcher.web.reading import without_nulls
from matcher.web.route import Route
from matcher.web.search_actions import Form

_LINES: Final = (
    "rpps", "last_name", "first_name", "sex", "phone", "email", "mssante", "delegate_email", "address",
    "postcode", "city", "insee", "zone", "away_until",
)  # fmt: skip
_NUMBERS: Final = ("sector", "asked_per_week", "accepted_per_month", "list_size")
_TERNARY: Final = ("step_free", "home_visits", "teleconsultation")
_TICKS: Final = ("member", "do_not_call")
#: Right as they are, whatever came back.
_CHECKED: Final = ("email_checked", "phone_checked")


async def listing(request: web.Request) -> web.Response:
    """Every doctor, or those of a name."""
    q = request.query.get("q", "").strip()
    start, only = pages.start_of(request), "a-placer" in request.query
    found = await directory.part(house_of(request), actor_of(request), q or None, start, to_place=only)
    today = house_of(request).now().astimezone(pages.PARIS).date().isoformat()
    following = start + len(found["items"])
    return pages.render(
        request,
        "doctors.html",
        items=pages.lenient(found["items"]),
        in_all=found["in_all"],
        start=start,
        following=following if following < found["in_all"] else None,
        q=q,
        today=today,
        unplaced=found["unplaced"],
        only=only,
    )


async def blank(request: web.Request) -> web.Response:
    """The form for a doctor who is not in the directory yet."""
    return pages.render(request, "doctor.html", d=pages.Lenient(), typed={"key": uuid4().hex}, declines=[])


async def one(request: web.Request) -> web.Response:
    """One doctor: what is known, and the places on offer."""
    return await _one(request)


async def _one(
    request: web.Request,
    refusal: pages.Refusal | None = None,
    typed: dict[str, str] | None = None,
    declines: list[str] | None = None,
    to_read_out: str | None = None,
) -> web.Response:
    held = pages.lenient(await directory.one(house_of(request), actor_of(request), request.match_info["id"]))
    told = await doctor_history.history(house_of(request), actor_of(request), request.match_info["id"])
    factor = await factor_setup.shown(house_of(request), actor_of(request), request.match_info["id"])
    return pages.render(
        request,
        "doctor.html",
        refusal=refusal,
        d=held,
        told=pages.lenient(told),
        factor=pages.lenient(factor),
        to_read_out=to_read_out,
        typed=_shown(held) if typed is None else typed,
        declines=held["declines"] or [] if declines is None else declines,
    )


def _shown(held: dict[str, Any]) -> dict[str, str]:
    fields = {name: str(held[name]) for name in (*_LINES, *_NUMBERS) if held.get(name) is not None}
    fields |= {name: "yes" if held[name] else "no" for name in _TERNARY if held.get(name) is not None}
    fields |= {name: "on" for name in _TICKS if held.get(name)}
    fields["languages"] = ", ".join(sorted(languages.named(code) for code in held.get("languages") or []))
    return fields


def _read(fields: dict[str, str], declines: list[str]) -> dict[str, Any]:
    """The form as the API's body; what is empty is None, which forgets what was known. Raises Invalid."""
    raw: dict[str, Any] = {name: fields.get(name) or None for name in _LINES}
    for name in _NUMBERS:
        typed = fields.get(name, "")
        raw[name] = int(typed) if typed.isdecimal() else typed or None
    for name in _TERNARY:
        raw[name] = {"yes": True, "no": False}.get(fields.get(name, ""))
    for name in _TICKS:
        raw[name] = name in fields
    try:
        raw["languages"] = sorted(languages.codes_of(fields.get("languages", "")))
    except ValueError as error:
        raise Invalid({"languages": str(error)}) from None
    raw["declines"] = declines
    return raw


def _checked(raw: dict[str, Any], model: type[DoctorPatch]) -> dict[str, Any]:
    try:
        # What is emptied is forgotten, as by a null in a PATCH.
        model.model_validate_json(json.dumps(without_nulls(raw)))
    except ValidationError as error:
        raise Invalid(problems.fields_of(error, model)) from None
    return raw


async def add(request: web.Request) -> web.StreamResponse:
    """A new doctor."""
    fields, declines = await pages.fields_of(request), await pages.many_of(request, "declines")
    try:
        known = {name: value for name, value in _read(fields, declines).items() if value is not None}
        made = await directory.add(
            house_of(request), actor_of(request), _checked(known, DoctorIn), fields.get("key") or None
        )
    except pages.EXPLAINED as error:
        return pages.render(
            request,
            "doctor.html",
            refusal=pages.refusal_of(error),
            d=pages.Lenient(),
            typed=fields,
            declines=declines,
        )
    return pages.see_other(f"/medecins/{made['id']}", fait="doctor")


async def change(request: web.Request) -> web.StreamResponse:
    """Correct what is known of a doctor."""
    house, actor, doctor = house_of(request), actor_of(request), request.match_info["id"]
    fields, declines = await pages.fields_of(request), await pages.many_of(request, "declines")
    try:
        patch = await _changes(house, actor, doctor, _read(fields, declines))
        patch |= {name: True for name in _CHECKED if name in fields}
        if patch:
            await directory.patch(house, actor, doctor, patch)
    except pages.EXPLAINED as error:
        return await _one(request, pages.refusal_of(error), fields, declines)
    return pages.see_other(f"/medecins/{doctor}", fait="doctor")


async def _changes(house: House, actor: Actor, doctor: str, raw: dict[str, Any]) -> dict[str, Any]:
    """Only what differs: a correction of a phone number is not a correction of the address."""
    held = await directory.one(house, actor, doctor)
    before = {name: held.get(name) for name in raw}
    before["languages"], before["declines"] = sorted(held.get("languages") or []), held.get("declines") or []
    before["away_until"] = str(held["away_until"]) if held.get("away_until") else None
    for name in _TICKS:
        before[name] = bool(held.get(name))
    changed = {name: value for name, value in raw.items() if value != before[name]}
    return _checked(changed, DoctorCorrection)


async def second_factor(request: web.Request) -> web.StreamResponse:
    """The practice is on the phone: note a mobile number, or mail the link of an authenticator."""
    fields = await pages.fields_of(request)
    house, actor, doctor = house_of(request), actor_of(request), request.match_info["id"]
    try:
        if "mobile" in fields:
            await factor_setup.set_mobile(house, actor, doctor, fields["mobile"], called="called" in fields)
            return pages.see_other(f"/medecins/{doctor}", fait="doctor")
        sent = await factor_setup.send_link(house, actor, doctor, called="called" in fields)
    except pages.EXPLAINED as error:
        return await _one(request, pages.refusal_of(error))
    # Shown once, in answer to the press: an address that shows it again would be kept by the browser.
    return await _one(request, to_read_out=sent["code"])


async def offer(request: web.Request) -> web.StreamResponse:
    """Places that a doctor declared."""
    fields = await pages.fields_of(request)
    house, actor, doctor = house_of(request), actor_of(request), request.match_info["id"]
    form = Form(house=house, actor=actor, search="", fields=fields, many={})
    try:
        declines = [ConditionKind(kind) for kind in await pages.many_of(request, "not")]
        places = form.count("places")
        if places < 1:
            raise Invalid({"places": "Indiquez combien de places."})
        await directory.offer(
            house, actor, doctor, places, form.maybe_day("from"), form.maybe_day("until"), declines
        )
    except pages.EXPLAINED as error:
        return await _one(request, pages.refusal_of(error))
    return pages.see_other(f"/medecins/{doctor}", fait="offer")


ROUTES: Final = (
    Route("GET", "/medecins", listing, allowed=COORDINATION),
    Route("GET", "/medecins/nouveau", blank, allowed=COORDINATION),
    Route("POST", "/medecins/nouveau", add, allowed=COORDINATION),
    Route("GET", "/medecins/{id}", one, allowed=COORDINATION),
    Route("POST", "/medecins/{id}", change, allowed=COORDINATION),
    Route("POST", "/medecins/{id}/places", offer, allowed=COORDINATION),
    Route("POST", "/medecins/{id}/double-verification", second_factor, allowed=COORDINATION),
)
