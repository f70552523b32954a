"""What is kept of a model's real performance day by day: the course that one report, of one window, does not have."""

from pydantic import ValidationError

from argosy.domain import performance_report
from argosy.domain.performance_report import PerformancePeriod
from argosy.ports.objects import Objects

MOST_DAYS = 92
"""Days that are read, the newest."""


def kept(
    objects: Objects, model: str, environment: str, model_digest: str, most: int = MOST_DAYS
) -> list[PerformancePeriod]:
    """The newest *most* days of the answers of the model of that digest, the oldest first; those of other versions of Argosy left out."""
    if not model_digest:
        return []
    prefix = performance_report.days_prefix(model, environment, model_digest)
    contents = (objects.get(key) for key in sorted(objects.keys(prefix))[-most:])
    found = (_parsed(content) for content in contents if content is not None)
    return [period for period in found if period is not None]


def _parsed(content: bytes) -> PerformancePeriod | None:
    try:
        return PerformancePeriod.model_validate_json(content)
    except ValidationError:
        return None
