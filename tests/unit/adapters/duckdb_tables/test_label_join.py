"""Labels find their predictions, whatever order they come in, and each kind of bad label is counted and does no harm."""

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy import errors
from argosy.adapters.duckdb_tables.label_join import DuckDBLabelJoin
from argosy.adapters.duckdb_tables.tables import DuckDBTables
from argosy.domain.label_settings import Labels
from argosy.domain.model_settings import Label
from argosy.domain.performance_report import LabelCounts
from argosy.domain.pseudonyms import hashed
from argosy.domain.source_settings import Column, ColumnType, Source
from argosy.ports.label_join import LabelledPredictions, LabelQuestion
from argosy.ports.prediction_log import Logged, ServedRelease

KEY = b"a secret that is longer than a block of the hash function, which is hashed itself then"
BEGIN = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
AS_OF = BEGIN + 1000 * HOUR
TYPES: dict[str, ColumnType] = {
    "id": "string", "request": "string", "place": "integer", "at": "timestamp", "known": "timestamp",
    "left": "string", "revenue": "number",
}  # fmt: skip
ONE = ServedRelease("leaving", "production", 1, "sha256:one")
TWO = ServedRelease("leaving", "production", 2, "sha256:two")

Answer = tuple[str, int]
"""Whose row it is, and the hour at which it was answered."""


def logged(
    answers: Sequence[Answer], served: ServedRelease = ONE, *, requests: Sequence[str] = (), key: bytes = KEY
) -> Logged:
    """What a server logged. Without *requests* each answer is one of its own, called after its place."""
    count = len(answers)
    asked = list(requests) or [f"r{place}" for place in range(count)]
    features = pa.struct([("tenure", pa.float64()), ("contract", pa.string())])
    return Logged(
        served,
        pa.table(
            {
                "time": pa.array([BEGIN + hour * HOUR for _, hour in answers], pa.timestamp("us", tz="UTC")),
                "request_id": asked,
                "row": pa.array([asked[:place].count(each) for place, each in enumerate(asked)], pa.int32()),
                "entity": [hashed({"id": identity}, key) for identity, _ in answers],
                "score": pa.array([[place / count] for place in range(count)], pa.list_(pa.float64())),
                "decision": pa.array(["yes"] * count),
                "features": pa.array([{"tenure": 3.0, "contract": "month"}] * count, features),
            }
        ),
    )


def source() -> Source:
    """The label source of these tests."""
    columns = [Column(name=name, type=kind, meaning="", nullable=True) for name, kind in TYPES.items()]
    return Source(name="outcomes", file="o.parquet", entity=["left"], timestamp="at", created="known", columns=columns)


def said(
    identity: str | None = None, left: str | None = "yes", *, at: float = 0, known: float = 1, **more: Any
) -> dict[str, Any]:
    """One row of the label source; times in hours."""
    moments = {"at": BEGIN + at * HOUR, "known": BEGIN + known * HOUR}
    return {**dict.fromkeys(TYPES), "id": identity, "left": left, **moments, **more}


def join(
    folder: Path,
    labels: Sequence[Mapping[str, Any]],
    parts: Sequence[Logged],
    as_of: datetime.datetime = AS_OF,
    older_keys: Sequence[bytes] = (),
    **how: Any,
) -> LabelledPredictions:
    """Join through a file, as ingest would have read it."""
    table = source()
    arrow = {
        "string": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "timestamp": pa.timestamp("us", tz="UTC"),
    }
    schema = pa.schema([(name, arrow[kind]) for name, kind in TYPES.items()])
    file = folder / "labels.parquet"
    pq.write_table(pa.Table.from_pylist([dict(row) for row in labels], schema=schema), file)
    settings = Labels(table=table, **{"by": "entity", **how})
    question = LabelQuestion(
        labels=settings,
        table=table,
        label=Label(source="outcomes", sql=settings.sql or '"left"', classes=["no", "yes"], columns=[]),
        entity=["id"],
        slices=["contract", "tenure", "gone"],
        since=BEGIN,
        until=BEGIN + 900 * HOUR,
        as_of=as_of,
    )
    return DuckDBLabelJoin(folder).join(file, question, KEY, iter(parts), older_keys=older_keys)


