"""Secure messaging that knows nothing medical: vault, links, outbox, delivery."""
