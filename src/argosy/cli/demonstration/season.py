"""Shows a model whose rows have seasons: real weeks, each looked at as it ends, with the season and without, and labels as they come.

The model never sees the rows that are replayed: every second one of the training side is set aside before anything is learned. Everything
after that is what a cluster runs every hour: the looks of ``watch-drift``, and real performance by the labels known at the moment.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from argosy import errors, wiring
from argosy.cli.demonstration import season_model
from argosy.cli.demonstration.script import SeasonScript
from argosy.cli.demonstration.stages import Stages, faint, say
from argosy.domain.looks import Look
from argosy.domain.performance_report import Performance
from argosy.ports.objects import Objects
from argosy.report import formats

if TYPE_CHECKING:  # it counts, with libraries that take a second to load
    from argosy.monitoring.replays import Replay

WEEK = datetime.timedelta(days=7)
DAY = datetime.timedelta(days=1)
TOLD = 3
"""Columns that a line names."""
WIDTHS = (10, 5, 6, 12, 39, 8, 11, 8, 0)
"""Of the columns of the table."""


@dataclass(frozen=True)
class ReplayedWeek:
    """One week of it."""

    begin: datetime.datetime
    share: float
    """Of the second class among its rows, by labels that came."""
    by_season: Look
    by_holdout: Look
    then: Performance
    """By the labels that were known when it ended."""
    later: Performance

    @property
    def day(self) -> str:
        """Its first one."""
        return f"{self.begin:%Y-%m-%d}"


@dataclass
class SeasonDemo:
    """One showing of one model with seasons."""

    folder: Path
    story: SeasonScript
    data_root: Path
    stages: Stages
    scratch: Path

    def play(self) -> None:
        """All stages. Raises ArgosyError where the seasons are not told as the script has it."""
        model, story = season_model.settings_of(self.folder), self.story
        data = season_model.data_of(self.folder, model, self.data_root)
        with self.stages.stage("Make features, as the pipeline makes them"):
            made = season_model.features(self.folder, model, data, self.scratch / "steps")
        with self.stages.stage(f"Set every second one of {story.says} aside, and train on the others"):
            replay = season_model.replay(model, made, data, self.scratch)
        with self.stages.stage(f"Replay {story.weeks} weeks of those: each is looked at as it ends; labels come later"):
            weeks = self._replay(replay, model.label.classes[1])
            sum_up(weeks, model.label.classes[1])
            check(weeks, story)
        with self.stages.stage(f"A real change: {story.change.says}"):
            self._change(replay, max(weeks, key=lambda each: each.share))

    def _replay(self, replay: "Replay", share: str) -> list[ReplayedWeek]:
        """Each week, shown as it ends. *share*: the name of the class whose share is shown."""
        later = f"{self.story.settles} days later"
        say(faint(f"   {_cells('', '', '', 'held against', '', 'labels when it ended', '', later, '')}"))
        say(
            faint(f"   {_cells('week of', 'rows', share, 'its season', 'the holdout', 'known', 'AUC', 'known', 'AUC')}")
        )
        say(faint("   known: predictions with a label by then; AUC: of those, 0.5 is guesswork and 1 tells all apart"))
        first = datetime.datetime.combine(self.story.begin, datetime.time(), datetime.UTC)
        objects, weeks = wiring.passing_objects(), []
        for number in range(self.story.weeks):
            weeks.append(self._week(replay, first + number * WEEK, objects))
            say(f"   {_line(weeks[-1])}")
        return weeks

    def _week(self, replay: "Replay", begin: datetime.datetime, objects: Objects) -> ReplayedWeek:
        end = begin + WEEK
        return ReplayedWeek(
            begin=begin,
            share=replay.share(begin),
            by_season=replay.look(begin, objects, "season"),
            by_holdout=replay.look(begin, objects, "holdout"),
            then=replay.performance(begin, end),
            later=replay.performance(begin, end + self.story.settles * DAY),
        )

    def _change(self, replay: "Replay", week: ReplayedWeek) -> None:
        """Look at *week* once more, as if the change had come with it: a season explains much, and not that."""
        change = self.story.change
        look = replay.without(change.column, change.value).look(week.begin, wiring.passing_objects(), "season")
        say(f"   the week of {week.day} without {change.column} {change.value}: {look.verdict}: {look.explanation}")
        if look.verdict != "drift" or change.column not in look.report.drifted:
            raise errors.ArgosyError(
                f"the demo stopped: {change.says}, and by its season the week of {week.day} is {look.verdict}"
            )


def sum_up(weeks: Sequence[ReplayedWeek], share: str) -> None:
    """Say how often either baseline called a week drift. *share*: the name of the class whose share is shown."""
    least, most = min(weeks, key=lambda each: each.share), max(weeks, key=lambda each: each.share)
    say(f"   {share}: {least.share:.0%} in the week of {least.day}, {most.share:.0%} in that of {most.day}")
    season, holdout = (
        sum(look.verdict == "drift" for look in looks)
        for looks in ([week.by_season for week in weeks], [week.by_holdout for week in weeks])
    )
    say(f"   drift by its season: {season} of {len(weeks)} weeks; by the holdout: {holdout} of {len(weeks)}")


def check(weeks: Sequence[ReplayedWeek], story: SeasonScript) -> None:
    """Raise ArgosyError where more weeks alarm than *story* has it, or fewer without their season, or no label came late."""
    alarms = [week.day for week in weeks if week.by_season.verdict != "no drift"]
    quiet = [week.day for week in weeks if week.by_holdout.verdict != "drift"]
    if len(alarms) > story.alarms:
        raise errors.ArgosyError(
            f"the demo stopped: by their season {len(alarms)} weeks are not without drift ({', '.join(alarms)}), and "
            f"{story.alarms} were to be at most"
        )
    if len(quiet) > story.quiet:
        raise errors.ArgosyError(
            f"the demo stopped: by the holdout {len(quiet)} weeks are no drift ({', '.join(quiet)}), and {story.quiet} were to be at most"
        )
    if early := [week.day for week in weeks if week.later.labels.labelled <= week.then.labels.labelled]:
        raise errors.ArgosyError(f"the demo stopped: no label of the week of {early[0]} came after it had ended")


def _line(week: ReplayedWeek) -> str:
    return _cells(
        week.day,
        formats.number(week.by_season.rows),
        f"{week.share:.0%}",
        week.by_season.verdict,
        _told(week.by_holdout),
        *_worth(week.then),
        *_worth(week.later),
    )


def _told(look: Look) -> str:
    """The verdict, and what moved, the farthest first."""
    if look.verdict != "drift":
        return look.verdict
    names = list(dict.fromkeys(finding.difference.column for part, finding in look.drifted if not part))
    return f"drift: {', '.join(names[:TOLD])}{f' and {len(names) - TOLD} more' if len(names) > TOLD else ''}"


def _worth(found: Performance) -> tuple[str, str]:
    """How complete the labels are, of all predictions, and the AUC by those that are due."""
    share = found.labels.labelled / found.labels.predictions if found.labels.predictions else 0.0
    auc = next((score.value for score in found.scores if score.metric == "auc"), None)
    return f"{share:.0%}", "too few" if auc is None else f"{auc:.3f}"


def _cells(*texts: str) -> str:
    """*texts* in the columns of the table; what is longer takes the place of empty ones behind it."""
    line, end = "", 0
    for width, text in zip(WIDTHS, texts, strict=True):
        line = f"{line:<{end}}{text}" if text else line
        end += width + 2
    return line
