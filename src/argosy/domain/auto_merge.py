"""When a request merges by itself: what an environment's ``merging.yaml`` says, held against a moment, reviews and checks. Pure.

The file is a rule of the environment repo, beside the Applications of its environment and owned by the same people. Without one, people
merge: no environment is meant by default, production least of all.
"""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from argosy.domain.documents import Document
from argosy.domain.merge_checks import OVERRIDES, Check
from argosy.domain.promotion_requests import Request

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ONE_DAY, LONGEST_FREEZE = datetime.timedelta(days=1), datetime.timedelta(days=800)
"""A freeze that goes on for longer has no end that anybody could wait for."""
ReviewState = Literal["given", "missing", "refused", "not asked"]


@dataclass(frozen=True)
class ReviewStanding:
    """Whether the reviews that a request needs were given, of the commit that it proposes now."""

    state: ReviewState
    """*not asked*: no rule of main wants a review, or the forge has none."""
    said: str


class Freeze(Document):
    """A time in which nothing merges by itself: days of the week, or dates, the last one included."""

    days: tuple[Day, ...] = Field(default=(), description="Days of the week, each as a whole.")
    since: datetime.date | None = Field(default=None, alias="from", description="The first date.")
    until: datetime.date | None = Field(default=None, alias="to", description="The last date.")
    why: str = Field(min_length=1, description="What people are told.")
    people: bool = Field(
        default=False,
        description="Whether people merge no promotion either: its check `freeze` is red, and a reviewer may overrule it by name.",
    )

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if bool(self.days) == (self.since is not None) or (self.since is None) != (self.until is None):
            raise ValueError("give either `days`, or `from` and `to`")
        if self.since and self.until and self.until < self.since:
            raise ValueError(f"`to` {self.until} is before `from` {self.since}")
        return self

    def holds(self, day: datetime.date) -> bool:
        """True where *day* is in it."""
        if self.since and self.until:
            return self.since <= day <= self.until
        return DAYS[day.weekday()] in self.days


class MergeRules(Document):
    """What ``merging.yaml`` says of one environment."""

    auto_merge: bool = Field(default=False, alias="autoMerge", description="Whether any request merges by itself.")
    models: tuple[str, ...] | None = Field(default=None, description="Only of these models; all where it is left out.")
    reviews: Literal["required", "waived"] = Field(
        default="required", description="Whether owners (CODEOWNERS) must have approved the very commit."
    )
    freeze: tuple[Freeze, ...] = Field(default=(), description="Times in which nothing merges by itself.")
    timezone: str = Field(default="Etc/UTC", description="Where days begin: a name in the IANA database.")

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, timezone: str) -> str:
        try:
            ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{timezone!r} is no time zone, such as Europe/Berlin") from None
        return timezone


def before_looking(rules: MergeRules, request: Request, now: datetime.datetime) -> Iterator[str]:
    """Why *request* does not merge by itself at *now*, as far as that is known without asking anybody."""
    if not rules.auto_merge:
        yield "autoMerge is not true"
    if rules.models is not None and request.subject.model not in rules.models:
        yield f"{request.subject.model} is not among its models"
    if request.subject.reverts or request.subject.retires:
        yield "it takes a model out of service: people decide that"
    if request.subject.tries:
        yield "it tries a second version, or ends that: people decide it"
    if said := frozen(rules.freeze, rules.timezone, now):
        yield said


def frozen(freezes: Sequence[Freeze], timezone: str, now: datetime.datetime) -> str | None:
    """That *now* lies in one of *freezes*, until when and why; None where it does not. Those that follow each other end together."""
    zone = ZoneInfo(timezone)
    first = day = now.astimezone(zone).date()
    why = [freeze.why for freeze in freezes if freeze.holds(day)]
    if not why:
        return None
    while any(freeze.holds(day) for freeze in freezes):
        day += ONE_DAY
        if (day - first) > LONGEST_FREEZE:
            return f"frozen for good: {'; '.join(why)}"
    return f"frozen until {day:%a %Y-%m-%d} 00:00 {timezone}: {'; '.join(why)}"


def of_people(rules: MergeRules, now: datetime.datetime) -> list[Check]:
    """The check of a promotion that people would merge at *now*; none where no freeze of *rules* is meant for people.

    Not final: in an emergency a reviewer may go past it, by name. A way back is never frozen.
    """
    meant = [freeze for freeze in rules.freeze if freeze.people]
    if not meant:
        return []
    said = frozen(meant, rules.timezone, now)
    return [Check("freeze", said is None, said or "no freeze now")]


def of_reviews(rules: MergeRules, approval: ReviewStanding) -> Iterator[str]:
    """Why the reviews of a request keep it from merging by itself. A no is a no, whatever is waived."""
    if approval.state == "refused" or (rules.reviews == "required" and approval.state != "given"):
        yield approval.said


def of_overrides(checks: Sequence[Check]) -> Iterator[str]:
    """Why a request that goes by an override waits for people: who lets a model past a gate is no rule."""
    return (
        f"it goes by an override, which people merge: {one.reason}"
        for one in checks
        if one.name == OVERRIDES and one.passed
    )


def of_checks(checks: Sequence[Check]) -> Iterator[str]:
    """Every check that is red: nobody is there to overrule one."""
    return (f"{check.name}: {check.reason}" for check in checks if not check.passed)
