#!/usr/bin/env bash
# limits 5.8.0, counting in memory, refuses everybody for as long as a clock was set back, by two of its three strategies.
#
# Guess: counting in one process needs no time of day, so a clock that is set back (by NTP, or a machine that wakes) changes nothing. Seen:
# windows end at a time of day. After an hour back, whoever had used up five requests a second gets none for an hour, by the fixed and by the
# moving window; the sliding window lets it in at once. In a service that answers by key, all busy callers are locked out together.
#
# What Argosy does about it: a server's own counter goes by a clock that nobody sets; limits counts only in Redis, whose keys end by the
# database's clock.
#
# PYTHON=.venv/bin/python findings/limits-clock-set-back.sh takes the limits that is installed there; without it 5.8.0 is installed.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-}
if [ -z "$python" ]; then
    python3 -m venv "$scratch/venv"
    python=$scratch/venv/bin/python
    "$python" -m pip install --quiet --disable-pip-version-check limits==5.8.0
fi

cat > "$scratch/step.py" <<'P'
import time

import limits
from limits import strategies
from limits.storage import MemoryStorage

print("limits", limits.__version__)
wall = time.time
behind = 0.0
time.time = lambda: wall() - behind
found = {}
for name in ("FixedWindowRateLimiter", "MovingWindowRateLimiter", "SlidingWindowCounterRateLimiter"):
    behind = 0.0
    limiter, five = getattr(strategies, name)(MemoryStorage()), limits.parse("5/second")
    while limiter.hit(five, "caller"):
        pass
    behind = 3600.0
    time.sleep(2.5)  # two windows and a half
    found[name] = sum(limiter.hit(five, "caller") for _ in range(5))
    print(f"{name}: of 5 requests, 2.5 s after the clock was set back by an hour, {found[name]} are let in")
assert found["FixedWindowRateLimiter"] == found["MovingWindowRateLimiter"] == 0, "a step back keeps nobody out any more"
assert found["SlidingWindowCounterRateLimiter"] == 5, "the sliding window keeps callers out too"
P
"$python" "$scratch/step.py"
