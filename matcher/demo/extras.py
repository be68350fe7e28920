"""More made-up searches in different states, so that the visited bureau is not empty."""

from datetime import UTC, datetime
from typing import Any

from matcher.demo import patient
from matcher.demo.api import Api

#: Name, first name, birth year, place, and how far the search has come.
_PEOPLE = (
    ("Cachemire", "Ondine", 1953, "Minguettes", "calling"),
    ("Velours", "Anselme", 1988, "Moulin-à-Vent", "proposing"),
    ("Shantung", "Ysaline", 1971, "Centre", "asking"),
    ("Percale", "Théodule", 1946, "Parilly", "ready"),
    ("Alpaga", "Sidonie", 2001, "Minguettes", "submitted"),
    ("Futaine", "Barthélemy", 1964, "Centre", "submitted"),
    ("Linon", "Capucin", 1979, "Parilly", "returned"),
    ("Guipure", "Léopoldine", 1937, "Moulin-à-Vent", "draft"),
)


async def fill(requester: Api, office: Api) -> None:
    """Submit each, and take it as far as it should be found."""
    for name, first_names, born, place, state in _PEOPLE:
        body = _body(name, first_names, born, place)
        made = await requester.post("/searches", body | {"draft": state == "draft"}, expect=201)
        await _advance(office, made["id"], state)


async def _advance(office: Api, search: str, state: str) -> None:
    if state == "returned":
        await office.post(f"/searches/{search}/return", {"missing": ["record.phone"]})
    if state in ("draft", "submitted", "returned"):
        return
    await office.post(f"/searches/{search}/validate")
    if state == "ready":
        return
    await office.post(f"/searches/{search}/launch")
    if state == "asking":
        return
    await office.post(f"/searches/{search}/calls/start")
    if state == "proposing":
        to_phone = (await office.get(f"/searches/{search}/calls"))["items"]
        await office.post(
            f"/searches/{search}/calls",
            {"doctor_id": to_phone[0]["doctor"]["id"], "outcome": "yes", "spoke_with": "doctor"},
        )


def _body(name: str, first_names: str, born: int, place: str) -> dict[str, Any]:
    body = patient.request(datetime.now(UTC))
    record = body["record"]
    for field in ("used_name", "nir", "phone2", "email", "attachments", "discharge_on"):
        del record[field]
    record |= {
        "birth_name": name,
        "first_names": first_names,
        "birth_date": str(born),
        "phone": f"06 39 98 {born % 100:02d} {len(name):02d}",
    }
    return body | {"place": place}
