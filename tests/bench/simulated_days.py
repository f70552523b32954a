"""Days of fifty models, by seeds: what is planted in them leads to a retraining each, and nothing else does.

    python tests/bench/simulated_days.py [--days 20] [--first SEED]

Rows, hours without any, labels that come late, alerts several times over and in any order, and forged ones are the seed's
(`kit.simulated_day`). A false alarm in 1,200 looks at five columns each, a drift that is missed and a retraining too many are printed with
their seed, which plays the same again. Ends 1 where there is one.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from kit.simulated_day import Day, broken_promises


def main() -> int:
    """Play them, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=20)
    parser.add_argument("--first", type=int, default=1, metavar="SEED")
    asked = parser.parse_args()
    broken = 0
    for seed in range(asked.first, asked.first + asked.days):
        with tempfile.TemporaryDirectory(prefix="argosy-day-") as folder:
            day = Day(seed, Path(folder))
            day.pass_by()
            wrong = broken_promises(day)
            retrained = sum(len(day.admissions(model)) for model in day.models)
        broken += bool(wrong)
        print(f"seed {seed}: {day.runs} messages, {retrained} retrainings, {len(wrong)} promises broken", flush=True)
        for line in wrong:
            print(f"  {line}", flush=True)
    print(f"{asked.days} days, {broken} with a broken promise")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
