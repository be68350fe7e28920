"""What a person may ask of the office about what is kept of her, and what some of the staff never read."""

from matcher.service.actors import Role
from tests.acceptance.house import OFFICE, House, request


async def test_a_secretaire_reads_the_class_of_a_priority_and_never_what_it_tells_of_health(
    small_house: House,
) -> None:
    house = small_house
    search = await house.submitted(record=request()["record"] | {"ald": "yes", "pregnancy": "yes"})
    told = (await house.see(search))["priority"]
    assert len(told["reasons"]) == 2
    told_to = {
        "one": (await house.see(search, "secretaire"))["priority"],
        "list": (await house.get("secretaire", "/searches"))["items"][0]["priority"],
    }
    assert told_to == {"one": {"level": told["level"]}, "list": {"level": told["level"]}}
    assert (await house.get(OFFICE, "/searches"))["items"][0]["priority"] == told
    for role, reads in ((Role.COORDINATRICE, True), (Role.SECRETAIRE, False)):
        await house.login(role)
        pages = [await (await house.client.get(path)).text() for path in ("/recherches", "/bureau")]
        page = await (await house.client.get(f"/recherches/{search}")).text()
        assert (told["reasons"][0] in page) is reads
        assert told["reasons"][0] not in "".join(pages)


async def test_the_list_of_who_saw_a_record_leaves_the_house_after_a_fresh_confirmation_only(
    small_house: House,
) -> None:
    house = small_house
    search = await house.submitted()
    await house.login(Role.DIRECTRICE)
    assert (await house.client.get(f"/recherches/{search}/acces.pdf")).content_type == "application/pdf"
    await house.later(minutes=31)
    asked = await house.client.get(f"/recherches/{search}/acces.pdf")
    assert (asked.status, asked.content_type) == (401, "text/html")
    page = await asked.text()
    token = page.split('name="csrf" value="')[1].split('"')[0]
    form = {"csrf": token, "suite": f"/recherches/{search}/acces.pdf", "password": "une phrase assez longue"}
    given = await house.client.post("/confirmer", data=form)
    assert (given.status, given.content_type) == (200, "application/pdf")
