"""The doctors who agree, side by side, in words that can be read to the person on the phone; and the map."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from matcher.protocol.ids import DoctorId
from matcher.protocol.languages import named
from matcher.protocol.wishes import Wish, WishKind
from matcher.protocol.wording import distance
from matcher.service.sketch import Practice, Sketch
from matcher.web import map_picture, pages, words

#: Whether a wish is fulfilled: its code for the style sheet, its sign, its word.
ANSWERS: Final[Mapping[bool | None, tuple[str, str, str]]] = {
    True: ("met", "✓", "oui"),
    False: ("unmet", "✗", "non"),
    None: ("unknown", "?", "pas connu"),
}
_TRAVEL: Final = {
    "walk": "à pied, vingt minutes au plus",
    "transit": "en transports, vingt minutes au plus",
    "car": "en voiture, vingt minutes au plus",
}
_TITLES: Final = {"F": "La docteure", "M": "Le docteur"}
#: Group of the map → words.
GROUPS: Final = {
    map_picture.YES: "d’accord",
    map_picture.WAITING: "sans réponse",
    map_picture.NO: "non, en pause ou non joint",
    map_picture.UNASKED: "pas encore sollicité",
}


def wish_said(wish: Wish) -> str:
    """One wish, as the person would put it."""
    match wish.kind:
        case WishKind.DOCTOR_SEX:
            return "une femme" if wish.value == "F" else "un homme"
        case WishKind.LANGUAGE:
            return f"parle {named(str(wish.value))}"
        case WishKind.MAX_DISTANCE_KM:
            return f"à {wish.value:g} km au plus".replace(".", ",")
        case WishKind.TRAVEL:
            return _TRAVEL[str(wish.value)]
        case WishKind.PREFER:
            return "demandé par la personne"
        case _:
            return words.WISHES[wish.kind]


def side_by_side(proposals: Sequence[Mapping[str, Any]], sketch: Sketch) -> list[dict[str, Any]]:
    """Each proposal of the view, with aloud, phone, and wishes ``[{text, hard, code, sign, answer}]``."""
    return [
        {**one, **_compared(one, sketch.met[one["doctor"]["id"]])}
        if one["doctor"]["id"] in sketch.met
        else {**one}
        for one in proposals
    ]


def _compared(one: Mapping[str, Any], practice: Practice) -> dict[str, Any]:
    wishes = []
    for wish, fulfilled in practice.wishes:
        code, sign, answer = ANSWERS[fulfilled]
        wishes.append(
            {"text": wish_said(wish), "hard": wish.hard, "code": code, "sign": sign, "answer": answer}
        )
    return {"wishes": wishes, "aloud": aloud(one, practice), "phone": practice.card.phone}


def aloud(one: Mapping[str, Any], practice: Practice) -> str:
    """A sentence: « La docteure Rose Edelweiss, 3 rue du Lac, à environ 1 km, est d’accord pour … ».

    With the terms of the yes, then those of the wishes met that are worth hearing.
    """
    card, terms = practice.card, one.get("conditions") or {}
    known = [f"{_TITLES.get(card.sex or '', 'Le docteur')} {card.first_name} {card.last_name}"]
    if card.address:
        known.append(card.address)
    if practice.distance_km is not None:
        near = distance(practice.distance_km)
        known.append(near if near.startswith("à ") else f"à {near}")
    agreed = "peut vous dépanner une fois" if terms.get("once") else "est d’accord pour vous recevoir"
    if terms.get("count"):
        agreed += f", pour {pages.plural(terms['count'], 'personne')} de votre foyer"
    if terms.get("from"):
        agreed += f", à partir du {pages.day(terms['from'])}"
    if terms.get("where"):
        agreed += f", {words.WHERE[terms['where']]}"
    said = f"{', '.join(known)}, {agreed}."
    met = [wish_said(w) for w, fulfilled in practice.wishes if fulfilled and w.kind in _TOLD]
    return f"{said} {' ; '.join(met).capitalize()}." if met else said


#: What is worth saying aloud of the wishes that are met; the rest is heard already.
_TOLD: Final = frozenset(
    {WishKind.LANGUAGE, WishKind.STEP_FREE, WishKind.SECTOR1, WishKind.HOME_VISITS, WishKind.TELECONSULTATION}
)


def kilometres(practice: Practice | None) -> str:
    """« 1,5 km », « moins de 500 m », or nothing."""
    if practice is None or practice.distance_km is None:
        return ""
    return distance(practice.distance_km).removeprefix("environ ").removeprefix("à ")


def around(states: Mapping[str, str], sketch: Sketch) -> map_picture.Map | None:
    """The map: ``states`` are those of the doctors whom the search has met, by id."""
    spots = [
        *(_spot(p, map_picture.group_of(states.get(d, "")), states.get(d)) for d, p in sketch.met.items()),
        *(_spot(p, map_picture.UNASKED, None) for p in sketch.unasked),
    ]
    place = None if sketch.place is None else (sketch.place.lat, sketch.place.lon)
    return map_picture.drawn(place, [spot for spot in spots if spot is not None])


def _spot(practice: Practice, group: str, state: str | None) -> map_picture.Spot | None:
    card = practice.card
    if card.lat is None or card.lon is None:
        return None
    said = words.SOLICITATIONS.get(state, state) if state else GROUPS[group]
    return map_picture.Spot(lat=card.lat, lon=card.lon, group=group, text=f"{card.name} : {said}")


def asked(solicitations: Sequence[Mapping[str, Any]], sketch: Sketch) -> list[dict[str, Any]]:
    """The rows of the table that says the same as the map; the reason tells the distance already."""
    return [
        {
            **one,
            "group": map_picture.group_of(one["state"]),
            "sign": map_picture.shape(map_picture.group_of(one["state"]), 12, 12),
            "why": one.get("why") or kilometres(sketch.met.get(DoctorId(one["doctor"]["id"]))),
        }
        for one in solicitations
    ]
