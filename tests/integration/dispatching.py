"""A worker that empties an outbox until it is killed: ``python dispatching.py DATABASE_URL SMTP_PORT``."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

from config.database import make_engine, make_sessions
from config.settings import Relay
from messaging.dispatcher import Dispatcher
from messaging.letters import Mailbox, Rendered, compose
from messaging.smtp import Pool


async def main(url: str, port: str) -> None:
    def letter(row):
        return compose(
            Rendered(subject="x", text="x\n", html="<p>x</p>\n"),
            sender=Mailbox(address="office@cpts.example"),
            recipient=Mailbox(address=f"{row.ids['to']}@doctors.example"),
            return_path="bounces@cpts.example",
            message_id=row.message_id,
            date=row.first_attempt_at,
        )

    async def letters(rows):
        return [letter(row) for row in rows]

    async def told(session, settled, at):
        return None

    dispatcher = Dispatcher(
        sessions=make_sessions(make_engine(url)),
        smtp=Pool(Relay.parse(f"smtp://127.0.0.1:{port}", connections=2)),
        compose=letters,
        on_settled=told,
        now=lambda: datetime.now(UTC),
        lease=timedelta(seconds=1),
    )
    await dispatcher.run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
