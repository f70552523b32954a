"""The demonstration of seasons: what its script demands of the weeks, and what a week's line says."""

import datetime
from pathlib import Path

import pytest

from argosy import errors
from argosy.cli.demonstration import script, season, season_model
from argosy.cli.demonstration.script import SeasonScript
from argosy.cli.demonstration.season import ReplayedWeek
from argosy.domain.drift import Word
from argosy.domain.performance_report import LabelCounts
from kit import looked

WORKFLOWS = Path(__file__).parents[3] / "workflows"
STORY = SeasonScript.model_validate(
    {
        "says": "flights",
        "begin": "2013-01-07",
        "weeks": 3,
        "alarms": 1,
        "quiet": 0,
        "change": {"says": "x", "column": "origin", "value": "EWR"},
    }
)
MONDAY = datetime.datetime(2013, 1, 7, tzinfo=datetime.UTC)


def week(
    number: int = 0, *, by_season: Word = "no drift", by_holdout: Word = "drift", known: int = 550
) -> ReplayedWeek:
    """A week of 600 rows, of which *known* had a label when it ended."""
    return ReplayedWeek(
        begin=MONDAY + number * season.WEEK,
        share=0.1 * (number + 1),
        by_season=looked.look(by_season, rows=600),
        by_holdout=looked.look(by_holdout, rows=600),
        then=looked.performance(labels=LabelCounts(predictions=600, labelled=known)),
        later=looked.performance(labels=LabelCounts(predictions=600, labelled=600)),
    )


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob(f"*/{script.SEASON}")), ids=lambda path: path.parent.name)
def test_committed_scripts_can_be_shown(path: Path) -> None:
    """The script is read, and its model has seasons."""
    assert script.load_season(path.parent).weeks
    assert season_model.settings_of(path.parent).monitor


def test_a_model_without_seasons_is_refused() -> None:
    """Before anything is read or trained."""
    with pytest.raises(errors.Misconfigured, match=r"churn cannot be shown by seasons: .*`monitor\.baseline: season`"):
        season_model.settings_of(WORKFLOWS / "churn")


def test_data_that_is_not_there_is_named_with_how_it_is_had(tmp_path: Path) -> None:
    """In a clean clone there is none."""
    folder = WORKFLOWS / "flight_delay"
    with pytest.raises(errors.Misconfigured, match=r"has no flights\.parquet: `make data` writes it"):
        season_model.data_of(folder, season_model.settings_of(folder), tmp_path)


def test_what_the_script_allows_passes() -> None:
    """One week of three may alarm with the season."""
    season.check([week(0), week(1, by_season="drift"), week(2)], STORY)


@pytest.mark.parametrize(
    ("weeks", "reason"),
    [
        pytest.param(
            [week(0, by_season="drift"), week(1), week(2, by_season="drift")],
            r"2 weeks are not without drift \(2013-01-07, 2013-01-21\), and 1 were to be at most",
            id="seasons-alarm",
        ),
        pytest.param(
            [week(0, by_season="too few"), week(1, by_season="too few")], "2 weeks are not", id="nothing-was-said"
        ),
        pytest.param(
            [week(0, by_holdout="no drift")], r"by the holdout 1 weeks are no drift \(2013-01-07\)", id="calm"
        ),
        pytest.param([week(0, known=600)], "no label of the week of 2013-01-07 came after", id="labels-not-later"),
    ],
)
def test_weeks_that_tell_another_story_end_it(weeks: list[ReplayedWeek], reason: str) -> None:
    """With the weeks by name."""
    with pytest.raises(errors.ArgosyError, match=f"^the demo stopped: .*{reason}"):
        season.check(weeks, STORY)


def test_weeks_are_summed_up(capsys: pytest.CaptureFixture[str]) -> None:
    """What the season does, and how often either baseline alarms."""
    season.sum_up([week(0), week(1), week(2, by_season="drift")], "late")
    assert capsys.readouterr().out.splitlines() == [
        "   late: 10% in the week of 2013-01-07, 30% in that of 2013-01-21",
        "   drift by its season: 1 of 3 weeks; by the holdout: 3 of 3",
    ]
