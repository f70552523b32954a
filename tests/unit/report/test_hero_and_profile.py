"""The head of a report, the pictures of its data, and what is left out of it."""

from dataclasses import replace

import pytest

from argosy.domain.bundle import Bins, Histogram, Moments
from argosy.domain.evidence import DECISIONS, ChampionRef, Curve, Table
from argosy.report import charts, data_profile, hero, html, views
from argosy.report.record import RunReport
from kit import examples, reported


def test_the_head_says_the_score_against_the_champion(report: RunReport) -> None:
    """Value, champion, interval, and what is otherwise than with it; text of others stays text."""
    changes = Table(
        title=DECISIONS, dimension="performance", header=["Decision"], rows=[["all", "23", "1.6%", "10", "13"]]
    )
    champion = reported.evidence().champion.model_copy(update={"snapshot_digest": "sha256:" + "f" * 64})
    judged = reported.evidence(tables=[changes], champion=champion)
    found = hero.of(replace(report, evidence=judged))
    assert found
    assert judged.comparison
    assert found.beside.startswith("champion, version 3: ")
    assert judged.comparison.outcome in found.difference
    assert dict(found.changed) == {
        "data": "another snapshot than the champion's",
        "decisions": "23 of 1,409 (1.6%) would be others",
    }
    text = html.render(replace(report, evidence=judged))
    assert text.index('class="hero') < text.index('<main id="content">')


def test_the_head_of_a_first_model(report: RunReport) -> None:
    """There is no champion; of a run without evidence there is no head."""
    first = reported.evidence(comparison=None, champion=ChampionRef(model="vessels", policy_digest=reported.DIGEST))
    found = hero.of(replace(report, evidence=first))
    assert found
    assert (found.metric, found.value, found.beside, found.difference) == ("AUC", "0.848", "no champion yet", "")
    assert hero.of(replace(report, evidence=None)) is None


def test_the_head_of_a_language_model(report: RunReport) -> None:
    """It is told by what its first gate measures; steps that it does not have were not missed."""
    gates = [reported.gate("faithfulness.mean", 0.93, ">= 0.9")]
    judged = reported.evidence(task="answers", comparison=None, gates=gates)
    entries = (replace(report.entries[0], template="collect"), *report.entries[1:])
    of_answers = replace(report, evidence=judged, entries=entries, training=None, history=None)
    found = hero.of(of_answers)
    assert found
    assert (found.metric, found.value) == ("mean", "0.93")
    assert views.left_out(of_answers) == []


@pytest.mark.parametrize(
    ("metric", "unit", "told"),
    [("mae", "min", " min"), ("r2", "min", ""), ("mae", None, ""), ("p95_ms", None, " ms")],
)
def test_scores_of_values_have_the_unit_of_the_label(
    report: RunReport, metric: str, unit: str | None, told: str
) -> None:
    """Where the contract says one; a share has none."""
    settings = examples.make_settings("regression", [], "mae")
    source = settings.sources[0]
    label = source.columns[0].model_copy(update={"name": "late", "type": "number", "unit": unit})
    settings = settings.model_copy(
        update={
            "sources": [source.model_copy(update={"columns": [*source.columns, label]})],
            "label": settings.label.model_copy(update={"columns": ["late"]}),
        }
    )
    assert hero.label_unit(replace(report, settings=settings), metric) == told


def test_a_column_is_drawn_as_what_its_rows_are() -> None:
    """Levels by their size, few numbers by their values, many as bars of equal width; personal data not at all."""
    schema = reported.full().features
    assert schema
    hidden = schema.features[0].model_copy(update={"name": "age", "personal": True})
    bins = Bins(
        reference="holdout",
        rows=100,
        columns=[
            Histogram(column="contract", levels=["One year", "Two year"], counts=[60, 30, 0], missing=10),
            Histogram(column="senior", edges=[0.125, 0.875], counts=[80, 0, 20], missing=0),
            Histogram(column="tenure", edges=[0.0, 12.0, 24.0], counts=[5, 60, 30, 5], missing=0),
            Histogram(column="age", edges=[1.0, 2.0, 3.0], counts=[1, 1, 1, 1], missing=0),
            Histogram(column="flat", edges=[], counts=[100], missing=0),
        ],
        prediction=Histogram(column="prediction", edges=[0.5], counts=[50, 50], missing=0),
        scores=Moments(),
    )
    shown = data_profile.columns(bins, schema.model_copy(update={"features": [hidden]}))
    assert [column.name for column in shown] == ["contract", "senior", "tenure", "flat"]
    contract, senior, tenure, flat = shown
    assert (contract.missing, contract.said) == ("10 %", "One year: 66.7 %; Two year: 33.3 %")
    assert [(bar.title, bar.height) for bar in senior.bars] == [("0: 80 %", 100.0), ("1: 20 %", 25.0)]
    assert [bar.height for bar in tenure.bars] == [100.0] * 12 + [50.0] * 12
    assert tenure.said == "5 % below 0, 5 % from 24 on"
    assert (flat.bars, flat.said) == ((), "one value")
    assert data_profile.columns(None, schema) == []


