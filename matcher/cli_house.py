"""What the groups of commands are given to work with."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from matcher.service.house import House

_T = TypeVar("_T")


class InHouse(Protocol):
    """Opens the installation, does one thing in it, closes it; ``schema``: only on this version’s."""

    def __call__(self, work: Callable[[House], Awaitable[_T]], /, *, schema: bool = True) -> _T: ...
