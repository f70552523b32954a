"""A look: what one window of a model's predictions was judged, kept below the monitoring store for whoever asks later.

Everything after the judgement reads looks: the series of Prometheus, the admission of a retraining, its cause and the pages of people. What
is counted and how it is judged is in ``drift``; the keys of the store are here, so that writers and readers agree.
"""

import datetime
from collections.abc import Iterator
from typing import Literal

from pydantic import AwareDatetime, ValidationError

from argosy.domain.documents import Document
from argosy.domain.drift import DriftReport, Finding, Thresholds, Word
from argosy.domain.feature_skew import FeatureSkew
from argosy.domain.performance_report import Performance

SecondRole = Literal["shadow", "candidate"]
LATEST = "latest.json"
YEARS = range(1970, 3000)
"""In which anything is logged. Near the ends of what a date can say, there is no hour before or after."""
HOUR = "%Y-%m-%dT%H"
"""How an hour is written in a key."""
MOMENT = "%Y%m%dT%H%M%SZ"
"""How a moment is written in a key: sorted as text, it is sorted in time."""


class SliceLook(Document):
    """The predictions of a window whose feature *column* has one *value*, judged by themselves."""

    column: str
    value: str
    report: DriftReport


class SecondLook(Document):
    """What a second version answered in the window of a look, judged by itself; the look's own verdict knows nothing of it."""

    role: SecondRole
    version: int | None = None
    model_digest: str
    rows: int
    verdict: Word
    explanation: str
    report: DriftReport
    slices: list[SliceLook] = []

    def called(self) -> str:
        """What it is called: ``version 7, a shadow``."""
        return f"version {self.version}, {'a shadow' if self.role == 'shadow' else 'the candidate of a split'}"


class Look(Document):
    """One window of what a version answered in an environment, judged."""

    model: str
    environment: str
    version: int | None = None
    model_digest: str
    since: AwareDatetime
    until: AwareDatetime
    """Exclusive."""
    looked: AwareDatetime
    """When it was judged. Late segments may have come since."""
    rows: int
    verdict: Word
    """Of the whole and all slices together."""
    explanation: str
    reference: str
    """What the window was held against, in words: ``holdout``, ``season`` (which one, after a colon) or ``previous window``."""
    thresholds: Thresholds
    """By which it was judged: others may ask again with stricter ones."""
    report: DriftReport
    slices: list[SliceLook] = []
    performance: Performance | None = None
    """As far as labels tell by then; None for a model whose settings name no labels."""
    segments: int = 0
    """Parts of the log that were counted."""
    evidently: str | None = None
    """Key of the Evidently report of it in the monitoring store; None where none was made."""
    second: SecondLook | None = None
    """Of the version that is tried beside; None where none is. It is no part of the verdict, nor of what drifted."""
    skew: FeatureSkew | None = None
    """Online features beside offline ones, as compared last; None where nobody compares. It is no part of the verdict either."""

    @property
    def parts(self) -> list[tuple[str, DriftReport]]:
        """The reports, each with its slice (``column=value``, or empty for the whole)."""
        return [("", self.report), *((f"{each.column}={each.value}", each.report) for each in self.slices)]

    @property
    def drifted(self) -> list[tuple[str, Finding]]:
        """What drifted, the farthest moved first, each with its slice (``column=value``, or empty for the whole)."""
        found = [(name, finding) for name, report in self.parts for finding in report.findings if finding.drifted]
        return sorted(found, key=lambda each: -each[1].beyond)

    @property
    def distance(self) -> float:
        """How far the farthest column is from where such windows usually are, of the whole or where a slice drifted.

        0 where nothing could be measured.
        """
        slices = (finding for each in self.slices for finding in each.report.findings if finding.drifted)
        return max((finding.beyond for finding in [*self.report.findings, *slices]), default=0.0)


def parse(content: bytes) -> Look | None:
    """The look that *content* is; None where it is something else, such as one of another version of Argosy: the next look replaces it."""
    try:
        return Look.model_validate_json(content)
    except ValidationError:
        return None


def moment(text: str) -> datetime.datetime:
    """The time that *text* says; UTC where it names no zone. Raises ValueError where it is none that a log can be of."""
    found = datetime.datetime.fromisoformat(text)
    if found.year not in YEARS:
        raise ValueError(f"{text!r} is no time from {YEARS.start} to {YEARS.stop - 1}")
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


def hours(since: datetime.datetime, until: datetime.datetime) -> Iterator[datetime.datetime]:
    """The hours, in UTC, that hold a moment from *since* (inclusive) to *until* (exclusive)."""
    hour = hour_of(since)
    while hour < until:
        yield hour
        hour += datetime.timedelta(hours=1)


def hour_of(moment: datetime.datetime) -> datetime.datetime:
    """The beginning of the hour that holds *moment*, in UTC: there every hour comes once, whatever clocks do."""
    return moment.astimezone(datetime.UTC).replace(minute=0, second=0, microsecond=0)


def counts_key(model: str, environment: str, model_digest: str, hour: datetime.datetime) -> str:
    """The key of the counts of one hour of what the model of that digest answered."""
    digest = model_digest.removeprefix("sha256:")
    return f"counts/{model}/{environment}/{digest}/{hour.astimezone(datetime.UTC):{HOUR}}.json"


def hour_in(key: str) -> datetime.datetime:
    """The hour that the counts under *key* are of."""
    text = key.rpartition("/")[2].removesuffix(".json")
    return datetime.datetime.strptime(text, HOUR).replace(tzinfo=datetime.UTC)


def looks_prefix(model: str, environment: str) -> str:
    """What the keys of all looks at *model* in *environment* begin with."""
    return f"looks/{model}/{environment}/"


def is_look(key: str) -> bool:
    """True for the key of a look at a window; below its prefix lie pages for people too, and the newest once more."""
    return key.endswith(".json") and not key.endswith(f"/{LATEST}")


def look_key(model: str, environment: str, until: datetime.datetime) -> str:
    """The key of the look at the window that ends at *until*."""
    return f"{looks_prefix(model, environment)}{until.astimezone(datetime.UTC):{MOMENT}}.json"


def moment_in(key: str) -> datetime.datetime | None:
    """When the window ended that the look or page under *key* is of; None of the newest look, which has no time in its key."""
    text = key.rpartition("/")[2].partition(".")[0]
    try:
        return datetime.datetime.strptime(text, MOMENT).replace(tzinfo=datetime.UTC)
    except ValueError:
        return None


def look_hour(key: str) -> str:
    """What names the hour in which the look under *key* ended: of two looks it is equal where the hour is."""
    return key.rpartition("/")[2][: len("20260131T12")]


def page_key(model: str, environment: str, until: datetime.datetime) -> str:
    """The key of the page that was drawn of the look at the window that ends at *until*."""
    return look_key(model, environment, until).removesuffix(".json") + ".html"


def latest_key(model: str, environment: str) -> str:
    """The key of the newest look."""
    return f"{looks_prefix(model, environment)}{LATEST}"
