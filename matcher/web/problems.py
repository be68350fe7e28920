"""What is said when something cannot be done: RFC 9457 problems for the API, a page for people.

Nothing of an input is ever repeated in an answer but the names of its fields: a rejected value may
be a patient's. Unexpected errors say that there was one, and nothing else.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus

from aiohttp import web
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from matcher.protocol.moves import Refused
from matcher.service.errors import (
    BadLink,
    Conflict,
    Forbidden,
    Invalid,
    Locked,
    NotFound,
    NotProven,
    Over,
    ServiceError,
    TooMany,
    WrongCode,
)

MEDIA_TYPE = "application/problem+json"

#: Status → title and sentence, for a person.
WORDS: Mapping[int, tuple[str, str]] = {
    400: ("Demande incorrecte", "Certains champs sont à corriger."),
    401: ("Identification nécessaire", "Une clé d’accès valable est nécessaire."),
    403: ("Accès refusé", "Votre rôle ne permet pas cette action."),
    404: ("Introuvable", "Il n’y a rien à cette adresse, ou vous n’y avez pas accès."),
    405: ("Méthode non admise", "Cette adresse n’admet pas cette méthode."),
    408: ("Trop lent", "La demande n’est pas arrivée en entier à temps."),
    409: ("Impossible dans cet état", "Cette action n’est pas possible pour l’instant."),
    410: ("C’est terminé", "Cette recherche est terminée : il n’y a plus rien à faire. Merci."),
    413: ("Trop volumineux", "L’envoi dépasse la taille admise."),
    415: ("Format non admis", "Le corps doit être au format application/json."),
    423: ("Lien verrouillé", "Trop de codes erronés : l’équipe de la CPTS doit renouveler le lien."),
    429: ("Trop de demandes", "Merci de patienter un instant avant de recommencer."),
    500: ("Erreur inattendue", "Une erreur est survenue ; rien n’a été perdu. Merci de réessayer."),
    503: ("Indisponible", "Le service est momentanément indisponible."),
}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One refusal, before it becomes JSON or a page."""

    status: int
    detail: str
    #: A word that a program can rely on.
    code: str | None = None
    #: The state of the search that refused.
    state: str | None = None
    #: Dotted field names → a French sentence.
    fields: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """A short French title that depends on the status alone."""
        return _words(self.status)[0]

    def response(self) -> web.Response:
        """As application/problem+json; what is absent is omitted."""
        body: dict[str, object] = {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.code is not None:
            body["code"] = self.code
        if self.state is not None:
            body["state"] = self.state
        if self.fields:
            body["fields"] = dict(self.fields)
        return web.Response(
            text=json.dumps(body, ensure_ascii=False),
            status=self.status,
            headers=self.headers,
            content_type=MEDIA_TYPE,
        )


def _words(status: int) -> tuple[str, str]:
    known = WORDS.get(status)
    if known is None:
        return HTTPStatus(status).phrase, HTTPStatus(status).description
    return known


def plain(status: int, *, code: str | None = None, headers: Mapping[str, str] | None = None) -> Problem:
    """The problem of a status, in its usual words."""
    return Problem(status=status, detail=_words(status)[1], code=code, headers=headers or {})


def of_fields(fields: Mapping[str, str]) -> Problem:
    """Input at fault: which fields, and what is wrong with each."""
    return Problem(status=400, detail=_words(400)[1], code="invalid", fields=fields)


def of_service(error: ServiceError) -> Problem:
    """What a use case refused."""
    match error:
        case Invalid(fields=fields):
            return of_fields(fields)
        case Forbidden():
            return plain(403, code="forbidden")
        case Conflict(code=code, reason=reason):
            return Problem(status=409, detail=reason, code=code)
        case BadLink():
            return Problem(status=404, detail="Ce lien n’est pas valable.", code="bad_link")
        case Over():
            return plain(410, code="over")
        case WrongCode():
            return Problem(
                status=403,
                detail="Ce code n’est pas valable. Vous pouvez en demander un autre.",
                code="wrong_code",
            )
        case NotProven():
            return Problem(
                status=403,
                detail="Pro Santé Connect n’a pas confirmé votre identité. Vous pouvez recommencer.",
                code="not_proven",
            )
        case Locked():
            return plain(423, code="locked")
        case TooMany(retry_after=seconds):
            return plain(429, code="too_many", headers={"Retry-After": str(seconds)})
        case NotFound():
            return plain(404, code="not_found")
        case _:
            return plain(500)


def of_refused(error: Refused) -> Problem:
    """An event that the search does not take now."""
    return Problem(status=409, detail=error.reason, code=error.code, state=error.state.value)


#: The codes of what aiohttp refuses, the same as where we refuse it ourselves.
_CODES: Mapping[int, str] = {401: "unauthenticated", 404: "not_found", 413: "too_large", 415: "media_type"}


def of_http(error: web.HTTPException) -> Problem:
    """An error that aiohttp itself raised; its own headers (Allow …) are kept."""
    kept = {name: error.headers[name] for name in ("Allow", "Retry-After") if name in error.headers}
    return plain(error.status, code=_CODES.get(error.status), headers=kept)


#: The error types of pydantic that have a sentence of their own.
_SENTENCES: Mapping[str, str] = {
    "missing": "Ce champ est obligatoire.",
    "extra_forbidden": "Ce champ n’existe pas.",
    "string_type": "Un texte est attendu.",
    "bool_type": "« true » ou « false » est attendu.",
    "int_type": "Un nombre entier est attendu.",
    "int_from_float": "Un nombre entier est attendu.",
    "float_type": "Un nombre est attendu.",
    "finite_number": "Un nombre est attendu.",
    "list_type": "Une liste est attendue.",
    "tuple_type": "Une liste est attendue.",
    "set_type": "Une liste est attendue.",
    "frozen_set_type": "Une liste est attendue.",
    "dict_type": "Un objet est attendu.",
    "model_type": "Un objet est attendu.",
    "model_attributes_type": "Un objet est attendu.",
    "dataclass_type": "Un objet est attendu.",
    "json_invalid": "Le corps n’est pas du JSON correct.",
    "none_required": "Aucune valeur n’est attendue ici.",
    "string_pattern_mismatch": "Cette forme n’est pas admise.",
    "timezone_aware": "La date et l’heure doivent préciser le fuseau horaire.",
    "date_future": "Une date à venir est attendue.",
}
_BOUNDS: Mapping[str, tuple[str, str]] = {
    "greater_than": ("gt", "La valeur doit dépasser {}."),
    "greater_than_equal": ("ge", "La valeur doit être d’au moins {}."),
    "less_than": ("lt", "La valeur doit rester sous {}."),
    "less_than_equal": ("le", "La valeur doit être d’au plus {}."),
    "string_too_short": ("min_length", "Au moins {} caractères sont attendus."),
    "string_too_long": ("max_length", "Au plus {} caractères sont admis."),
    "too_short": ("min_length", "Au moins {} éléments sont attendus."),
    "too_long": ("max_length", "Au plus {} éléments sont admis."),
    "literal_error": ("expected", "Valeurs possibles : {}."),
    "enum": ("expected", "Valeurs possibles : {}."),
}


def fields_of(error: ValidationError, model: type[BaseModel]) -> dict[str, str]:
    """The fields at fault by dotted name, each with a French sentence, none with a value."""
    known = _names(model)
    found: dict[str, str] = {}
    for one in error.errors(include_url=False, include_input=False):
        kind, where = one["type"], one["loc"]
        # Between the names of fields pydantic writes which branch of a union it tried.
        path = [str(part) for part in where if isinstance(part, int) or part in known]
        if kind == "extra_forbidden":
            path = [*(p for p in path if p != str(where[-1])), str(where[-1])]
        if kind == "null_value":
            for name in one["ctx"]["names"]:
                found.setdefault(".".join((*path, name)), "Omettez ce champ au lieu d’écrire null.")
            continue
        # The first error of a field is the one that its reader can mend; a union repeats itself.
        found.setdefault(".".join(path) or "body", _sentence(one))
    return found


@cache
def _names(model: type[BaseModel]) -> frozenset[str]:
    """Every field's name in ``model`` and the models inside it."""
    schema = model.model_json_schema(by_alias=True)
    parts = (schema, *schema.get("$defs", {}).values())
    return frozenset(name for part in parts for name in part.get("properties", {}))


def _sentence(error: ErrorDetails) -> str:
    kind = error["type"]
    if kind in _SENTENCES:
        return _SENTENCES[kind]
    context = error.get("ctx", {})
    if kind in _BOUNDS:
        name, sentence = _BOUNDS[kind]
        return sentence.format(str(context.get(name, "")).replace(" or ", " ou "))
    if kind == "value_error":
        # The models' own checks raise ValueError with a French sentence that repeats no input.
        return str(context.get("error", ""))
    if kind.startswith("datetime_"):
        return "Une date et une heure sont attendues (AAAA-MM-JJTHH:MM:SS+00:00)."
    if kind.startswith("date_"):
        return "Une date est attendue (AAAA-MM-JJ)."
    return "Cette valeur n’est pas admise."
