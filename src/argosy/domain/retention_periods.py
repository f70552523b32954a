"""How long each class of data is kept, as whoever runs Argosy wrote it down: ``runs=30d,predictions=400d``."""

import datetime
import re
from collections.abc import Mapping

from argosy import errors

RUNS, SNAPSHOTS, PREDICTIONS, MEASURES, LOOKS = "runs", "snapshots", "predictions", "measures", "looks"
PERFORMANCE, RESULTS = "performance", "results"
CLASSES = (RUNS, SNAPSHOTS, PREDICTIONS, MEASURES, LOOKS, PERFORMANCE, RESULTS)
"""What ``argosy gc`` knows the age of. Runs: with their artifacts (features, bundles of drafts, reports) and cached answers."""
DAYS_OF_RUNS = 30
_DAY = re.compile(r"(?:as_of=)?([0-9]{4}-[0-9]{2}-[0-9]{2})")
_PERIOD = re.compile(r"(?P<name>[a-z]+)=(?P<days>[1-9][0-9]{0,4})d")


def day_in(name: str) -> datetime.date | None:
    """The day that a folder of the file *name* is called after, as results of scoring are (``as_of=2026-01-31``); None where none is."""
    for part in name.split("/")[:-1]:
        if matched := _DAY.fullmatch(part):
            try:
                return datetime.date.fromisoformat(matched[1])
            except ValueError:
                continue
    return None


def periods(text: str, where: str) -> Mapping[str, int]:
    """Days by class, from *text*; a class that it does not name is kept for good, runs for 30 days.

    Raises Misconfigured, which names *where*.
    """
    found: dict[str, int] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        matched = _PERIOD.fullmatch(part)
        if matched is None or matched["name"] not in CLASSES or matched["name"] in found:
            raise errors.Misconfigured(
                f"{where}: {part!r} is no period of a class; expected such as runs=30d, each of {', '.join(CLASSES)} once"
            )
        found[matched["name"]] = int(matched["days"])
    return {RUNS: DAYS_OF_RUNS} | found
