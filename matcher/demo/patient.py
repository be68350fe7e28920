"""A made-up patient whose every value can be recognised wherever it turns up.

Each field of the bulletin is filled. A *canary* is a word, number or date that occurs in this record and
nowhere else in the project; where a field has a closed list (coverage, housing …) it is the French word
that a leak would be told by.
"""

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any

#: A page that says nothing but its own name.
_PDF = (
    b"%PDF-1.4\n% ordonnance-ottoman\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)


@dataclass(frozen=True, kw_only=True)
class Canary:
    """What to look for, and in which field it was planted."""

    field: str
    #: Any of these gives the field away.
    forms: tuple[str, ...]


def _nir(born: int, rest: str) -> str:
    """A number with its right key: 2 for a woman, the year, month, birthplace and order as given."""
    number = f"2{born % 100:02d}{rest}"
    return f"{number}{97 - int(number) % 97:02d}"


def request(now: datetime) -> dict[str, Any]:
    """The body that the PASS submits: one person of 67, alone, every other field of the record filled."""
    return {
        "record": {
            "birth_name": "Zinzolin",
            "first_names": "Percaline Organdine",
            "used_name": "Madapolam",
            "sex": "F",
            "birth_date": f"{now.year - 67}-01-17",
            "birth_place": "Moroni-Jaconas",
            "nir": _nir(now.year - 67, "0199397008"),
            "phone": "06 39 98 41 73",
            "phone2": "05 36 49 27 86",
            "email": "percaline.madapolam@courrier-nansouk.example",
            "reach_via": "relative",
            "safe_contact": {
                "message": False,
                "sms": True,
                "who": "sa nièce Bombasine",
                "language": "shikomori",
            },
            "address": {
                "line": "14 allée des Tarlatanes, escalier Droguet",
                "postcode": "69200",
                "city": "Vénissieux",
                "insee": "69259",
            },
            "housing": "hosted",
            "contact": {
                "name": "Levantine Chambray",
                "phone": "06 39 98 55 02",
                "relation": "petite-cousine",
            },
            "language": "shimaore",
            "interpreter": True,
            "nationality": "comorienne",
            "coverage": "c2s",
            "rights_opened_on": "2019-02-27",
            "ald": "yes",
            "pregnancy": "no",
            "discharge_on": "2018-08-29",
            "difficulty": "Essoufflement depuis la mousson, dit-elle : dyspnée-satinette.",
            "care_needed": "Renouvellement du traitement et suivi d’une barégine chronique.",
            "social": "Hébergée par sa nièce, ressources crépon, courrier perdu.",
            "treatments": ["Cretonnine 20 mg", "Ratinol 75 mg"],
            "referring": {
                "name": "Dr Popeline Batavia",
                "service": "PASS, pavillon Gabardine",
                "phone": "04 65 71 90 17",
            },
            "screening": {
                "emergency_stay": "yes",
                "severe_conditions": "no",
                "restricted_mobility": "yes",
                "cognitive_mood": "unknown",
                "social_economic": "yes",
                "access_to_care": "yes",
            },
            "attachments": [
                {
                    "name": "ordonnance-ottoman.pdf",
                    "media_type": "application/pdf",
                    "content": base64.b64encode(_PDF).decode(),
                }
            ],
        },
        "wishes": [
            {"kind": "sector1", "value": True, "hard": True},
            {"kind": "doctor_sex", "value": "F", "hard": False},
        ],
        "consent": {
            "given": "yes",
            "at": now.isoformat(timespec="seconds"),
            "by": "patient",
            "how": "oral",
            "text_version": "2026-1",
            "language": "shimaore",
            "nationality_shared": True,
            "outcome_shared": True,
        },
        "conditions": [],
        "place": "Parilly",
        "urgent": False,
        "choice": "patient_chooses",
        "speaks_to_patient": "coordinatrice",
    }


def family(now: datetime) -> dict[str, Any]:
    """A household's request, for the one field that a person alone leaves empty."""
    body = request(now)
    body["record"] |= {
        "birth_name": "Zéphirin",
        "first_names": "Mousseline",
        "used_name": "Zéphirin",
        "birth_date": f"{now.year - 34}-05-13",
        "nir": _nir(now.year - 34, "0569259004"),
        "phone": "06 39 98 62 11",
        "email": "mousseline.zephirin@courrier-nansouk.example",
        "household": [{"birth_date": "2019-04-13", "relation": "fils, Tussor"}],
    }
    body["place"] = "Minguettes"
    return body


def canaries(now: datetime) -> tuple[Canary, ...]:
    """What neither a mail, nor a log, nor the database may show of the two requests."""
    birth, mothers = now.year - 67, now.year - 34
    nir, hers = _nir(birth, "0199397008"), _nir(mothers, "0569259004")
    planted: dict[str, tuple[str, ...]] = {
        "birth_name": ("Zinzolin", "Zéphirin"),
        "first_names": ("Percaline", "Organdine", "Mousseline"),
        "used_name": ("Madapolam",),
        "birth_date": (f"{birth}-01-17", f"17/01/{birth}", f"17 janvier {birth}", f"{mothers}-05-13"),
        "birth_place": ("Moroni", "Jaconas"),
        "nir": (nir, nir[:13], hers, hers[:13]),
        "phone": ("06 39 98 41 73", "0639984173", "639984173", "06 39 98 62 11", "0639986211"),
        "phone2": ("05 36 49 27 86", "0536492786", "536492786"),
        "email": ("nansouk", "percaline.madapolam"),
        "safe_contact": ("Bombasine", "shikomori"),
        "address": ("Tarlatanes", "Droguet"),
        "contact": ("Levantine", "Chambray", "06 39 98 55 02", "0639985502", "petite-cousine"),
        "language": ("shimaore",),
        "nationality": ("comorienne",),
        "rights_opened_on": ("2019-02-27", "27/02/2019"),
        "discharge_on": ("2018-08-29", "29/08/2018"),
        "difficulty": ("Essoufflement", "mousson", "dyspnée-satinette"),
        "care_needed": ("Renouvellement du traitement", "barégine"),
        "social": ("Hébergée", "crépon"),
        "treatments": ("Cretonnine", "Ratinol"),
        "referring": ("Popeline", "Batavia", "Gabardine", "04 65 71 90 17", "0465719017"),
        "household": ("2019-04-13", "Tussor"),
        "attachments": ("ottoman", base64.b64encode(_PDF).decode()[:60]),
    }
    return tuple(Canary(field=field, forms=forms) for field, forms in planted.items())


def telling_words() -> tuple[Canary, ...]:
    """Words that would tell a doctor, before release, what a closed list holds, or who sent the request."""
    words: dict[str, tuple[str, ...]] = {
        "sex": ("Madame", "Mme", "patiente", "une femme"),
        "housing": ("hébergé", "hosted"),
        "interpreter": ("interprète", "interprétariat"),
        "coverage": ("c2s", "complémentaire santé"),
        "ald": ("ald", "longue durée"),
        "pregnancy": ("enceinte", "grossesse"),
        "reach_via": ("nièce", "relative"),
        "screening": ("précaire", "précarité", "isolée"),
        "requester": ("PASS", "hôpital", "Trois-Érables"),
    }
    return tuple(Canary(field=field, forms=forms) for field, forms in words.items())
