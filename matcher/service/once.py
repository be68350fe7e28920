"""Idempotency-Key: a POST that creates, sent twice, creates once and answers the same."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from matcher.service.actors import Actor
from matcher.service.errors import Conflict
from matcher.service.house import House
from matcher.storage import idempotency


async def begin(
    session: AsyncSession, house: House, actor: Actor, key: str | None, sent: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The first answer to this key, None where there is none yet. Raises Conflict for another body."""
    if key is None:
        return None
    # The body may hold a record: only a keyed hash of it is compared.
    canonical = json.dumps(sent, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    asked = house.vault.hmac_term(actor.territory, f"request:{canonical}")
    kept = await idempotency.begin(session, actor.territory, actor.id, _hash(key), asked, house.now())
    if kept is None:
        return None
    if kept.request_hash != asked:
        raise Conflict("idempotency_key_reused", "Cette Idempotency-Key a déjà servi pour une autre demande.")
    return kept.response


async def end(session: AsyncSession, actor: Actor, key: str | None, answer: Mapping[str, Any]) -> None:
    """Keep the answer, in the transaction that created the thing."""
    if key is not None:
        # As JSON says it: a day is its text, the first time and the next.
        told = json.loads(json.dumps(answer, default=str))
        await idempotency.end(session, actor.territory, actor.id, _hash(key), told)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
