"""Who saw which record, and why: on the directrice's page, and in what a patient may ask for (P8)."""

from matcher.service.actors import Role
from tests.acceptance.house import OFFICE, House


async def _seen(house: House) -> tuple[str, dict]:
    """A search whose record the office opened for a reason, and then its chosen doctor with the code."""
    search, doctors = await house.released()
    await house.get(OFFICE, f"/searches/{search}/record?purpose=proposal")
    code = (await house.see(search))["release"]["code"]
    token = house.token(doctors[0]["email"], "dossier")
    await house.post(None, "/links/record", {"token": token, "code": code})
    return search, doctors[0]


async def test_a_patient_learns_who_saw_the_record_and_why_over_every_request_for_her(house: House) -> None:
    other = await house.submitted(who="requester2")
    await house.get(OFFICE, f"/searches/{other}/record?purpose=complete")
    search, doctor = await _seen(house)
    await house.do(search, "join", search=other)
    told = await house.get(OFFICE, f"/searches/{search}/accesses")
    said = [(one["what"], one["role"], one.get("why"), one.get("doctor")) for one in told["items"]]
    assert said == [
        ("open_record_staff", "coordinatrice", "complete", None),
        ("choose", "coordinatrice", None, doctor["name"]),
        ("open_record_staff", "coordinatrice", "proposal", None),
        ("open_record", "doctor", "care", doctor["name"]),
    ]
    assert {one["reference"] for one in told["items"]} == {
        (await house.see(one))["reference"] for one in (search, other)
    }


async def test_the_directrice_reads_who_opened_what_and_the_document_says_it_without_a_record(
    house: House,
) -> None:
    search, doctor = await _seen(house)
    reference = (await house.see(search))["reference"]
    await house.login(Role.DIRECTRICE)
    page = await (await house.client.get("/journal/fiches")).text()
    assert page.count(reference) == 2
    assert "présenter une proposition" in page
    assert doctor["name"] in page
    unknown = await house.client.get("/journal/fiches?reference=VEN-99-9999")
    assert unknown.status == 404
    assert "Aucune recherche ne porte cette référence" in await unknown.text()
    read = await (await house.client.get(f"/recherches/{search}/acces")).text()
    assert "fiche ouverte avec son code" in read
    given = await house.client.get(f"/recherches/{search}/acces.pdf")
    document = await given.read()
    assert (given.content_type, document[:5]) == ("application/pdf", b"%PDF-")
    assert "Aubépine" not in page + read


async def test_a_long_list_of_openings_goes_on_where_the_page_ends(house: House) -> None:
    search = await house.submitted()
    for _ in range(51):
        await house.get(OFFICE, f"/searches/{search}/record?purpose=contact")
    await house.login(Role.DIRECTRICE)
    first = await (await house.client.get("/journal/fiches")).text()
    assert first.count("joindre la personne") == 50
    after = first.split("/journal/fiches?after=")[1].split("&")[0]
    rest = await (await house.client.get(f"/journal/fiches?after={after}")).text()
    assert rest.count("joindre la personne") == 1
