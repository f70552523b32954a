"""Features that a server has as numbers already: the records are those of the same features as values, whatever they lie beside."""

import io
import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from argosy.adapters.segment_log import blocks, columns, framing, segments
from argosy.ports.prediction_log import OTHER, AnsweredRows, CodedFeatures, FeatureWords, Prediction
from argosy.testing.prediction_log_contract import FEATURES, SERVED, prediction

NAN = math.nan
WORDS = FeatureWords(["tenure", "contract"], [None, ("month", "year", OTHER)])
AMONG_OTHERS = FeatureWords(WORDS.names, WORDS.words, np.array([0, 2]))


def answered(features: CodedFeatures, request: str = "r1", at: float = 1.75e9) -> AnsweredRows:
    """A request of two rows."""
    return AnsweredRows(
        at, request, entities=None, features=features, scores=np.array([[0.25], [0.75]]), decisions=["no", "yes"]
    )


def coded() -> AnsweredRows:
    """With what is logged, and nothing else."""
    return answered(CodedFeatures(WORDS, np.array([[0.1, NAN], [2.0, NAN]])))


def among_others() -> AnsweredRows:
    """With what is logged, and an age between."""
    return answered(CodedFeatures(AMONG_OTHERS, np.array([[3.0, 4.0], [777.25, 777.5], [0.0, 1.0]])), "r2")


def table(batches: Sequence[Sequence[Prediction]]) -> pa.Table:
    """What is read of a block of *batches*."""
    content = [segments.header(SERVED, FEATURES), blocks.packed(batches, FEATURES)]
    return columns.logged(framing.SegmentContent(content, damaged=0)).table


@pytest.mark.parametrize(
    "batches",
    [
        pytest.param([coded()], id="coded"),
        pytest.param([among_others(), among_others()], id="among-others"),
        pytest.param([coded(), among_others()], id="both"),
        pytest.param([coded(), [prediction(3)], among_others()], id="beside-values"),
    ],
)
def test_records_are_those_of_their_values(batches: list[Sequence[Prediction]]) -> None:
    """Every field, bit by bit, and in the same order."""
    values: list[Sequence[Prediction]] = [list(batch) for batch in batches]
    assert table(batches).equals(table(values))
    assert table(batches).num_rows == sum(map(len, batches))


def test_what_coded_features_say() -> None:
    """Numbers, nulls, levels and what is none of them, by name."""
    assert [row.features for row in coded()] == [
        {"tenure": 0.1, "contract": OTHER},
        {"tenure": None, "contract": None},
    ]
    assert [row.features for row in among_others()] == [
        {"tenure": 3.0, "contract": "month"},
        {"tenure": 4.0, "contract": "year"},
    ]
    assert "age" not in among_others().features


def test_what_may_not_be_kept_is_not_written() -> None:
    """A column that is not logged reaches no byte of a block, though it lay in the same array."""
    block = blocks.packed([among_others()], FEATURES)
    assert np.array([3.0]).tobytes() in block
    assert np.array([777.25]).tobytes() not in block


def test_a_category_of_thousands_is_not_spelled_out_in_each_block() -> None:
    """A block names the levels that occur in it; the records are the same."""
    many = FeatureWords(["contract"], [(*(f"level {number}" for number in range(5_000)), OTHER)])
    features = [("contract", "category")]
    request = answered(CodedFeatures(many, np.array([[4_999.0, NAN]])))
    block = blocks.packed([request], features)
    assert len(block) < 500
    head = segments.header(SERVED, features)
    found = columns.logged(framing.SegmentContent([head, block, block], damaged=0)).table
    assert found["features"].to_pylist() == [{"contract": "level 4999"}, {"contract": None}] * 2


def test_a_code_that_means_nothing_is_damage() -> None:
    """A block whose checksum holds and whose codes do not is none of ours."""
    block = blocks.packed([coded()], FEATURES)
    spoiled = block[:-4] + (9).to_bytes(4, "little")
    with pytest.raises(ValueError, match="a code means no word"):
        columns.logged(framing.SegmentContent([segments.header(SERVED, FEATURES), spoiled], damaged=0))


def test_others_read_texts() -> None:
    """What is shipped is plain to every reader of Parquet: texts, times with their zone, and our own word beside them."""
    content = framing.SegmentContent([segments.header(SERVED, FEATURES), blocks.packed([coded()], FEATURES)], damaged=0)
    (part,) = columns.hours(content)
    shipped = columns.packed(part.coded)
    found = pq.read_table(io.BytesIO(shipped))
    assert found.schema.field("request_id").type == pa.string()
    assert found.schema.field("features").type == pa.struct([("tenure", pa.float64()), ("contract", pa.string())])
    assert found.schema.field("time").type == pa.timestamp("us", tz="UTC")
    assert columns.unpacked(shipped).table.to_pylist() == part.found.table.to_pylist()
    assert columns.unpacked(columns.packed(part.found)).table.to_pylist() == part.found.table.to_pylist()


def test_records_of_which_no_feature_is_kept_are_shipped() -> None:
    """All of them may be personal: time, request, entity, score and decision are there all the same, of every hour."""
    rows = [prediction(number, at=1_790_000_000 + 3600 * number) for number in range(3)]
    content = framing.SegmentContent([segments.header(SERVED, []), blocks.packed([rows], [])], damaged=0)
    parts = columns.hours(content)
    assert len(parts) == 3
    for number, part in enumerate(parts):
        (row,) = columns.unpacked(columns.packed(part.coded)).table.to_pylist()
        assert (row["score"], row["features"]) == ([number / 1000], {})


TEXTS = [
    pytest.param([], id="none"),
    pytest.param(["a", "", "\N{SNOWMAN}\N{PILE OF POO}", "ü" * 300], id="any"),
    pytest.param([None, *"abcdefgh", None], id="with-nulls"),
    pytest.param([None], id="null-alone"),
]


@pytest.mark.parametrize("texts", TEXTS)
def test_texts_are_what_arrow_makes_of_them(texts: list[str | None]) -> None:
    """Whatever is in them."""
    made = columns._strings(texts)
    made.validate(full=True)
    assert made.equals(pa.array(texts, pa.string()))


def test_numbers_are_what_arrow_makes_of_them() -> None:
    """Also a column of a larger array, and where some are absent."""
    values = np.array([[1.5, NAN], [2.5, 3.5], [NAN, NAN]])[:, 1]
    assert columns._array(values, absent=np.isnan(values)).equals(pa.array(values, from_pandas=True))
    assert columns._array(np.arange(3, dtype=np.int32)).equals(pa.array([0, 1, 2], pa.int32()))


def test_nothing_that_ships_imports_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    """``pa.array`` does, and what takes a value of Python's for one of Arrow's: also where an hour ends
    while a batch is taken, as it does once an hour."""
    equal = pc.equal

    def of_arrow(values: object, value: object) -> object:
        assert isinstance(value, pa.Scalar)
        return equal(values, value)

    monkeypatch.setattr(pa, "array", None)
    monkeypatch.setattr(pc, "equal", of_arrow)
    later = answered(CodedFeatures(WORDS, np.array([[0.5, NAN], [1.0, NAN]])), "r3", at=1.75e9 + 3600)
    batches = [later, coded(), among_others()]
    code = [segments.header(SERVED, FEATURES), *(blocks.packed([one], FEATURES) for one in batches)]
    first, second = columns.hours(framing.SegmentContent(code, damaged=0))
    assert (first.coded.table.num_rows, second.coded.table.num_rows) == (4, 2)
    assert (second.ref.hour - first.ref.hour).total_seconds() == 3600
    assert columns.packed(first.coded)
