"""A scoring that several pods share: what is scored, by which model, where results go. Written once, read by each of them."""

import datetime
from collections.abc import Sequence

from pydantic import AwareDatetime

from argosy import errors
from argosy.domain.compute_settings import Compute
from argosy.domain.documents import Document
from argosy.domain.model_settings import ScoringSettings
from argosy.domain.table_places import AS_OF
from argosy.ports.prediction_log import ServedRelease
from argosy.scoring import parts
from argosy.scoring.parts import TablePart


class PlannedPart(Document):
    """A part; see :class:`argosy.scoring.parts.TablePart`."""

    file: str
    name: str
    fingerprint: str
    groups: tuple[int, ...] = ()
    version: str | None = None


class ScoringPlan(Document):
    """``plan.json``."""

    model: str
    environment: str
    version: int
    digest: str
    """Model digest."""
    as_of: datetime.date
    began: AwareDatetime
    tables: str
    results: str
    """Of this day and this model's version."""
    with_features: bool
    shares: int
    compute: Compute = Compute()
    """Who scores."""
    parts: list[PlannedPart]

    @property
    def served(self) -> ServedRelease:
        """Who answers."""
        return ServedRelease(self.model, self.environment, self.version, self.digest)

    def share(self, text: str) -> list[TablePart]:
        """The parts of the share *text*, such as ``2/8``. Raises Misconfigured where the plan has no such share."""
        if text not in self.share_names():
            raise errors.Misconfigured(f"share={text!r}: the plan has the shares {', '.join(self.share_names())}")
        return parts.share(self.all_parts(), int(text.partition("/")[0]), self.shares)

    def share_names(self) -> list[str]:
        """The shares, a pod each."""
        return [f"{number}/{self.shares}" for number in range(1, self.shares + 1)]

    def all_parts(self) -> list[TablePart]:
        """All parts."""
        return [TablePart(part.file, part.name, part.fingerprint, part.groups, part.version) for part in self.parts]


def planned(found: Sequence[TablePart]) -> list[PlannedPart]:
    """*found*, as a plan has them."""
    return [
        PlannedPart(
            file=part.file, name=part.name, fingerprint=part.fingerprint, groups=part.groups, version=part.version
        )
        for part in found
    ]


def day(text: str, now: datetime.datetime) -> datetime.date:
    """The day that *text* names, that of *now* where it is empty. Raises Misconfigured."""
    try:
        return datetime.date.fromisoformat(text) if text else now.astimezone(datetime.UTC).date()
    except ValueError:
        raise errors.Misconfigured(f"as-of={text!r} is no day, such as 2026-01-31") from None


def place(given: str, setting: str | None, name: str, as_of: datetime.date) -> str:
    """Where the parameter *name* leads on the day *as_of*: as *given*, or else by the *setting*. Raises Misconfigured."""
    found = given or setting
    if not found:
        raise errors.Misconfigured(f"{name} is empty: pass -p {name}=<place>, or set `scoring.{name}` in model.yaml")
    return found.replace(AS_OF, as_of.isoformat())


def below(given: str, setting: str | None, as_of: datetime.date) -> list[str]:
    """The folder below the place of results that is one day's; none where the place names the day itself."""
    return [] if AS_OF in (given or setting or "") else [f"as_of={as_of.isoformat()}"]


def most_pods(scoring: ScoringSettings | None, text: str, compute: Compute) -> int:
    """How many pods may share the parts: one where Spark deals them out, by *compute*. Raises Misconfigured."""
    if compute.asks_spark("score-batch"):
        if text not in ("", "1"):
            raise errors.Misconfigured(
                f"pods={text!r}: by `compute` in model.yaml Spark deals the parts out, and one pod asks it; leave `pods` out"
            )
        return 1
    if not text:
        return scoring.pods if scoring else 1
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 256):
        raise errors.Misconfigured(f"pods={text!r} is no number from 1 to 256")
    return int(text)
