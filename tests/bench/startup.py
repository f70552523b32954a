"""How long the command takes to answer, beside the bare interpreter; and to compile, beside hera by itself.

    python tests/bench/startup.py [--rounds 9]

Interleaved rounds, medians with minimum and maximum. The ratio is what counts: machines differ.
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

ARGOSY = str(Path(sys.executable).with_name("argosy"))
MODEL = "workflows/churn"


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def _compare(title: str, ours: list[str], peer: list[str], rounds: int) -> None:
    _seconds(ours), _seconds(peer)  # warm the file cache
    pairs = [(_seconds(ours), _seconds(peer)) for _ in range(rounds)]
    mine, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    ratio = statistics.median(first / second for first, second in pairs)
    print(f"{title}: {_spread(mine)} against {_spread(theirs)}; median ratio {ratio:.1f}")


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values) * 1e3:.0f} ms [{min(values) * 1e3:.0f}-{max(values) * 1e3:.0f}]"


def main() -> None:
    """Print both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    _compare("argosy --help, a bare interpreter", [ARGOSY, "--help"], [sys.executable, "-c", "pass"], rounds)
    _compare(
        "argosy compile, importing hera",
        [ARGOSY, "compile", MODEL],
        [sys.executable, "-c", "import hera.workflows"],
        rounds,
    )


if __name__ == "__main__":
    main()
