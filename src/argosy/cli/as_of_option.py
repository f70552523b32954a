"""The option --as-of: the moment as of which a run looks at its data, as a parameter of its pipeline."""

import argparse
import datetime
from collections.abc import Sequence

from argosy import errors


def add(parser: argparse.ArgumentParser) -> None:
    """Declare it."""
    parser.add_argument(
        "--as-of",
        metavar="DATE",
        help="train on what was known then, and nothing that came later: 2026-01-31 is its midnight in UTC, "
        "2026-01-31T12:00+01:00 a moment of any zone, 30d an age; nothing is proposed of such a run",
    )


def parameter(asked: str | None, declared: Sequence[str], what: str) -> dict[str, str]:
    """The value that --as-of, typed as *asked*, gives to *what*, which takes the parameters *declared*; none without --as-of.

    Raises UsageError where the moment is none, or still to come, or *what* does not know the parameter.
    """
    if asked is None:
        return {}
    # Not before: they read documents, which take a tenth of a second to load.
    from argosy.cli import moments
    from argosy.domain import as_of

    try:
        moment = moments.moment(asked)
    except argparse.ArgumentTypeError as error:
        raise errors.UsageError(f"--as-of: {error}") from None
    if moment > (now := datetime.datetime.now(datetime.UTC)):
        raise errors.UsageError(f"--as-of ({as_of.text(moment)}) is still to come; it is {as_of.text(now)}")
    if as_of.PARAMETER not in declared:
        raise errors.UsageError(
            f"--as-of: {what} takes no parameter {as_of.PARAMETER!r}: only a model's training pipeline does, compiled by this Argosy "
            "(`argosy compile workflows/MODEL`)"
        )
    return {as_of.PARAMETER: as_of.text(moment)}
