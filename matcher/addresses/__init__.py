"""Addresses as people type them, found among a territory's streets without asking anybody outside."""

from matcher.addresses.ban import Address, NotBan, Skipped
from matcher.addresses.book import Book, Found, write
from matcher.addresses.words import key, same_commune, whole_commune

__all__ = [
    "Address",
    "Book",
    "Found",
    "NotBan",
    "Skipped",
    "key",
    "same_commune",
    "whole_commune",
    "write",
]
