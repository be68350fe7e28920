"""Whether the journal still is what was written (P8)."""

from cryptography.exceptions import InvalidSignature

from matcher.service.house import House
from matcher.storage import journal_chain
from matcher.storage.journal_chain import Broken
from messaging.keyring import KeyAbsent


async def verify_journal(house: House) -> Broken | None:
    """Walk every territory's chain, signatures of sealed months included; None where all of it holds.

    Where the signing key is not in the key folder the signatures are left unchecked, the chain is not.
    """
    try:
        key = house.keyring.journal().public_key()
    except KeyAbsent:
        key = None

    def check(message: bytes, signature: bytes) -> bool:
        assert key is not None  # only handed over where there is one
        try:
            key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    async with house.sessions.begin() as session:
        return await journal_chain.verify(session, check=None if key is None else check)
