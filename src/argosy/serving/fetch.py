"""``python -m argosy.serving.fetch URI FOLDER [URI FOLDER …]``: copy what is to be served out of the model store.

What an init container runs where no KServe does it. Nothing is checked here: the server proves digest and signature of what it finds.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from argosy import errors, network, wiring
from argosy.settings import Settings


def run(arguments: Sequence[str]) -> None:
    """Fetch the addresses in *arguments*, each into the folder named after it. Raises UsageError where one has none."""
    if len(arguments) % 2:
        raise errors.UsageError(f"{arguments[-1]!r} has no folder beside it; pass URI FOLDER [URI FOLDER …]")
    store = wiring.artifacts(Settings.from_environment())
    for uri, folder in zip(arguments[::2], arguments[1::2], strict=True):
        store.get(uri, Path(folder))


def main() -> None:
    """Fetch, and leave with the exit code of the outcome."""
    parser = argparse.ArgumentParser(
        prog="python -m argosy.serving.fetch", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("arguments", nargs="+", metavar="URI FOLDER", help="what to fetch, and where to")
    try:
        network.prepare(os.environ)
        run(parser.parse_args().arguments)
    except errors.ArgosyError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
