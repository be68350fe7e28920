"""``python -m tests.faults``: the long version; prints its seed, exits with 1 where anything did not hold."""

import argparse
import asyncio
import secrets
import signal
import sys

from tests.faults.run import Report, play
from tests.faults.stage import Plan


def main() -> int:
    """Play one run as asked for on the command line."""
    asked = argparse.ArgumentParser(description="Break the service at random, and check what is left.")
    asked.add_argument("--searches", type=int, default=500)
    asked.add_argument("--faults", type=int, default=200, help="at least")
    asked.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    asked.add_argument("--side-by-side", type=int, default=22, help="searches led at once")
    asked.add_argument("--pause", type=float, default=1.0, help="seconds between two faults, on average")
    asked.add_argument("--sqlite", action="store_true", help="one process, and a disk that is full at times")
    given = asked.parse_args()
    print(f"seed {given.seed}", flush=True)
    plan = Plan(
        searches=given.searches,
        faults=given.faults,
        seed=given.seed,
        side_by_side=given.side_by_side,
        pause=given.pause,
        embedded=given.sqlite,
    )
    try:
        report = asyncio.run(_played(plan))
    except asyncio.CancelledError:
        print("asked to end: nothing was checked", file=sys.stderr)
        return 128 + signal.SIGTERM
    print("\n".join(report.lines()))
    return bool(report.violations or report.lacking)


async def _played(plan: Plan) -> Report:
    """Play it; asked to end (SIGTERM, or SIGINT as ever), take down what was put up."""
    playing = asyncio.current_task()
    assert playing is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, playing.cancel)
    return await play(plan)


if __name__ == "__main__":
    sys.exit(main())
