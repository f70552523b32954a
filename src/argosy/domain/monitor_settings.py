"""The section ``monitor`` of a model's ``model.yaml``: how what a model is asked and answers is watched."""

import datetime
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from argosy.domain.documents import Document
from argosy.domain.time_spans import Age, Duration, span

FEWEST_ROWS = 2
"""With fewer a sample has no variance."""
FEWEST_COMPARED = 20
"""With fewer rows compared, nothing is said of online and offline features."""
FEWEST_WINDOWS = 2
"""Earlier windows from which on it can be said how far one usually is from the others."""

Baseline = Literal["holdout", "season", "previous window"]
"""Holdout: rows that the model never saw. Season: rows of the same season. Previous window: what was logged just before."""

Distance = Annotated[float, Field(gt=0, allow_inf_nan=False)]

_HOUR = datetime.timedelta(hours=1)
_DAY = datetime.timedelta(days=1)
_WEEK = 7 * _DAY
_YEAR = 365 * _DAY


class DriftLimits(Document):
    """The limits above which a difference is called drift."""

    significance: float = Field(
        default=0.05,
        gt=0,
        lt=1,
        description="Upper bound of the rate at which windows without any drift are called one, over all columns and slices together.",
    )
    distance: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="Jensen-Shannon distance (0 to 1) from which a difference matters: with many rows the smallest one is significant. "
        "A normal distribution that moves by a quarter of its standard deviation is this far from where it was.",
    )
    mean_shift: float = Field(
        default=0.15,
        ge=0,
        le=10,
        description="Relative change of the mean prediction that matters; 0.15 is fifteen percent.",
    )
    mean_deviations: float = Field(
        default=0.1,
        ge=0,
        description="Standard deviations of the scores by which the mean must have moved besides: round a mean near 0 any change is "
        "relatively large.",
    )
    own: dict[str, Distance] = Field(
        default_factory=dict,
        description="Measure that an installed package brings (entry point `argosy.drift_measures`) to the distance from which a "
        "difference matters by it, beside `distance`; a test confirms either.",
    )


