"""P3 to P5 over many searches at once: what a digest, a single mail and a list's mail may say, and to whom.

Histories are drawn from a seed: launches at any pace, answers, pauses, withdrawals, hours that pass. Every
search is announced differently and its record is full of words that are nobody else's.
"""

import random
import re
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from tests.acceptance.api_world import request
from tests.acceptance.house import OFFICE, House

LINK = re.compile(r"/r#([A-Za-z0-9_-]+)")
QUARTIERS = ("Minguettes", "Centre", "Parilly", "Moulin-à-Vent", "Charréard")


def planted(number: int) -> tuple[dict[str, Any], list[str]]:
    """A record with words of its own, and these words as somebody might read them."""
    mark = f"{chr(97 + number % 26)}{chr(97 + number // 26)}"
    words = {
        "birth_name": f"Vx{mark}nom",
        "first_names": f"Vx{mark}prenom",
        "nir": f"2580369382{number:03d}78",
        "phone": f"06 39 98 7{number // 10} {number % 10}{number % 10}",
        "nationality": f"vx{mark}aise",
        "difficulty": f"Vx{mark} difficile",
        "care_needed": f"vx{mark} soins",
        "social": f"vx{mark} sociale",
        "treatments": f"vx{mark} traitement",
    }
    record = {**request()["record"], **words, "birth_date": f"{1930 + 5 * (number % 14)}-03-02"}
    record["address"] = {**record["address"], "line": f"3 rue Vx{mark}"}
    return record, [*words.values(), f"rue Vx{mark}"]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", [1, 2])
async def test_each_mail_tells_of_its_own_searches_and_each_search_is_told_once(
    small_house: House, seed: int
) -> None:
    house, draw = small_house, random.Random(seed)
    listed = (await house.doctors()).values()
    doctor = next(
        d
        for d in listed
        if d["member"] and d["zone"] == "territoire" and d.get("email") and not d.get("delegate_email")
    )
    only = [{"kind": "prefer", "value": [doctor["id"]], "hard": True}]
    secrets: list[str] = []
    searches: dict[str, str] = {}
    answered: dict[str, int] = {}
    agreed: set[str] = set()
    for number in range(12):
        record, words = planted(number)
        secrets += words
        place = QUARTIERS[number % len(QUARTIERS)]
        search = await house.ready(record=record, place=place, wishes=only)
        await house.do(search, "launch")
        searches[search] = (await house.see(search))["announcement"]["text"].split(" (")[0]
        await house.later(minutes=draw.choice([0, 1, 5, 40]))
        # The links that he has by now, and what he makes of one of them.
        here = [token for mail in house.catcher.to(doctor["email"]) for token in LINK.findall(mail.text)]
        unsaid = [token for token in dict.fromkeys(here) if token not in answered]
        if unsaid and draw.random() < 0.4:
            token = draw.choice(unsaid)
            await house.post(None, "/links/open", {"token": token})
            house.clock.at += timedelta(seconds=10)
            said = draw.choice(["no", "no", "yes"])
            await house.answer(token, said)
            agreed |= {token} if said == "yes" else set()
            answered[token] = len(house.catcher.to(doctor["email"]))
        elif draw.random() < 0.2:
            await house.do(draw.choice(list(searches)), "withdraw", reason="left")
    await house.later(minutes=40)
    await house.advance(days=3)
    mails = house.catcher.to(doctor["email"])
    times: Counter[str] = Counter()
    digests = 0
    for position, mail in enumerate(mails):
        own = list(dict.fromkeys(LINK.findall(mail.text)))
        digests += len(own) > 1
        times.update(own)
        for token in own:
            # Nothing more is said of a search to which he answered (P5), but whether his yes still holds.
            asked_again = token in agreed and "votre oui tient-il toujours" in mail.subject
            assert asked_again or position < answered.get(token, len(mails)) or token not in answered
        parts = mail.text + mail.subject + (mail.html or "")
        assert not [word for word in secrets if word.lower() in parts.lower()]
        # As many announcements as links, and no other search's words.
        told = [line for line in set(searches.values()) if line in mail.text]
        assert len(told) <= len(own)
    assert digests
    assert max(times.values()) <= 2
    assert len(times) <= len(searches)


async def test_a_lists_mail_says_a_count_and_a_place_and_nothing_of_anybody(small_house: House) -> None:
    house = small_house
    secrets: list[str] = []
    for number in range(4):
        record, words = planted(number)
        secrets += words
        await house.ready(record=record, place=QUARTIERS[number], origin="Cabinet des Tilleuls")
    (found,) = (await house.get(OFFICE, "/lists"))["items"]
    await house.post(OFFICE, f"/lists/{found['id']}/ask")
    await house.work()
    said = [mail for mail in house.catcher.messages() if "/places#" in mail.text]
    assert said
    for mail in said:
        parts = (mail.text + mail.subject + (mail.html or "")).lower()
        assert not [word for word in (*secrets, "tilleuls", *QUARTIERS[:1]) if word.lower() in parts]
        assert not re.search(r"\d+ à \d+ ans", parts)
    # The same words to everybody, whatever each patient wished: comparing tells nothing.
    bodies = {re.sub(r"Dr [^\n,]+|/(?:places|mes-reponses)#[A-Za-z0-9_-]+", "", mail.text) for mail in said}
    assert len(bodies) == 1
