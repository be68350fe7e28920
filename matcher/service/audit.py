"""Whether the journal still is what was written (P8).

The end of each journal is signed and kept beside the keys, outside the database: whoever rewrites a whole
chain, or cuts its end, contradicts what was signed.
"""

import json
from base64 import b64decode, b64encode
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from matcher.service.house import House
from matcher.storage import journal_chain
from matcher.storage.journal_chain import Broken, Check, SignedHead
from messaging.keyring import KeyAbsent

#: One signed head a line, oldest first. Copies kept elsewhere tell more: this one lies with the keys.
HEADS = "journal-heads.jsonl"


async def verify_journal(house: House) -> Broken | None:
    """Walk every territory's chain, signatures of sealed months and the last signed heads included.

    None where all of it holds; its end is then signed anew. Where the signing key is not in the key
    folder the signatures are left unchecked, the chain is not.
    """
    try:
        key = house.keyring.journal()
    except KeyAbsent:
        key = None
    heads = {head.territory: head for head in _kept(house)}
    async with house.sessions.begin() as session:
        broken = await journal_chain.verify(
            session, heads=list(heads.values()), check=None if key is None else _check(key)
        )
        if broken is None and key is not None:
            for territory in house.territories:
                head = await journal_chain.signed_head(session, territory, house.now(), key.sign)
                known = heads.get(territory)
                if head is not None and (known is None or known.seq < head.seq):
                    _keep(house, head)
    return broken


def _check(key: Ed25519PrivateKey) -> Check:
    public = key.public_key()

    def holds(message: bytes, signature: bytes) -> bool:
        try:
            public.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return holds


def _kept(house: House) -> list[SignedHead]:
    path = house.keyring.folder / HEADS
    lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    return [
        SignedHead(
            territory=kept["territory"],
            seq=kept["seq"],
            hash=kept["hash"],
            at=datetime.fromisoformat(kept["at"]),
            signature=b64decode(kept["signature"]),
        )
        for kept in map(json.loads, lines)
    ]


def _keep(house: House, head: SignedHead) -> None:
    line = {
        "territory": head.territory,
        "seq": head.seq,
        "hash": head.hash,
        "at": head.at.isoformat(),
        "signature": b64encode(head.signature).decode(),
    }
    with (house.keyring.folder / HEADS).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
