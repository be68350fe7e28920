"""The form of a request in steps: which field is asked where, what is filled, what is left to say. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from matcher.web import pages, record_words, request_form, words

#: The whole form on one page: for corrections, and for those who prefer it.
WHOLE: Final = "tout"
SUMMARY: Final = "resume"

Fields = dict[str, str]
Many = dict[str, list[str]]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One step: the word of its address, its title, and the beginnings of its fields' names."""

    key: str
    title: str
    begins: tuple[str, ...]

    def has(self, field: str) -> bool:
        """Whether the field is asked in this step."""
        return any(field == name or field.startswith(f"{name}.") for name in self.begins)


def _record(*names: str) -> tuple[str, ...]:
    return tuple(f"record.{name}" for name in names)


PARTS: Final = (
    Part(
        key="personne",
        title="La personne",
        begins=_record(
            "birth_name", "used_name", "first_names", "sex", "birth_date", "birth_place", "household"
        ),
    ),
    Part(
        key="joindre",
        title="La joindre, et où elle vit",
        begins=(
            *_record("phone", "phone2", "email", "reach_via", "safe_contact", "contact", "language"),
            *_record("interpreter", "housing", "address"),
            "place",
        ),
    ),
    Part(
        key="besoin",
        title="Santé et droits",
        begins=_record(
            "care_needed",
            "difficulty",
            "treatments",
            "ald",
            "pregnancy",
            "discharge_on",
            "screening",
            "nir",
            "coverage",
            "rights_opened_on",
            "nationality",
            "social",
        ),
    ),
    Part(
        key="souhaits",
        title="Conditions et souhaits",
        begins=("conditions", "within_days", "urgent", "wish", "wishes"),
    ),
    Part(
        key="accord",
        title="Son accord, et vous",
        begins=(
            "consent",
            "choice",
            "speaks_to_patient",
            "record.referring",
            "record.attachments",
            "attachment",
        ),
    ),
)
_BY_KEY: Final = {part.key: part for part in PARTS}
#: Address of a step → its title, the summary last.
TITLES: Final = {**{part.key: part.title for part in PARTS}, SUMMARY: "Relire et transmettre"}


def known(step: str) -> str:
    """The step of an address, or the first where there is no such step."""
    return step if step in TITLES or step == WHOLE else PARTS[0].key


def following(step: str) -> str:
    """The step after this one."""
    order = [*TITLES]
    return order[min(order.index(step) + 1, len(order) - 1)] if step in order else SUMMARY


def preceding(step: str) -> str | None:
    """The step before this one; None before the first."""
    order = [*TITLES]
    return order[order.index(step) - 1] if order.index(step) else None


def step_of(field: str) -> str:
    """Where a field is asked."""
    return next((part.key for part in PARTS if part.has(field)), PARTS[0].key)


def in_order(fields: Iterable[str]) -> list[str]:
    """The fields in the order in which the form asks them."""
    asked = [name for part in PARTS for name in part.begins]

    def place(field: str) -> int:
        return next((i for i, name in enumerate(asked) if f"{field}.".startswith(f"{name}.")), len(asked))

    return sorted(fields, key=place)


def first_open(missing: Sequence[str]) -> str:
    """Where to go on: the first step that lacks something, else the summary."""
    lacking = {step_of(name) for name in missing}
    return next((part.key for part in PARTS if part.key in lacking), SUMMARY)


def joined(step: str, held: tuple[Fields, Many], posted: tuple[Fields, Many]) -> tuple[Fields, Many]:
    """All the fields of the form once one step is posted: that step's as typed, the others' as held.

    A box that is not ticked is not posted, so a step's fields are replaced as a whole.
    """
    if step == WHOLE:
        return posted
    part = _BY_KEY.get(step)
    if part is None:
        return held
    fields = {name: value for name, value in held[0].items() if not part.has(name)}
    many = {name: values for name, values in held[1].items() if not part.has(name)}
    fields |= {name: value for name, value in posted[0].items() if part.has(name)}
    many |= {name: values for name, values in posted[1].items() if part.has(name)}
    return fields, many


