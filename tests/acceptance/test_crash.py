"""A service killed in the middle of a wave, again and again, loses no mail and sends none twice."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from tests.acceptance.house import request
from tests.acceptance.processes import SlowRelay, ask, fetched, installed, site, until

METRICS = "cle-de-l-exploitant"


async def waiting(address: str) -> int:
    """How many mails are still to be sent, as the metrics say."""
    lines = (await fetched(f"{address}/metrics", METRICS)).decode().splitlines()
    return int(
        float(next(line for line in lines if line.startswith("trait_union_outbox_waiting ")).split()[1])
    )


@pytest.mark.slow
async def test_a_wave_survives_three_kills_with_one_mail_for_each_of_its_doctors(
    database_url: str, tmp_path: Path
) -> None:
    relay = SlowRelay()
    async with relay.listening() as smtp:
        place = site(
            tmp_path,
            database_url,
            smtp,
            TRAIT_UNION_SMTP_CONNECTIONS="2",
            TRAIT_UNION_METRICS_TOKEN=METRICS,
        )
        key = await installed(place)
        async with place.serving("first") as (_, address):
            searches = f"{address}/api/v1/searches"
            made = await ask(searches, key, request(wishes=[]))
            await ask(f"{searches}/{made['id']}/validate", key, {})
            launched = await ask(f"{searches}/{made['id']}/launch", key, {})
            wave = [s["doctor"]["id"] for s in launched["solicitations"]]
            await until(lambda: len(relay.messages()) >= 2)
        for reached in (6, 11):
            # Time passes until what the dead one had claimed comes back.
            place.clock.shift(place.settings.lease)
            async with place.serving(f"until {reached}"):
                await until(lambda reached=reached: len(relay.announcements()) >= reached)  # type: ignore[misc]
        async with place.serving("last") as (_, address):
            assert await waiting(address) > 0
            place.clock.shift(place.settings.lease + timedelta(minutes=1))
            async with asyncio.timeout(120):
                while await waiting(address):  # noqa: ASYNC110 - see until
                    await asyncio.sleep(0.2)
            seen = await ask(f"{address}/api/v1/searches/{made['id']}", key)
            listed = (await ask(f"{address}/api/v1/doctors", key))["items"]
    assert {s["state"] for s in seen["solicitations"]} == {"asked"}
    received = relay.announcements()
    boxes = {doctor["id"]: doctor["email"] for doctor in listed if doctor["id"] in wave}
    assert len(wave) > 11
    assert set(boxes.values()) <= set(received)
    assert all(len(ids) == 1 for ids in received.values())
