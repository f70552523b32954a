"""What online and offline features came to in the newest look at a model: how many are skewed, or missing, and how old sources are."""

from collections.abc import Iterator, Mapping

from argosy.domain.feature_skew import WORDS, FeatureSkew, SkewPart
from argosy.exporter import samples, series
from argosy.exporter.samples import Sample

MOST_FEATURES = 100
"""Features of each part that have series: the most skewed ones."""


def of_skew(found: FeatureSkew, version: Mapping[str, str]) -> Iterator[Sample]:
    """The samples of one comparison; *version*: the labels of what was compared."""
    yield samples.age(series.SKEW_AGE, found.looked.timestamp(), **version)
    for word in WORDS:
        yield samples.of(series.SKEW_VERDICT, found.verdict == word, **version, verdict=word)
    for part in found.parts:
        yield from _of_part(part, version)
    for each in found.sources:
        if each.newest is not None:
            yield samples.age(series.SOURCE_DATA_AGE, each.newest.timestamp(), **version, table=each.source)


def _of_part(part: SkewPart, version: Mapping[str, str]) -> Iterator[Sample]:
    yield samples.of(series.SKEW_ROWS, part.compared, **version, part=part.part)
    farthest = sorted(part.features, key=lambda each: (-each.share, each.name))[:MOST_FEATURES]
    for each in farthest:
        place = {**version, "part": part.part, "feature": each.name}
        yield samples.of(series.SKEW_SHARE, each.share, **place)
        for side, missing in (("online", each.missing_online), ("offline", each.missing_offline)):
            yield samples.of(series.FEATURE_MISSING, missing / part.compared, **place, side=side)