class Seasonality(Document):
    """What comes again: rows of one season are like those of the same season before."""

    by: Literal["hour of week", "month"] = Field(
        description="What makes a season: the hours of a week, in blocks of six, or the months of a year."
    )
    timezone: Annotated[str, Field(pattern=r"^[A-Za-z]+(/[A-Za-z0-9_+-]+)*$")] = Field(
        default="Etc/UTC",
        description="By whose clock, such as Europe/Berlin: people's hours move with daylight saving.",
    )
    history: Duration | None = Field(
        default=None,
        description="How far back what was logged is a source of the season, such as 28d or 400d: the same hours of earlier weeks, or the "
        "same month of an earlier year. The training data where that is too little, or where it is absent.",
    )

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, timezone: str) -> str:
        try:
            ZoneInfo(timezone)
        except (KeyError, OSError, ValueError):
            raise ValueError(f"{timezone!r} is no time zone, such as Europe/Berlin") from None
        return timezone

    def is_counted_as(self, other: "Seasonality | None") -> bool:
        """True where the seasons of *other* are the same, whatever their source."""
        return other is not None and (self.by, self.timezone) == (other.by, other.timezone)

    def step(self, window: datetime.timedelta) -> datetime.timedelta:
        """How far apart windows of that length are that may have the same seasons: whole weeks, or their own length."""
        return -(-window // _WEEK) * _WEEK if self.by == "hour of week" else window


class SkewSettings(Document):
    """How the features that answers were given by are held against what the sources say of the same moment."""

    rows: int = Field(
        default=1000,
        ge=FEWEST_COMPARED,
        le=100_000,
        description="Logged rows, and entities of the online store, that are drawn of a window and looked up in the sources.",
    )
    most: float = Field(
        default=0.01,
        ge=0,
        lt=1,
        description="Share of the compared values of one feature that may differ.",
    )
    tolerance: float = Field(
        default=1e-6,
        ge=0,
        lt=1,
        description="By which share of the larger of two numbers they may differ and count as equal; categories and missing values have "
        "to be equal.",
    )
    every: Age = Field(
        default="6h",
        description="How often `watch-drift` compares: it reads the sources for it. A look before that carries what was found last.",
    )


class Monitor(Document):
    """How the predictions of a model are watched where it is served."""

    window: Duration = Field(
        default="24h", description="How much of the log each look judges, such as 24h or 7d; whole hours."
    )
    every: Duration = Field(
        default="1h",
        description="How often it is looked at: a part of an hour such as 15m, or a part of a day such as 6h.",
    )
    minimum_rows: int = Field(default=200, ge=FEWEST_ROWS, description="Fewer logged rows in a window say nothing.")
    thresholds: DriftLimits = DriftLimits()
    slices: list[str] = Field(
        default_factory=list,
        description="Features of a few values, each of which is judged by itself too: what moves in a small part is lost in the whole.",
    )
    baseline: Baseline = Field(
        default="holdout",
        description="What a window is held against: the model's holdout, the same season of what is known (`seasonality`), or "
        "the window before.",
    )
    seasonality: Seasonality | None = Field(default=None, description="Of the baseline `season`.")
    skew: SkewSettings | None = Field(
        default=None,
        description="Hold the features of what was answered, and those of the online store, against the sources; absent: nobody compares "
        "unless `argosy skew` is typed.",
    )

    @field_validator("window")
    @classmethod
    def _is_whole_hours(cls, window: str) -> str:
        if span(window) % _HOUR:
            raise ValueError(f"{window!r} is no whole number of hours; the log is counted by the hour")
        return window

    @field_validator("every")
    @classmethod
    def _is_a_part(cls, every: str) -> str:
        length = span(every)
        if not (length <= _HOUR and not _HOUR % length) and not (not length % _HOUR and not _DAY % length):
            raise ValueError(f"{every!r} is no part of an hour, such as 15m, and no part of a day, such as 6h or 1d")
        return every

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.baseline == "season" and self.seasonality is None:
            raise ValueError("`baseline: season` needs `seasonality`, such as {by: month}")
        if span(self.every) > self.length:
            raise ValueError(
                f"`every` is {self.every} and `window` {self.window}: most of what is answered between two looks is never judged; "
                "let `window` be as long at least"
            )
        self._remembers_enough()
        if twice := [name for index, name in enumerate(self.slices) if name in self.slices[:index]]:
            raise ValueError(f"the slice {twice[0]!r} is there twice")
        return self

    def _remembers_enough(self) -> None:
        seasonality = self.seasonality
        if seasonality is None or seasonality.history is None:
            return
        least = _YEAR if seasonality.by == "month" else FEWEST_WINDOWS * seasonality.step(self.length)
        if span(seasonality.history) < least:
            raise ValueError(
                f"`seasonality.history` is {seasonality.history}: windows of {self.window} by {seasonality.by} need {least.days}d at least"
            )

    def without_slices(self, baseline: Baseline) -> Self:
        """The same for rows that have none of the columns that it slices by, held against *baseline*."""
        return self.model_copy(update={"slices": [], "baseline": baseline})

    @property
    def length(self) -> datetime.timedelta:
        """How long a window is."""
        return span(self.window)

    @property
    def due(self) -> datetime.timedelta:
        """How far ahead the next look may end that is due."""
        return max(span(self.every), _HOUR)

    @property
    def cron(self) -> str:
        """``every`` as a cron schedule. Looks stand a few minutes after the hour, so that servers have shipped what they answered in it."""
        length = span(self.every)
        if length < _HOUR:
            minutes = int(length / datetime.timedelta(minutes=1))
            return f"{_AFTER % minutes}-59/{minutes} * * * *"
        hours = length // _HOUR
        return f"{_AFTER} * * * *" if hours == 1 else f"{_AFTER} {'0' if hours == 24 else f'*/{hours}'} * * *"


_AFTER = 5
"""Minutes after the hour."""
