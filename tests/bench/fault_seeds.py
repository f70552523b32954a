"""A thousand schedules of two pipelines and a reviewer at one environment repo, with faults at their calls.

    python tests/bench/fault_seeds.py [--schedules 1000] [--first SEED] [--world github|local]

Three in four against the adapter of GitHub and a stand-in of its server, the others against the forge on this machine. After each effect
the history is written down, and its checker (`kit.effect_history`) says which promises were broken: never two open requests for one digest,
in the end at most one for a model and environment, a main that only goes on, nothing half written, nothing lost. A seed that breaks one is
printed with its faults and plays the same again (`--first SEED --schedules 1`). Ends 1 where one does.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from kit import fault_schedules
from kit.fault_schedules import HostedWorld, LocalWorld, Schedule

WORLDS = {"github": HostedWorld, "local": LocalWorld}


def main() -> int:
    """Play them, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, metavar="SEED")
    parser.add_argument("--world", choices=WORLDS)
    asked = parser.parse_args()
    seen = Counter[str]()
    for seed in range(asked.first, asked.first + asked.schedules):
        name = asked.world or ("local" if seed % 4 == 3 else "github")
        schedule = Schedule(seed)
        problems = fault_schedules.run(schedule, WORLDS[name]())
        kinds = Counter(one.partition(" ")[2] for one in schedule.faults)
        seen.update({name: 1, "calls": schedule.calls, "merges": len(schedule.history.merged), **kinds})
        seen["broken"] += bool(problems)
        if (seed + 1 - asked.first) % 100 == 0:
            print(f"{seed + 1 - asked.first} played, {seen['broken']} broken", flush=True)
        for said in problems:
            print(f"{name}, seed {seed}: {said}; faults: {', '.join(schedule.faults)}", flush=True)
    print(", ".join(f"{count:,} {what}" for what, count in seen.items()))
    return 1 if seen["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
