"""A thousand schedules of two pipelines, a reviewer and others at one environment repo, with faults at their calls.

    python tests/bench/fault_seeds.py [--schedules 1000] [--first SEED] [--world github|local|gitea]

Of five schedules three go to the adapter of GitHub and a stand-in of its server, two to the forge on this machine; one in twenty to
a real Gitea, where there is one (`tests/kit/gitea_server.py` says how), since that takes its time. Promotions, their merges by the desk's
checks, what follows in production, ways back, second versions and pushes go on at once. After each effect the history is written down, and
its checker (`kit.effect_history`) says which promises were broken: never two open requests that ask the same, in the end at most one for a
model, environment and kind, champions in one line, no rejected model back, nothing half written, nothing lost. A seed that breaks one is
printed with its faults and, but at Gitea, plays the same again (`--first SEED --schedules 1`). Ends 1 where one does.
"""

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from kit.fault_story import FaultStory, FaultWorld
from kit.fault_worlds import GiteaWorld, GithubWorld, LocalWorld
from kit.gitea_server import gitea_server

WORLDS = ("github", "local", "gitea")


def main() -> int:
    """Play them, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, metavar="SEED")
    parser.add_argument("--world", choices=WORLDS)
    asked = parser.parse_args()
    seeds = range(asked.first, asked.first + asked.schedules)
    has_gitea = bool(os.environ.get("GITEA") or shutil.which("gitea"))
    chosen = {seed: asked.world or _world(seed, has_gitea=has_gitea) for seed in seeds}
    with contextlib.ExitStack() as stack:
        made: dict[str, Callable[[], FaultWorld]] = {"github": GithubWorld, "local": LocalWorld}
        if "gitea" in chosen.values():
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="argosy-gitea-")))
            server = stack.enter_context(gitea_server(folder))
            made["gitea"] = lambda: GiteaWorld(server)
        return _played(chosen, made)


def _world(seed: int, *, has_gitea: bool) -> str:
    if has_gitea and seed % 20 == 19:
        return "gitea"
    return ("github", "github", "local", "github", "local")[seed % 5]


def _played(chosen: dict[int, str], made: dict[str, Callable[[], FaultWorld]]) -> int:
    seen, begun = Counter[str](), time.monotonic()
    for number, (seed, name) in enumerate(chosen.items(), start=1):
        story = FaultStory(seed)
        problems = story.played(made[name]())
        kinds = Counter(one.removeprefix(f"{actor} ") for one in story.schedule.faults for actor in _of(story, one))
        effects = len({one.main for one in story.history.seen}) - 1
        seen.update({f"at {name}": 1, "calls": story.schedule.calls, "commits of main": effects, **story.did})
        seen.update({f"calls that were: {kind}": count for kind, count in kinds.items()})
        seen["broken"] += bool(problems)
        if number % 50 == 0:
            print(f"{number} played in {time.monotonic() - begun:.0f} s, {seen['broken']} broken", flush=True)
        for said in problems:
            print(f"{name}, seed {seed}: {said}; faults: {', '.join(story.schedule.faults)}", flush=True)
    print(", ".join(f"{count:,} {what}" for what, count in seen.items()))
    return 1 if seen["broken"] else 0


def _of(story: FaultStory, fault: str) -> list[str]:
    return [actor for actor in story.schedule.actors if fault.startswith(f"{actor} ")]


if __name__ == "__main__":
    sys.exit(main())
