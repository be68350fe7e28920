"""``python -m tests.fuzz``: the long version; exits with 1 where anything was found."""

import argparse
import asyncio
import secrets
import sys

from tests.fuzz.run import CALLERS, PHASES, Plan, play


def main() -> int:
    """One run as asked for on the command line."""
    asked = argparse.ArgumentParser(description="Try the served OpenAPI document with every role's key.")
    asked.add_argument("--examples", type=int, default=25)
    asked.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    asked.add_argument("--callers", default=",".join(CALLERS))
    asked.add_argument("--phases", default=PHASES)
    given = asked.parse_args()
    print(f"seed {given.seed}", flush=True)
    plan = Plan(
        examples=given.examples, seed=given.seed, callers=given.callers.split(","), phases=given.phases
    )
    report = asyncio.run(play(plan))
    print("\n".join(report.lines()))
    return 0 if report.sound else 1


if __name__ == "__main__":
    sys.exit(main())