def moved(fields: Fields, kind: str, by: int) -> Fields:
    """The fields with one wish a place higher (-1) or lower (+1) among those that were expressed."""
    order = [wish["kind"] for wish in request_form.wishes(fields, {})]
    # Lists of doctors are repeated fields: their ranks tell where they stand.
    for name in ("exclude", "prefer"):
        rank = fields.get(f"wish.{name}.rank", "")
        if rank.isdecimal() and name not in order:
            order.insert(min(int(rank) - 1, len(order)), name)
    if kind not in order:
        return fields
    at = order.index(kind)
    to = min(max(at + by, 0), len(order) - 1)
    order[at], order[to] = order[to], order[at]
    return {**fields, **{f"wish.{name}.rank": str(place) for place, name in enumerate(order, start=1)}}


def wish_order(fields: Mapping[str, str], many: Mapping[str, Sequence[str]]) -> tuple[list[str], int]:
    """The kinds of wishes in the order in which the form shows them: those expressed first; how many are."""
    expressed = [wish["kind"] for wish in request_form.wishes(fields, many)]
    return [*expressed, *(kind for kind in request_form.WISHES if kind not in expressed)], len(expressed)


def rows(fields: Mapping[str, str]) -> int:
    """How many further persons of a household the form has room for: those there are, and some more."""
    return min(len(request_form.members(fields)) + 3, request_form.MEMBERS)


#: Group of the record as it is read → the step that asks it.
_ASKED_IN: Final = {
    "Identité": "personne",
    "Joindre la personne": "joindre",
    "Où elle vit": "joindre",
    "Santé": "besoin",
    "Droits et situation": "besoin",
    "Qui adresse": "accord",
    "Autres renseignements": "personne",
}


def summary(raw: Mapping[str, Any], doctors: Mapping[str, str]) -> dict[str, list[record_words.Line]]:
    """Step → what was filled in there, in words, for a last look before sending."""
    found: dict[str, list[record_words.Line]] = {part.key: [] for part in PARTS}
    for group in record_words.laid_out(dict(raw.get("record", {}))):
        found[_ASKED_IN[group.title]] += group.lines
    line = record_words.Line
    if raw.get("place"):
        found["joindre"].append(line(label="Quartier ou lieu", value=str(raw["place"])))
    if raw.get("urgent"):
        found["souhaits"].append(line(label="Urgence", value="demande urgente"))
    for one in raw.get("conditions", []):
        kind, _, days = str(one).partition(":")
        said = f"rendez-vous dans les {days} jours" if days else words.CONDITIONS.get(kind, kind)
        found["souhaits"].append(line(label="Condition", value=said))
    for place, wish in enumerate(raw.get("wishes", []), start=1):
        found["souhaits"].append(line(label=f"Souhait {place}", value=wish_said(wish, doctors)))
    found["accord"] += consent_said(raw.get("consent", {}))
    return found


def wish_said(wish: Mapping[str, Any], doctors: Mapping[str, str]) -> str:
    """« une langue parlée : arabe (indispensable) »."""
    kind, value = str(wish["kind"]), wish["value"]
    if kind == "language":
        value = words.LANGUAGES.get(value, value)
    elif kind == "doctor_sex":
        value = {"F": "une femme", "M": "un homme"}.get(value, value)
    elif kind == "travel":
        value = request_form.TRAVEL.get(value, value)
    elif kind == "max_distance_km":
        value = f"{value} km".replace(".", ",")
    elif isinstance(value, list):
        value = ", ".join(doctors.get(one, "un médecin") for one in value)
    said = words.WISHES[kind] if value is True else f"{words.WISHES[kind]} : {value}"
    return f"{said} (indispensable)" if wish.get("hard") else said


def consent_said(given: Mapping[str, Any]) -> list[record_words.Line]:
    """What the person said to sharing: who answered, how, in which language, on which text, and when."""
    if not given:
        return []
    line = record_words.Line
    found = [line(label="Accord de la personne", value=words.GIVEN.get(given["given"], given["given"]))]
    for name, label, said in (
        ("by", "Donné par", words.CONSENT_BY),
        ("how", "Comment", words.CONSENT_HOW),
        ("language", "Dans la langue", words.LANGUAGES),
    ):
        if given.get(name):
            found.append(line(label=label, value=said.get(given[name], given[name])))
    if given.get("at"):
        found.append(line(label="Le", value=pages.day(str(given["at"]))))
    if given.get("text_version"):
        found.append(line(label="Texte lu", value=f"version du {given['text_version']}"))
    also = [label for name, label in request_form.SHARED_LABELS.items() if given.get(name)]
    if also:
        found.append(line(label="Accepte aussi", value="\n".join(also)))
    return found
