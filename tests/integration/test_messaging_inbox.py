"""The door for what comes back by mail takes what is ours, for good or not at all, and little else."""

import asyncio
import contextlib
from collections import Counter
from contextlib import asynccontextmanager

import pytest

from config.inbox import Inbox
from messaging import inbox
from messaging.inbox import Door

OURS = "ours@retour.example"


class Mailroom:
    """A door, and what came through it."""

    def __init__(self, where=None, *, take=None):
        self.counts = Counter()
        self.taken = []
        self.where = where or Inbox(host="127.0.0.1")
        self.door = Door(
            known=lambda address: address.endswith("@retour.example"),
            take=take or self.keep,
            counts=self.counts,
            within=0.2,
        )

    async def keep(self, mail):
        self.taken.append(mail)

    @asynccontextmanager
    async def talking(self):
        """A conversation that has said its name, and how to say more."""
        async with self.door.listening(self.where) as port:
            if self.where.path is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            else:
                reader, writer = await asyncio.open_unix_connection(self.where.path)

            async def say(line):
                writer.write(f"{line}\r\n".encode())
                while (said := await reader.readline())[3:4] == b"-":
                    pass
                return said.decode().strip()

            assert (await reader.readline()).startswith(b"220")
            await say("LHLO mx.example")
            yield say
            writer.close()


@asynccontextmanager
async def connected(port):
    """A connection without a word."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    yield reader, writer
    writer.close()


async def test_a_transaction_has_one_recipient_and_that_one_is_ours():
    room = Mailroom()
    async with room.talking() as say:
        await say("MAIL FROM:<>")
        assert (await say("RCPT TO:<somebody@else.example>")).startswith("550")
        assert (await say(f"RCPT TO:<{OURS}>")).startswith("250")
        assert (await say("RCPT TO:<other@retour.example>")).startswith("452")
        assert (await say("DATA")).startswith("354")
        assert (await say("Subject: x\r\n\r\noui\r\n.")).startswith("250")
    assert [(mail.recipient, mail.no_sender) for mail in room.taken] == [(OURS, True)]
    assert room.counts == {"refused": 1, "taken": 1}


async def never(_mail):
    await asyncio.Event().wait()


async def fails(_mail):
    raise OSError("the disk is full")


@pytest.mark.parametrize("take", [never, fails])
async def test_a_mail_that_cannot_be_taken_in_stays_with_the_mail_server(take):
    room = Mailroom(take=take)
    async with room.talking() as say:
        await say("MAIL FROM:<dr@cabinet.example>")
        await say(f"RCPT TO:<{OURS}>")
        await say("DATA")
        assert (await say("Subject: x\r\n\r\noui\r\n.")).startswith("451")
    assert room.counts == {"deferred": 1}


async def test_a_socket_is_a_door_too_for_the_mail_server_s_group(tmp_path):
    room = Mailroom(Inbox(path=tmp_path / "inbox.sock"))
    async with room.talking() as say:
        assert room.where.path.stat().st_mode & 0o777 == 0o660
        assert (await say("NOOP")).startswith("250")


async def test_a_stranger_is_turned_away(monkeypatch):
    monkeypatch.setattr(Inbox, "admits", lambda self, peer: False)
    room = Mailroom()
    async with room.door.listening(room.where) as port, connected(port) as (reader, _):
        with contextlib.suppress(ConnectionError):
            assert not (await reader.read()).startswith(b"220")
    assert room.counts == {"turned_away": 1}


async def test_there_is_room_for_so_many_conversations_and_again_once_one_is_over(monkeypatch):
    monkeypatch.setattr(inbox, "MOST_CONNECTIONS", 1)
    room = Mailroom()
    async with room.door.listening(room.where) as port:
        async with connected(port) as (reader, writer), connected(port) as (refused, _):
            assert (await reader.readline()).startswith(b"220")
            assert (await refused.readline()).startswith(b"421")
            writer.write(b"QUIT\r\n")
            await reader.read()
        async with asyncio.timeout(10):
            greeting = b""
            while not greeting.startswith(b"220"):
                async with connected(port) as (again, _):
                    greeting = await again.readline()
    assert room.counts["turned_away"] >= 1


async def test_at_the_end_nobody_is_left_talking():
    room = Mailroom()
    async with asyncio.timeout(10):
        async with room.door.listening(room.where) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await reader.readline()
        assert await reader.read() == b""
        writer.close()
