"""Skew: features that answers were given by, beside what the sources say of the same entity at the same moment.

A model learned from the second; where the first is something else, it answers questions that it was never taught. What is compared and how
is ``ml.feature_differences``'s and ``monitoring.skew_comparison``'s business; what it comes to, and where it is kept, is here.
"""

from collections.abc import Sequence
from typing import Literal

from pydantic import AwareDatetime, ValidationError

from argosy.domain.documents import Document
from argosy.domain.monitor_settings import FEWEST_COMPARED

SkewWord = Literal["skewed", "equal", "too few", "no data"]
WORDS: tuple[SkewWord, ...] = ("skewed", "equal", "too few", "no data")
PartName = Literal["served", "store"]
Value = float | str | None


class SkewedFeature(Document):
    """One feature of rows that were compared."""

    name: str
    type: Literal["number", "category"]
    compared: int
    differing: int
    """Both have a value, and they are not equal."""
    online_only: int
    """Online has a value, the sources have none (any more): none was known, or it had outlived its view."""
    offline_only: int
    largest: float | None = None
    """The largest difference of two numbers; None where none differ."""
    missing_online: int
    missing_offline: int

    @property
    def skewed(self) -> int:
        """Values that are not what the sources say."""
        return self.differing + self.online_only + self.offline_only

    @property
    def share(self) -> float:
        """Of the compared values, those that are skewed; 0 where nothing was compared."""
        return self.skewed / self.compared if self.compared else 0.0


class SkewExample(Document):
    """A value that is not what the sources say."""

    feature: str
    online: Value = None
    offline: Value = None
    at: AwareDatetime
    request: str | None = None
    """Of a row that was answered: its request."""
    row: int | None = None
    """The row's place in that request."""


class SkewPart(Document):
    """What was compared with the sources: rows that were answered, or what the online store would answer now."""

    part: PartName
    rows: int
    """Drawn."""
    compared: int
    unknown: int = 0
    """Of an entity that the sources did not know at that moment."""
    absent: int = 0
    """Entities of the sources that the online store does not know."""
    features: list[SkewedFeature] = []
    examples: list[SkewExample] = []
    """The worst of each feature. Not kept: they are rows' values."""

    def over(self, most: float) -> list[SkewedFeature]:
        """The features of which a larger share than *most* is skewed, the worst first."""
        return sorted((each for each in self.features if each.share > most), key=lambda each: (-each.share, each.name))


class SourceAge(Document):
    """How new a source is that features come from."""

    source: str
    newest: AwareDatetime | None = None
    """The newest moment that its rows are about, up to the comparison; None where it has no rows."""


class FeatureSkew(Document):
    """One comparison of a version's features in one environment."""

    model: str
    environment: str
    version: int | None = None
    model_digest: str
    since: AwareDatetime
    until: AwareDatetime
    """Exclusive."""
    looked: AwareDatetime
    most: float
    tolerance: float
    logged: int
    """Rows that the version answered in that time."""
    named: int
    """Of these the ones that named their entity; of the others nobody can say whose features they are."""
    parts: list[SkewPart]
    sources: list[SourceAge] = []
    problems: list[str] = []
    verdict: SkewWord
    explanation: str

    def without_examples(self) -> "FeatureSkew":
        """As it is kept: counts, and no row's values."""
        parts = [part.model_copy(update={"examples": []}) for part in self.parts]
        return self.model_copy(update={"parts": parts})


def judged(parts: Sequence[SkewPart], most: float) -> tuple[SkewWord, str]:
    """The verdict over *parts*, of each feature of which a share of *most* may be skewed, and why."""
    told = [part for part in parts if part.compared >= FEWEST_COMPARED]
    if not told:
        compared = max((part.compared for part in parts), default=0)
        if not compared and (unknown := sum(part.unknown for part in parts)):
            return "no data", f"the sources knew none of the entities of {unknown:,} rows at their moment"
        if not compared:
            return "no data", "no row that names an entity of the sources was answered, and no online store was asked"
        return "too few", f"{compared} rows were compared; fewer than {FEWEST_COMPARED} say nothing"
    if skewed := [(part, part.over(most)) for part in told if part.over(most)]:
        return "skewed", "; ".join(_said(part, over) for part, over in skewed)
    rows = " and ".join(f"{part.compared:,} {_WHAT[part.part]}" for part in told)
    return "equal", f"the features of {rows} are what the sources say of the same moment"


_WHAT = {"served": "answered rows", "store": "entities of the online store"}
_SHOWN = 3


def _said(part: SkewPart, over: Sequence[SkewedFeature]) -> str:
    named = ", ".join(f"{each.name} in {each.share:.1%}" for each in over[:_SHOWN])
    more = f" and {len(over) - _SHOWN} more" if len(over) > _SHOWN else ""
    if all(each.online_only == each.skewed for each in over):
        return (
            f"of {part.compared:,} {_WHAT[part.part]} {named}{more} are online only: at that moment the sources had none, or none that is "
            "as young as its view asks"
        )
    return f"of {part.compared:,} {_WHAT[part.part]} {named}{more} are not what the sources say of the same moment"


def latest_key(model: str, environment: str) -> str:
    """The key of the newest comparison in the monitoring store."""
    return f"skew/{model}/{environment}/latest.json"


def parse(content: bytes) -> FeatureSkew | None:
    """The comparison that *content* is; None where it is of another version of Argosy: the next one replaces it."""
    try:
        return FeatureSkew.model_validate_json(content)
    except ValidationError:
        return None
