"""What the relay does with a mail, over real connections, and what is made of it."""

import asyncio
import socket
import ssl

import pytest

from config.settings import Relay
from messaging import smtp
from messaging.letters import Message
from messaging.retry import Failure
from messaging.smtp import Delivery, Pool
from tests.integration.relay import Catcher, certificate, listening


def mail(name="ok", number=1):
    raw = f"Subject: x\r\nMessage-ID: <{number}@x.example>\r\n\r\n.dot\r\nbody\r\n".encode()
    return Message(sender="bounces@x.example", recipient=f"{name}@y.example", raw=raw)


@pytest.fixture
async def catcher():
    async with listening(Catcher()) as catcher:
        yield catcher


@pytest.fixture
async def pool(catcher):
    pool = Pool(catcher.relay())
    yield pool
    await pool.close()


async def test_a_mail_that_is_taken_over_arrives_as_it_was(catcher, pool):
    assert await pool.send(mail(), within=5) == Delivery(failure=None, detail="250")
    ((sender, recipient, arrived),) = catcher.mails
    assert (sender, recipient) == ("bounces@x.example", "ok@y.example")
    assert arrived.get_payload() == ".dot\r\nbody\r\n"


async def test_one_connection_carries_many_mails(catcher, pool):
    for number in range(5):
        assert (await pool.send(mail(number=number), within=5)).failure is None
    assert catcher.connections == 1


async def test_mails_go_out_side_by_side_on_so_many_connections_at_most(catcher):
    pool = Pool(catcher.relay(connections=3))
    results = await asyncio.gather(*(pool.send(mail(number=n), within=5) for n in range(20)))
    await pool.close()
    assert {one.failure for one in results} == {None}
    assert len(set(catcher.message_ids())) == 20
    assert catcher.connections <= 3


async def test_a_connection_is_renewed_before_the_relay_tires_of_it(catcher, pool):
    for number in range(101):
        await pool.send(mail(number=number), within=5)
    assert catcher.connections == 2


async def test_what_was_taken_stays_taken_though_the_relay_does_not_let_go(catcher, pool, monkeypatch):
    monkeypatch.setattr(smtp, "_MAILS_PER_CONNECTION", 1)
    catcher.clings = True
    assert await pool.send(mail(), within=1) == Delivery(failure=None, detail="250")


@pytest.mark.parametrize(
    ("name", "failure", "detail"),
    [
        ("never", Failure.PERMANENT, "550 5.1.1"),
        ("denied", Failure.DEFERRED, "554 5.7.1"),
        ("relaying", Failure.DEFERRED, "550"),
        ("log-in", Failure.DEFERRED, "530"),
        ("policy", Failure.DEFERRED, "550 5.7.1"),
        ("later", Failure.DEFERRED, "451 4.7.1"),
        ("too-big", Failure.PERMANENT, "552 5.3.4"),
        ("full", Failure.DEFERRED, "452 4.2.2"),
        ("odd", Failure.AMBIGUOUS, "299"),
        ("cut", Failure.CONNECTION, "connection"),
        ("lost", Failure.AMBIGUOUS, "connection"),
    ],
)
async def test_each_failure_has_its_meaning_and_keeps_no_other_mail_back(
    catcher, pool, name, failure, detail
):
    assert await pool.send(mail(name), within=5) == Delivery(failure=failure, detail=detail)
    assert (await pool.send(mail(), within=5)).failure is None


async def test_a_refused_mail_does_not_cost_the_connection(catcher, pool):
    for name in ("never", "later", "full", "ok"):
        await pool.send(mail(name), within=5)
    assert catcher.connections == 1


@pytest.mark.parametrize(("name", "failure"), [("slow", Failure.CONNECTION), ("stuck", Failure.AMBIGUOUS)])
async def test_a_relay_that_takes_too_long_is_left(catcher, pool, name, failure):
    assert await pool.send(mail(name), within=0.2) == Delivery(failure=failure, detail="timeout")
    assert (await pool.send(mail(), within=5)).failure is None
    assert catcher.connections == 2


async def test_waiting_for_a_free_connection_counts_as_waiting(catcher):
    pool = Pool(catcher.relay(connections=1))
    first = asyncio.create_task(pool.send(mail("slow"), within=0.4))
    await asyncio.sleep(0)
    assert await pool.send(mail(), within=0.1) == Delivery(failure=Failure.CONNECTION, detail="timeout")
    await first
    await pool.close()


