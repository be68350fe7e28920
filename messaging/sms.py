"""Short messages over an operator's HTTP gateway: one POST, accepted or not. What it says is the caller's.

The body is ``{"to": "+33639980000", "text": "…"}``, with ``Authorization: Bearer`` where a token is set: what
most French gateways take, or a small relay before them.
"""

import structlog
from aiohttp import ClientError, ClientSession, ClientTimeout

from config.access import SmsGateway

#: Somebody waits on a page for what is being sent.
PATIENCE = ClientTimeout(total=10)
_log = structlog.get_logger(__name__)


class NotSent(Exception):
    """The gateway did not take the message, or did not say so in time."""


async def send(gateway: SmsGateway, number: str, text: str) -> None:
    """Hand one message over; ``number`` in E.164. Raises NotSent, with neither of them in the log."""
    headers = {"Authorization": f"Bearer {gateway.token}"} if gateway.token else {}
    try:
        async with (
            ClientSession(timeout=PATIENCE) as http,
            # A redirection would carry the number to an address that nobody has set.
            http.post(
                gateway.url, json={"to": number, "text": text}, headers=headers, allow_redirects=False
            ) as answer,
        ):
            if 200 <= answer.status < 300:
                return
            why = f"answered {answer.status}"
    except (ClientError, TimeoutError) as problem:
        why = type(problem).__name__
    _log.warning("sms_not_sent", why=why)
    raise NotSent