def given(joined: LabelledPredictions) -> list[float | None]:
    """The labels, in the order of time."""
    found: list[float | None] = joined.table["label"].to_pylist()
    return found


def counted(joined: LabelledPredictions, **expected: int) -> None:
    """Assert that *expected* is all that was counted of labels besides rows and what was joined."""
    usual = {"predictions", "due", "labelled", "due_labelled", "rows"}
    found = {name: value for name, value in joined.counts if value and name not in usual}
    assert found == expected


def test_a_label_finds_the_prediction_of_its_entity(tmp_path: Path) -> None:
    """Ids are hashed on the labels' side as a server hashes them; a prediction without a label is there too."""
    joined = join(tmp_path, [said("b", "no"), said("a")], [logged([("a", 0), ("b", 1), ("c", 2)])])
    assert given(joined) == [1.0, 0.0, None]
    assert joined.counts == LabelCounts(predictions=3, due=3, labelled=2, due_labelled=2, rows=2)
    assert joined.table["slice:contract"].to_pylist() == ["month"] * 3
    assert joined.table["slice:tenure"].to_pylist() == ["3"] * 3
    assert joined.table["slice:gone"].to_pylist() == [None] * 3


def test_a_key_that_was_replaced_finds_what_it_hashed(tmp_path: Path) -> None:
    """Whatever was logged before, between and after: the same people, and without the older keys nobody knows them."""
    first, second = b"the first key", b"the second key"
    parts = [logged([("a", 0), ("b", 1)], key=first), logged([("a", 2)], key=second), logged([("a", 3), ("c", 4)])]
    labels = [said("a"), said("b", "no"), said("gone")]
    joined = join(tmp_path, labels, parts, older_keys=[second, first])
    assert given(joined) == [1.0, 0.0, 1.0, 1.0, None]
    counted(joined, unmatched=1, early=2)
    assert given(join(tmp_path, labels, parts)) == [None, None, None, 1.0, None]


@pytest.mark.parametrize("identity", ["é", 'a"b', "a\\b", "a/b", " a ", "", "\N{GRINNING FACE}", "1", "a'b;--", "\x7f"])
def test_any_id_is_hashed_as_the_server_hashes_it(tmp_path: Path, identity: str) -> None:
    """A label that is not found because of an odd character would be missing without a word."""
    assert given(join(tmp_path, [said(identity)], [logged([(identity, 0)])])) == [1.0]


def test_each_label_goes_to_its_row_of_a_request(tmp_path: Path) -> None:
    """By the request's id and the row's place."""
    rows = [said(request="r", place=1), said(request="r", place=0, left="no"), said(request="s", place=7)]
    log = logged([("a", 0), ("b", 1), ("c", 2)], requests=["r", "r", "s"])
    joined = join(tmp_path, rows, [log], by="request", request_id="request", row="place")
    assert given(joined) == [0.0, 1.0, None]
    counted(joined, unmatched=1)


def test_a_label_without_a_row_is_of_no_row_of_several(tmp_path: Path) -> None:
    """Nothing is guessed: a request with one row takes it, one with two takes none."""
    log = logged([("a", 0), ("b", 1), ("c", 2)], requests=["r", "r", "s"])
    joined = join(
        tmp_path, [said(request="r", known=9), said(request="s", known=9)], [log], by="request", request_id="request"
    )
    assert given(joined) == [None, None, 1.0]
    counted(joined, ambiguous=1)


def test_the_label_that_was_known_last_counts(tmp_path: Path) -> None:
    """A correction replaces what was said before, and the count says that there was one; its outcome is the corrected one."""
    rows = [said("a", "no", known=5, revenue=None), said("a", "yes", known=2, revenue=9.0)]
    joined = join(tmp_path, rows, [logged([("a", 0)])], outcomes={"revenue": "revenue"})
    assert given(joined) == [0.0]
    assert joined.table["outcome:revenue"].to_pylist() == [None]
    counted(joined, corrected=1)