async def test_a_kept_connection_that_the_relay_left_is_replaced(catcher, pool):
    await pool.send(mail(number=1), within=5)
    catcher.cut_idle = True
    assert (await pool.send(mail(number=2), within=5)).failure is None
    assert catcher.connections == 2


async def test_a_relay_that_is_away_is_a_reason_to_wait(pool):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        away = Pool(Relay.parse(f"smtp://127.0.0.1:{free.getsockname()[1]}"))
        assert await away.send(mail(), within=5) == Delivery(failure=Failure.UNREACHED, detail="connection")


async def test_a_relay_that_refuses_us_lets_no_mail_die(catcher, pool):
    catcher.greeting = "550 5.7.1 not you"
    assert await pool.send(mail(), within=5) == Delivery(failure=Failure.DEFERRED, detail="550 5.7.1")
    catcher.greeting = ""
    assert (await pool.send(mail(), within=5)).failure is None


async def test_a_probe_says_whether_the_relay_is_there_and_leaves_a_connection(catcher, pool):
    assert await pool.probe(within=5)
    assert (await pool.send(mail(), within=5)).failure is None
    assert catcher.connections == 1
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        away = Pool(Relay.parse(f"smtp://127.0.0.1:{free.getsockname()[1]}"))
        assert not await away.probe(within=5)


async def test_in_a_hurry_a_slow_relay_is_left_earlier(catcher, pool):
    slow = asyncio.create_task(pool.send(mail("slow"), within=30))
    await asyncio.sleep(0)
    pool.hurry(0.2)
    async with asyncio.timeout(10):
        assert await slow == Delivery(failure=Failure.CONNECTION, detail="timeout")
        assert (await pool.send(mail("slow"), within=30)).detail == "timeout"


async def test_closing_survives_a_relay_that_is_gone():
    async with listening(Catcher()) as catcher:
        pool = Pool(catcher.relay())
        await pool.send(mail(), within=5)
        catcher.cut_idle = True
        pool._idle[0].client.close()
    await pool.close()
    assert pool._idle == []


async def test_tls_from_the_first_byte(tmp_path):
    context, authority = certificate(tmp_path)
    async with listening(Catcher(), tls=context) as catcher:
        pool = Pool(catcher.relay("smtps", authorities=authority))
        assert (await pool.send(mail(), within=5)).failure is None
        await pool.close()


async def test_the_relay_may_ask_for_our_certificate(tmp_path):
    context, authority = certificate(tmp_path)
    ours = tmp_path / "ours"
    ours.mkdir()
    _, our_authority = certificate(ours)
    context.load_verify_locations(our_authority)
    context.verify_mode = ssl.CERT_REQUIRED
    async with listening(Catcher(), tls=context) as catcher:
        unknown = Pool(catcher.relay("smtps", authorities=authority))
        assert (await unknown.send(mail(), within=5)).failure is Failure.UNREACHED
        known = Pool(catcher.relay("smtps", authorities=authority, certificate=ours / "server.pem"))
        assert (await known.send(mail(), within=5)).failure is None
        await known.close()


async def test_starttls_with_a_log_in(tmp_path):
    context, authority = certificate(tmp_path)
    async with listening(Catcher(), starttls=context) as catcher:
        pool = Pool(catcher.relay("smtp+starttls", "us%40er:right@", authorities=authority))
        assert (await pool.send(mail(), within=5)).failure is None
        assert catcher.logins == [(b"us@er", b"right")]
        await pool.close()


async def test_a_wrong_password_is_for_the_operator_to_mend_and_kills_no_mail(tmp_path):
    context, authority = certificate(tmp_path)
    async with listening(Catcher(), starttls=context) as catcher:
        pool = Pool(catcher.relay("smtp+starttls", "user:wrong@", authorities=authority))
        sent = await pool.send(mail(), within=5)
        assert (sent.failure, sent.detail[:3]) == (Failure.UNREACHED, "535")
        assert catcher.mails == []


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
async def test_nothing_is_sent_in_clear_where_tls_was_asked_for(catcher, scheme):
    pool = Pool(catcher.relay(scheme))
    assert (await pool.send(mail(), within=5)).failure is Failure.UNREACHED
    assert catcher.mails == []


async def test_an_unknown_certificate_is_not_trusted(tmp_path):
    context, _ = certificate(tmp_path)
    async with listening(Catcher(), tls=context) as catcher:
        pool = Pool(catcher.relay("smtps"))
        assert (await pool.send(mail(), within=5)).failure is Failure.UNREACHED
        assert catcher.mails == []
