"""``python -m matcher``: the same as ``trait-union``."""

from matcher.cli import main

main()