def bins_of(columns: list[Histogram]) -> Bins:
    """Counts of *columns* alone."""
    prediction = Histogram(column="prediction", edges=[0.5], counts=[50, 50], missing=0)
    return Bins(reference="holdout", rows=100, columns=columns, prediction=prediction, scores=Moments())


def test_what_most_rows_have_is_in_the_picture() -> None:
    """Of a number that is zero in most rows the zeros are the highest bar, apart; years have no comma."""
    counted = [
        Histogram(column="pool", edges=[8.0, 16.0, 32.0], counts=[85, 5, 5, 5], missing=0),
        Histogram(column="sold", edges=[1990.0, 2000.0, 2010.0], counts=[5, 45, 45, 5], missing=0),
    ]
    pool, sold = data_profile.columns(bins_of(counted), None)
    assert (pool.bars[0].height, pool.bars[0].title) == (100.0, "85 % below 8")
    assert max(bar.height for bar in pool.bars[1:]) < 1.0
    assert pool.bars[1].x > pool.bars[0].x + pool.bars[0].width + 1.0
    assert pool.bars[-1].x + pool.bars[-1].width <= 100.0
    assert sold.said == "5 % below 1990, 5 % from 2010 on"


def test_many_columns_are_folded(report: RunReport) -> None:
    """The first of them are seen at once; the summary says how many are not."""
    counted = [Histogram(column=f"c{each}", levels=["a"], counts=[9, 1], missing=0) for each in range(30)]
    text = html.render(replace(report, bins=bins_of(counted)))
    assert f"<summary>{30 - data_profile.SHOWN} more columns</summary>" in text
    assert text.count('<div class="profile">') == 2
    assert "more columns" not in html.render(replace(report, bins=bins_of(counted[:24])))


def test_a_confusion_matrix_is_a_heat_map(report: RunReport) -> None:
    """A line's cells are as dark as the share of its rows; what is no number is not shaded."""
    assert views.heat(["830", "215", "n/a"]) == [8, 2, None]
    assert views.heat(["0", "0"]) == [0, 0]
    matrix = Table(
        title="Confusion matrix",
        dimension="performance",
        header=["True class", "decided a", "decided b"],
        rows=[["a", "1,000", "0"], ["b", "5", "5"]],
    )
    text = html.render(replace(report, evidence=reported.evidence(tables=[matrix])))
    assert '<td class="n heat-10">1,000</td><td class="n heat-0">0</td>' in text


def test_sections_without_anything_are_left_out(stopped: RunReport) -> None:
    """One sentence says how far the run came; what could not be read has its section."""
    assert views.sections(stopped) == ["data"]
    text = html.render(stopped)
    assert 'id="tuning"' not in text
    assert "did not get as far as validating its data, building features, tuning, training, its evaluation" in text
    lost = replace(stopped, unreadable=("training.json of step train: no rounds",))
    assert views.sections(lost) == ["data", "training"]


def test_the_version_before_lies_beneath() -> None:
    """The candidate's line is the first and strongest, then others, then the champion's, then standards."""
    line = [(0.0, 0.0), (1.0, 1.0)]
    curve = Curve(
        title="ROC curve",
        dimension="performance",
        x_label="x",
        y_label="y",
        series={"champion": line, "chance": line, "model": line, "other": line},
    )
    assert [each.name for each in charts.of_curve(curve).lines] == ["model", "other", "champion", "chance"]
