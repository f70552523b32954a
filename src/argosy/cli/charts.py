"""The folder of the charts that came with argosy."""

from pathlib import Path

import argosy
from argosy import errors


def folder(name: str, given: Path | None = None) -> Path:
    """The folder of the chart *name*: *given*, or the one beside the code. Raises UsageError where there is none."""
    package = Path(argosy.__file__).parent
    places = [given] if given else [package / "charts" / name, package.parents[1] / "charts" / name]
    found = next((place for place in places if (place / "Chart.yaml").is_file()), None)
    if found is None:
        raise errors.UsageError(f"there is no chart at {places[-1]}; say with --chart where its folder is")
    return found