def test_a_correction_counts_once_it_is_known(tmp_path: Path) -> None:
    """As of a moment before it, the label is what was known then."""
    rows = [said("a", "no", known=5), said("a", "yes", known=2)]
    joined = join(tmp_path, rows, [logged([("a", 0)])], as_of=BEGIN + 3 * HOUR)
    assert given(joined) == [1.0]
    counted(joined, future=1)


def test_a_label_that_comes_twice_counts_once(tmp_path: Path) -> None:
    """At the same moment or later: files are delivered again."""
    joined = join(tmp_path, [said("a"), said("a"), said("a", known=7)], [logged([("a", 0)])])
    assert given(joined) == [1.0]
    counted(joined, repeated=2)


def test_labels_that_contradict_each_other_do_not_count(tmp_path: Path) -> None:
    """Which of them is right, nobody knows; another entity's label is not touched by it."""
    joined = join(tmp_path, [said("a"), said("a", "no"), said("b")], [logged([("a", 0), ("b", 1)])])
    assert given(joined) == [None, 1.0]
    counted(joined, contradicting=1)


def test_a_later_word_ends_a_contradiction(tmp_path: Path) -> None:
    """What was known last is not in doubt."""
    assert given(join(tmp_path, [said("a"), said("a", "no"), said("a", known=9)], [logged([("a", 0)])])) == [1.0]


def test_a_label_from_the_future_does_not_count(tmp_path: Path) -> None:
    """Neither one that will be known later nor one of an outcome that is still to come."""
    rows = [said("a", known=2000), said("b", at=2000, known=1)]
    joined = join(tmp_path, rows, [logged([("a", 0), ("b", 1)])])
    assert given(joined) == [None, None]
    counted(joined, future=2)


def test_a_label_that_nobody_says_is_known_yet(tmp_path: Path) -> None:
    """A row without the moment at which it became known is not known yet: counted, and in no way of one that is."""
    rows = [{**said("a"), "known": None}, said("b", "no"), {**said("b"), "known": None}]
    for how in ({}, {"after": "1h"}, {"known": "known + INTERVAL 1 MINUTE"}):
        joined = join(tmp_path, rows, [logged([("a", 0), ("b", 0)])], **how)
        assert given(joined) == [None, 0.0]
        counted(joined, future=2)


def test_a_label_of_no_prediction_is_counted(tmp_path: Path) -> None:
    """And joined to nothing."""
    joined = join(tmp_path, [said("nobody"), said("a")], [logged([("a", 0)])])
    assert given(joined) == [1.0]
    counted(joined, unmatched=1)


@pytest.mark.parametrize("left", [pytest.param(None, id="missing"), pytest.param("perhaps", id="no class")])
def test_a_label_without_a_value_is_counted(tmp_path: Path, left: str | None) -> None:
    """It is not taken for one of the classes."""
    joined = join(tmp_path, [said("a", left)], [logged([("a", 0)])])
    assert given(joined) == [None]
    counted(joined, undefined=1)


def test_a_label_known_before_its_prediction_counts_and_is_told(tmp_path: Path) -> None:
    """A clock was set, or the join is too wide: the label is real all the same."""
    joined = join(tmp_path, [said("a", known=1)], [logged([("a", 2)])])
    assert given(joined) == [1.0]
    counted(joined, early=1)


def test_a_prediction_without_an_id_has_no_label(tmp_path: Path) -> None:
    """Whoever asks by features alone is told that no label will ever be of that."""
    part = logged([("a", 0), ("b", 1)])
    place = part.table.schema.get_field_index("entity")
    table = part.table.set_column(place, "entity", pa.array([None, part.table["entity"][1].as_py()], pa.string()))
    joined = join(tmp_path, [said("a"), said("b")], [Logged(part.served, table)])
    assert given(joined) == [None, 1.0]
    counted(joined, nameless=1, unmatched=1)


def test_due_predictions_are_counted_by_themselves(tmp_path: Path) -> None:
    """Completeness is not pulled down by predictions whose labels cannot be there yet."""
    joined = join(tmp_path, [said("a")], [logged([("a", 0), ("b", 1), ("c", 99)])], BEGIN + 100 * HOUR, due="1d")
    assert (joined.counts.due, joined.counts.due_labelled, joined.counts.completeness) == (2, 1, 0.5)


