"""The option --full: sources with a watermark are read whole, as a parameter of the pipeline."""

import argparse
from collections.abc import Sequence

from argosy import errors

PARAMETER = "full"


def add(parser: argparse.ArgumentParser) -> None:
    """Declare it."""
    parser.add_argument(
        "--full",
        action="store_true",
        help="read sources that have a `watermark` whole, whatever the snapshot before has of them",
    )


def parameter(asked: bool, declared: Sequence[str], what: str) -> dict[str, str]:
    """The value that --full gives to *what*, which takes the parameters *declared*. Raises UsageError where it knows none such."""
    if not asked:
        return {}
    if PARAMETER not in declared:
        raise errors.UsageError(f"--full: no source of {what} has a `watermark`, so each run reads all of them")
    return {PARAMETER: "true"}
