"""The cause of a retraining: it comes out as it went in, whatever it holds, and nothing on its way can take it for code."""

import datetime
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy import errors
from argosy.domain import retraining_cause
from argosy.domain.retraining_cause import Alert, Cause, MovedColumn, PerformanceChange
from argosy.templates import parameter_values

MOMENT = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
DRIFT = Cause(
    kind="drift",
    alert=Alert(name="ArgosyDrift", fingerprint="a1b2", starts_at=MOMENT),
    environment="production",
    model_digest="sha256:00",
    since=MOMENT,
    until=MOMENT + datetime.timedelta(days=1),
    columns=[MovedColumn(column="tenure", measure="Jensen-Shannon distance", before=0, now=0.42)],
    performance=PerformanceChange(metric="auc", before=0.84, now=0.71),
    explanation="tenure differs",
    admission="churn-1",
)
HOSTILE = (
    "{{workflow.parameters.data}} {{=1+1}} '; rm -rf / #` $(id) ${IFS} <(x) a|b&c \n\r\0\u2028\u202e @all fixes #1"
)
TEXTS = st.text(max_size=600)
NAMES = st.text(min_size=1, max_size=200)


def test_the_same_text_for_the_same_cause() -> None:
    """One cause has one text, on one line, and comes back from it."""
    assert DRIFT.text() == DRIFT.model_copy().text()
    assert "\n" not in DRIFT.text()
    assert retraining_cause.parse(DRIFT.text()) == DRIFT


@pytest.mark.parametrize("text", ["", " ", "\n"])
def test_no_cause(text: str) -> None:
    """A retraining without a cause is started with an empty value."""
    assert retraining_cause.parse(text) is None


@given(column=NAMES, explanation=TEXTS, name=NAMES)
def test_whatever_it_holds_it_is_a_value(column: str, explanation: str, name: str) -> None:
    """Names and sentences come back unchanged, and what carries them finds neither an expression nor shell code."""
    cause = Cause(
        kind="drift",
        alert=Alert(name=name, fingerprint="f", starts_at=MOMENT),
        columns=[MovedColumn(column=column, measure="m", explanation=explanation)],
        explanation=explanation,
    )
    assert retraining_cause.parse(cause.text()) == cause
    assert not list(parameter_values.problems("cause", cause.text()))


def test_hostile_text_is_a_value() -> None:
    """What Argo, a shell or a reader's screen would obey stands in the value as JSON's escapes."""
    text = Cause(kind="hand", explanation=HOSTILE).text()
    assert not set(";|&`$<>\n\r\0\u2028\u202e") & set(text)
    assert "{{" not in text
    assert json.loads(text)["explanation"] == HOSTILE


def test_the_least_telling_columns_go_first() -> None:
    """A cause is never longer than what carries it takes; then it holds fewer columns."""
    columns = [MovedColumn(column=f"c{index}", measure="m", explanation=";" * 600) for index in range(20)]
    text = Cause(kind="drift", columns=columns).text()
    assert len(text) <= retraining_cause.LONGEST
    found = retraining_cause.parse(text)
    assert found is not None
    assert 1 < len(found.columns) < 20
    assert found.columns == columns[: len(found.columns)]


def test_what_is_longest_fits() -> None:
    """Every field at its longest, in characters whose escapes are longest, is still a value."""
    name = "\U000f0000" * 200
    cause = Cause(
        kind="performance",
        alert=Alert(name=name, fingerprint=name, starts_at=MOMENT),
        environment=name,
        model_digest=name,
        performance=PerformanceChange(metric=name),
        explanation="\U000f0000" * 600,
        admission=name,
    )
    assert retraining_cause.parse(cause.text()) == cause


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("{", "the whole: Invalid JSON", id="no-json"),
        pytest.param("[]", "the whole", id="no-object"),
        pytest.param('{"kind":"whim"}', "kind: Input should be 'drift'", id="unknown-kind"),
        pytest.param('{"kind":"drift","who":"ada"}', "who: Extra inputs are not permitted", id="unknown-field"),
        pytest.param(
            '{"kind":"drift","columns":[{"column":"c","measure":"m","now":NaN}]}', "columns.0.now", id="undefined"
        ),
        pytest.param('{"kind":"drift","since":"2026-03-01T12:00:00"}', "since", id="time-without-zone"),
        pytest.param(json.dumps({"kind": "hand", "explanation": "x" * 601}), "explanation", id="too-long-a-sentence"),
        pytest.param(" " * 40_000 + "{}", "characters", id="too-long"),
        pytest.param(json.dumps({"x" * 5000: 1, "kind": "hand"}), "Extra inputs", id="long-field"),
    ],
)
def test_what_is_none_is_refused_in_one_line(text: str, says: str) -> None:
    """The one who started it reads which field is wrong, in one line, which does not repeat what was given."""
    with pytest.raises(errors.Misconfigured, match=r"^parameter cause: [^\n]{1,300}$") as refused:
        retraining_cause.parse(text)
    assert says in str(refused.value)


def test_a_refusal_repeats_no_value() -> None:
    """A value may be anything, a customer's name too; the message says the field and not what stood there."""
    with pytest.raises(errors.Misconfigured) as refused:
        retraining_cause.parse('{"kind":"hand","since":"Ada Lovelace"}')
    assert "Lovelace" not in str(refused.value)


def test_columns_that_are_left_out() -> None:
    """Columns that the contract calls personal can be taken out."""
    assert DRIFT.without(frozenset({"tenure"})).columns == []
    assert DRIFT.without(frozenset({"other"})) == DRIFT


@pytest.mark.parametrize("kind", ["new data", "push", "schedule", "hand"])
def test_only_a_changed_world_asks_for_better(kind: str) -> None:
    """Drift and performance below the gate ask for a better model; other causes for one that is not worse."""
    assert DRIFT.must_be_better
    assert not Cause.model_validate({"kind": kind}).must_be_better


def test_a_sentence_is_shortened_to_one_line() -> None:
    """Sentences of others are cut to what a cause takes."""
    assert retraining_cause.shortened("a\n b") == "a b"
    assert len(retraining_cause.shortened("x" * 5000)) == 600