def test_the_nearest_outcome_within_the_horizon_counts(tmp_path: Path) -> None:
    """Each prediction of one entity takes its own; what lies outside of the tolerance is of none."""
    rows = [said("a", "no", at=1, known=60), said("a", "yes", at=9, known=60), said("a", "no", at=50, known=60)]
    joined = join(tmp_path, rows, [logged([("a", 0), ("a", 4), ("a", 8), ("a", 10), ("a", 30)])], after="6h")
    assert given(joined) == [0.0, 1.0, 1.0, None, None]
    counted(joined, unmatched=1)


def test_an_outcome_may_lie_before_and_after(tmp_path: Path) -> None:
    """The nearer counts, whichever side it is on; of two equally near ones the later."""
    sides = [said("a", "no", at=3, known=9), said("a", "yes", at=9, known=20)]
    asked = logged([("a", 4), ("a", 8)])
    assert given(join(tmp_path, sides, [asked], before="6h", after="6h")) == [0.0, 1.0]
    rows = [said("a", "no", at=1, known=9), said("a", "yes", at=3, known=9)]
    joined = join(tmp_path, rows, [logged([("a", 0), ("a", 2), ("a", 4)])], before="1h", after="1h")
    assert given(joined) == [0.0, 1.0, 1.0]


def test_an_hour_that_comes_twice_joins_what_is_nearest(tmp_path: Path) -> None:
    """Predictions are logged in UTC. A label's time by the clocks of a country that sets them back is the contract's to read; a
    tolerance of an hour finds it in either of the two hours, and every other hour has its own."""
    csv = tmp_path / "o.csv"
    csv.write_text(
        "id,at,known,left\nfirst,2026-10-25 02:30,2026-10-26 00:00,yes\nbefore,2026-10-25 01:30,2026-10-26 00:00,no\n",
        encoding="utf-8",
    )
    kinds: dict[str, ColumnType] = {"id": "string", "at": "timestamp", "known": "timestamp", "left": "string"}
    columns = [
        Column(name=name, type=kind, meaning="", timezone="Europe/Berlin" if kind == "timestamp" else None)
        for name, kind in kinds.items()
    ]
    table = Source(name="outcomes", file="o.csv", entity=["id"], timestamp="at", created="known", columns=columns)
    kept = tmp_path / "kept.parquet"
    DuckDBTables(tmp_path).snapshot(table, [], csv, kept=kept, rejected=tmp_path / "rejected.parquet")
    settings = Labels(table=table, by="entity", before="0h", after="1h")
    moments = {name: datetime.datetime(2026, 10, day, hour, 30, tzinfo=datetime.UTC) for name, day, hour in (
        ("first", 25, 0), ("before", 24, 23))}  # fmt: skip
    log = logged([(name, (moment - BEGIN) // HOUR) for name, moment in moments.items()])
    shifted = log.table.set_column(0, "time", pa.array(list(moments.values()), pa.timestamp("us", tz="UTC")))
    question = LabelQuestion(
        labels=settings, table=table, label=Label(source="outcomes", sql='"left"', classes=["no", "yes"], columns=[]),
        entity=["id"], slices=[], since=BEGIN, until=BEGIN + 9000 * HOUR, as_of=BEGIN + 9000 * HOUR,
    )  # fmt: skip
    joined = DuckDBLabelJoin(tmp_path).join(kept, question, KEY, [Logged(ONE, shifted)])
    assert given(joined) == [0.0, 1.0]
    counted(joined)


def test_a_clock_that_was_set_back_changes_nothing(tmp_path: Path) -> None:
    """Records of a server whose clock stepped come out of order, and twice at one time; each has its label."""
    answers = [("a", 5), ("b", 2), ("c", 5), ("d", 1)]
    joined = join(tmp_path, [said(each, at=hour, known=9) for each, hour in answers], [logged(answers)], before="0h")
    assert given(joined) == [1.0] * 4


def test_order_and_parts_leave_no_trace(tmp_path: Path) -> None:
    """The same rows in other parts and orders are the same answer, so that a figure asked twice is the same."""
    rows = [said("a"), said("b", "no"), said("b", "yes", known=4), said("c", at=1)]
    one = join(tmp_path, rows, [logged([("a", 0), ("b", 1), ("c", 2)])])
    split = [logged([("c", 2)]), logged([("b", 1)]), logged([("a", 0)])]
    two = join(tmp_path, rows[::-1], split)
    kept = ["time", "label", "decision"]
    assert one.table.select(kept).equals(two.table.select(kept))
    assert one.counts == two.counts


def test_releases_are_told_apart(tmp_path: Path) -> None:
    """Each row says which version answered it."""
    joined = join(tmp_path, [said("a"), said("b")], [logged([("a", 0)]), logged([("b", 1)], TWO), logged([("c", 2)])])
    assert [joined.releases[place] for place in joined.table["release"].to_pylist()] == [ONE, TWO, ONE]


def test_nothing_at_all_is_no_error(tmp_path: Path) -> None:
    """An empty window, without labels."""
    joined = join(tmp_path, [], [])
    assert (joined.table.num_rows, joined.counts) == (0, LabelCounts())


def test_an_expression_that_cannot_be_asked_is_a_setting_to_mend(tmp_path: Path) -> None:
    """With the source's name and what DuckDB says, in one line."""
    with pytest.raises(
        errors.Misconfigured, match=r"section `labels` cannot be asked of source 'outcomes': .*lefft"
    ) as raised:
        join(tmp_path, [said("a")], [logged([("a", 0)])], sql="lefft = 'yes'")
    assert "\n" not in str(raised.value)


def test_labels_of_a_snapshot_are_known_where_they_are_read(tmp_path: Path) -> None:
    """A table without times does not say since when its labels are known: none is taken for one that came too early."""
    table = Source(
        name="outcomes", file="o.parquet", entity=["id"], observed_at=BEGIN - 999 * HOUR,
        columns=[Column(name="id", type="string", meaning=""), Column(name="left", type="string", meaning="")],
    )  # fmt: skip
    rows = {"id": ["a", "nobody"], "left": ["yes", "no"], "event_timestamp": [table.observed_at] * 2}
    pq.write_table(pa.table(rows), tmp_path / "labels.parquet")
    question = LabelQuestion(
        labels=Labels(table=table, by="entity"), table=table,
        label=Label(source="outcomes", sql='"left"', classes=["no", "yes"], columns=[]), entity=["id"], slices=[],
        since=BEGIN, until=AS_OF, as_of=AS_OF,
    )  # fmt: skip
    joined = DuckDBLabelJoin(tmp_path).join(tmp_path / "labels.parquet", question, KEY, [logged([("a", 0)])])
    assert given(joined) == [1.0]
    counted(joined)


def test_damaged_parts_are_counted(tmp_path: Path) -> None:
    """What could not be read of the log is said with the rest."""
    part = logged([("a", 0)])
    assert join(tmp_path, [said("a")], [Logged(part.served, part.table, damaged=2)]).damaged == 2


def test_more_than_memory_goes_to_disk(tmp_path: Path) -> None:
    """And a disk that takes no more is told as such."""
    parts = [logged([(f"{part}-{place}", 0) for place in range(2000)]) for part in range(10)]
    rows = [said(f"{part}-{place}") for part in range(10) for place in range(2000)]
    table = join(tmp_path, rows, parts).table
    small = DuckDBLabelJoin(tmp_path, memory="1MB")
    question = LabelQuestion(
        labels=Labels(table=source(), by="entity"), table=source(),
        label=Label(source="outcomes", sql='"left"', classes=["no", "yes"], columns=[]), entity=["id"], slices=[],
        since=BEGIN, until=BEGIN + HOUR, as_of=AS_OF,
    )  # fmt: skip
    assert table["label"].null_count == 0
    with pytest.raises(errors.LocalDisk, match="labels and predictions cannot be joined"):
        small.join(tmp_path / "labels.parquet", question, KEY, parts)
