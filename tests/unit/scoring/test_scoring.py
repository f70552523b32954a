"""Batch scoring: the server's answers, each part once, whatever happens meanwhile."""

import contextlib
import datetime
import functools
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest

from argosy import errors, wiring
from argosy.adapters.file_tables import FileTables
from argosy.adapters.sql_tables import SqlTables
from argosy.domain import bundle
from argosy.domain.model_settings import Serving, Task
from argosy.ml.predictor import Predictor
from argosy.ports.prediction_log import OTHER, Logged, ServedRelease
from argosy.scoring import job, part_results, parts
from argosy.scoring.job import ScoringJob, ScoringWorker
from argosy.scoring.part_results import PartResult
from argosy.scoring.scorer import REASON, BatchScorer
from argosy.settings import Settings
from kit.serving_kit import FEATURES, Client, build_app, rows, write_bundle

BEGAN = datetime.datetime(2026, 6, 1, 12, 30, tzinfo=datetime.UTC)
NAMES = [column.name for column in FEATURES]
SCHEMA = pa.schema([(column.name, pa.string() if column.type == "category" else pa.float64()) for column in FEATURES])


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of the small binary model."""
    folder = tmp_path_factory.mktemp("bundles") / "binary"
    write_bundle(folder)
    return folder


@pytest.fixture
def work(model: Path, tmp_path: Path) -> ScoringJob:
    """A job that logs."""
    served = ServedRelease("leaving", "production", 4, bundle.digest(model))
    log = functools.partial(wiring.batch_log, settings(tmp_path))
    return ScoringJob(
        model,
        served,
        FileTables(tmp_path),
        FileTables(tmp_path / "out"),
        BEGAN,
        features=False,
        hash_key=b"secret",
        log=log,
    )


def table(count: int, seed: int = 7, **more: Any) -> pa.Table:
    """So many rows of plausible customers, each with an id, and columns *more*."""
    made = pa.Table.from_pylist([dict(row) for row in rows(count, seed)], SCHEMA)
    ids = pa.array([f"C{number}" for number in range(count)])
    made = made.append_column("customer_id", ids)
    for name, values in more.items():
        made = made.append_column(name, values)
    return made


def at(work: ScoringJob, place: Path) -> ScoringJob:
    """*work* with the tables at *place*."""
    return replace(work, tables=FileTables(place))


def out_of(work: ScoringJob) -> Path:
    """The folder of the results of *work*."""
    assert isinstance(work.results, FileTables)
    return work.results.root


def scored(work: ScoringJob, place: Path, workers: int = 1) -> list[tuple[PartResult, bool]]:
    """All of *place*, scored."""
    return list(job.run(at(work, place), parts.of(FileTables(place)), workers=workers, told=lambda *_: None))


def settings(tmp_path: Path) -> Settings:
    """Those of a machine whose log is below *tmp_path*."""
    return Settings.from_environment({"ARGOSY_HOME": str(tmp_path), "ARGOSY_PREDICTIONS_URI": f"file://{tmp_path}/log"})


def logged(tmp_path: Path) -> list[dict[str, Any]]:
    """What the log has."""
    history = wiring.prediction_history(settings(tmp_path))
    return [row for found in history.read("leaving", "production") for row in found.table.to_pylist()]


def asked(predictor: Predictor, instances: Sequence[dict[str, Any]]) -> list[Any]:
    """What the server says to each of *instances* by itself: prediction and decision, or the status of its refusal."""
    client = Client(build_app(predictor=predictor, served=ServedRelease("leaving", "x", 4, predictor.digest)))
    answers = [client.post("/v1/models/leaving:predict", {"instances": [one]}) for one in instances]
    return [(a.json()["predictions"][0], a.json()["decisions"][0]) if a.status == 200 else a.status for a in answers]


ODD = [
    {"tenure": None},
    {"tenure": 1e300},
    {"tenure": -0.0},
    {"charges": 16_777_217.0},
    {"contract": None},
    {"contract": ""},
    {"contract": "Month"},
    {"contract": "seven-year"},
    {"birth_year": None},
]


@pytest.mark.parametrize("policy", ["refuse", "missing"])
def test_the_servers_answers_to_the_last_bit(model: Path, policy: Any) -> None:
    """Usual rows and odd ones, by both policies; what the server refuses has no answer here."""
    predictor = Predictor.load(model, bundle.digest(model))
    serving = Serving(unknown_level=policy, unexpected_null=policy)
    predictor.signature = predictor.signature.model_copy(update={"serving": serving})
    instances = [dict(row) for row in rows(60, seed=3)] + [dict(rows(1, seed=5)[0]) | odd for odd in ODD]
    server = asked(predictor, instances)
    assert policy == "missing" or 422 in server
    given = pa.Table.from_pylist(instances, SCHEMA).append_column("place", pa.array(range(len(instances))))
    found = BatchScorer(predictor).score(given, "a table")
    mine: list[Any] = [422] * len(instances)
    for place, value, decision in zip(
        found.rows["place"].to_pylist(), found.predictions, found.decisions or (), strict=True
    ):
        mine[place] = (float(value), decision)
    assert mine == server
    assert found.refused["place"].to_pylist() == [place for place, answer in enumerate(server) if answer == 422]
    assert all(found.refused[REASON].to_pylist())


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_other_tasks(tmp_path: Path, task: Task, work: ScoringJob) -> None:
    """A list of probabilities a row; no decision for a regression."""
    folder = tmp_path / "bundle"
    digest = write_bundle(folder, task)
    predictor, given = Predictor.load(folder, digest), table(20)
    pq.write_table(given, tmp_path / "in.parquet")
    served = ServedRelease("leaving", "production", 4, digest)
    ScoringWorker(replace(work, bundle=folder, served=served, features=True)).score(
        *parts.of(FileTables(tmp_path / "in.parquet"))
    )
    kept = pq.read_table(tmp_path / "out" / "in.parquet")
    direct = predictor.predict_table(given)
    assert np.array_equal(np.array(kept["prediction"].to_pylist()), direct)
    assert kept.column_names[-3:] == (
        ["prediction", "decision", "model_version"]
        if task == "multiclass"
        else ["customer_id", "prediction", "model_version"]
    )
    assert np.array_equal(np.array([row["score"] for row in logged(tmp_path)]).squeeze(), direct)
    assert {row["decision"] for row in logged(tmp_path)} <= {"low", "middle", "high", None}


def test_results_have_what_is_no_feature_and_the_log_nothing_personal(work: ScoringJob, tmp_path: Path) -> None:
    """Ids as hashes, what was typed as other."""
    given = table(50).set_column(2, "contract", pa.array(["month"] * 49 + ["typed by a person"]))
    pq.write_table(given, tmp_path / "in.parquet")
    (result,) = [found for found, _ in scored(work, tmp_path / "in.parquet")]
    assert (result.scored, result.refused) == (49, 1)
    kept = pq.read_table(out_of(work) / "in.parquet")
    assert kept.column_names == ["customer_id", "prediction", "decision", "model_version"]
    refused = pq.read_table(out_of(work) / part_results.REFUSED / "in.parquet")
    assert refused.to_pylist()[0]["customer_id"] == "C49"
    assert refused[REASON].to_pylist() == ["contract: unknown level"]
    found = logged(tmp_path)
    assert [row["row"] for row in found] == list(range(49))
    assert len({row["entity"] for row in found}) == 49
    assert {len(row["entity"]) for row in found} == {64}
    assert set(found[0]["features"]) == {"tenure", "charges", "contract"}
    assert "typed" not in (out_of(work).parent / "log").as_posix() + json.dumps(found, default=str)


def test_unknown_levels_are_logged_as_other(model: Path, work: ScoringJob, tmp_path: Path) -> None:
    """Where the policy scores them as missing."""
    predictor = Predictor.load(model, work.served.digest)
    predictor.signature = predictor.signature.model_copy(update={"serving": Serving(unknown_level="missing")})
    given = table(3).set_column(2, "contract", pa.array(["month", "seven", None]))
    found = BatchScorer(predictor).score(given, "a table")
    assert found.missing == {"contract": 1}
    records = job.records(found, predictor.signature, work, "r", 0)
    assert [row["contract"] for row in records["features"].to_pylist()] == ["month", OTHER, None]


def test_begun_again_it_goes_on_and_logs_nothing_twice(
    work: ScoringJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after a part was logged and before it was seen, between parts, and after all; a file that changed is scored anew."""
    monkeypatch.setattr(parts, "PART_ROWS", 100)
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        pq.write_table(table(250, seed=ord(name)), tmp_path / "in" / f"{name}.parquet", row_group_size=100)
    found = parts.of(FileTables(tmp_path / "in"))
    assert [part.name for part in found] == ["a-00000", "a-00001", "a-00002", "b-00000", "b-00001", "b-00002"]
    worker = ScoringWorker(at(work, tmp_path / "in"))
    worker.score(found[0])
    with monkeypatch.context() as broken:
        broken.setattr(job._PartFile, "keep", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            worker.score(found[1])
    assert sorted(path.name for path in out_of(work).iterdir()) == ["a-00000.parquet"]
    assert len(logged(tmp_path)) == 200
    (out_of(work) / "a-00002.parquet").write_bytes(b"torn by somebody")
    for _ in range(2):
        results = scored(work, tmp_path / "in")
        assert sum(result.scored for result, _ in results) == 500
        assert len(logged(tmp_path)) == 500
    assert all(already for _, already in results)
    whole = pa.dataset.dataset(out_of(work)).to_table()
    assert whole.num_rows == 500
    pq.write_table(table(250, seed=99), tmp_path / "in" / "b.parquet", row_group_size=100)
    results = scored(work, tmp_path / "in")
    assert [already for _, already in results] == [True] * 3 + [False] * 3


def test_results_as_rows_of_a_database(work: ScoringJob, tmp_path: Path) -> None:
    """The same results as in files; begun again, what is there is left, and what is of another table is taken out."""
    pq.write_table(table(300), tmp_path / "customers.parquet")
    one = at(work, tmp_path / "customers.parquet")
    files = list(job.run(one, parts.of(one.tables), workers=1, told=lambda *_: None))
    address = f"sqlite:///{tmp_path}/w.db"
    rows_of = SqlTables("sql://w/scores/version=4", "--out", {"ARGOSY_SOURCE_W": address})
    two = replace(one, results=rows_of, log=None)
    found = list(job.run(two, parts.of(two.tables), workers=1, told=lambda *_: None))
    assert [result for result, _ in found] == [result for result, _ in files]
    assert [already for _, already in job.run(two, parts.of(two.tables), workers=1, told=lambda *_: None)] == [True]
    with contextlib.closing(sqlite3.connect(tmp_path / "w.db")) as connection:
        kept = connection.execute(
            "SELECT customer_id, prediction, decision FROM scores ORDER BY customer_id"
        ).fetchall()
    wanted = pq.read_table(out_of(one) / "customers.parquet").sort_by("customer_id")
    assert kept == [
        tuple(row[name] for name in ("customer_id", "prediction", "decision")) for row in wanted.to_pylist()
    ]
    assert part_results.remove_others(rows_of, []) == ["customers.parquet"]


def test_shares_are_all_of_it_and_nothing_twice() -> None:
    """Whatever their number."""
    names = [parts.TablePart("x", str(number), "") for number in range(11)]
    for pods in (1, 2, 3, 11, 20):
        shared = [parts.share(names, number, pods) for number in range(1, pods + 1)]
        assert sorted(part.name for each in shared for part in each) == sorted(part.name for part in names)
        assert max(map(len, shared)) - min(map(len, shared)) <= 1


def test_in_processes_as_in_one(work: ScoringJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes give the results of one."""
    (tmp_path / "in").mkdir()
    for number in range(3):
        pq.write_table(table(100, seed=number), tmp_path / "in" / f"{number}.parquet")
    results = scored(work, tmp_path / "in", workers=2)
    assert sorted(result.scored for result, _ in results) == [100] * 3
    predictor = Predictor.load(work.bundle, work.served.digest)
    for number in range(3):
        kept = pq.read_table(out_of(work) / f"{number}.parquet")
        assert np.array_equal(kept["prediction"].to_numpy(), predictor.predict_table(table(100, seed=number)))
    assert len(logged(tmp_path)) == 300


def test_a_long_file_is_logged_in_segments(work: ScoringJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CSV is one part; of its records only a segment is in memory."""
    monkeypatch.setattr(parts, "PART_ROWS", 1000)
    pyarrow.csv.write_csv(table(60_000), tmp_path / "in.csv")
    put: list[int] = []

    class Counting:
        def put(self, found: Logged, identity: str) -> None:
            put.append(found.table.num_rows)

    worker = ScoringWorker(replace(work, log=Counting))
    worker.score(*parts.of(FileTables(tmp_path / "in.csv")))
    assert len(put) > 1
    assert sum(put) == 60_000


def in_avro(file: Path, given: pa.Table, kinds: dict[str, object], codec: str = "null") -> Path:
    """*given* as an Avro file, its columns of *kinds*, or else text; what is null, too."""
    fields = [{"name": name, "type": kinds.get(name, ["null", "string"])} for name in given.column_names]
    with file.open("wb") as stream:
        fastavro.writer(stream, {"type": "record", "name": "Row", "fields": fields}, given.to_pylist(), codec=codec)
    return file


def test_csv_and_avro_say_what_parquet_says(work: ScoringJob, tmp_path: Path) -> None:
    """The same rows by all; an empty field is a value that is not known; a number may be one of a union with text."""
    given = table(200)
    assert pc.any(pc.is_null(given["charges"])).as_py()
    pq.write_table(given, tmp_path / "p.parquet")
    pyarrow.csv.write_csv(given, tmp_path / "c.csv")
    numbers = {column.name: ["null", "double"] for column in FEATURES if column.type == "number"}
    in_avro(tmp_path / "a.avro", given, {**numbers, "charges": ["null", "double", "string"]}, "deflate")
    worker = ScoringWorker(work)
    for name in ("p.parquet", "c.csv", "a.avro"):
        worker.score(*parts.of(FileTables(tmp_path / name)))
    for name in ("c", "a"):
        assert pq.read_table(out_of(work) / f"{name}.parquet") == pq.read_table(out_of(work) / "p.parquet")


def test_avro_that_cannot_be_scored(work: ScoringJob, tmp_path: Path) -> None:
    """A feature that is no single value, a file that is none and one that breaks off are said in one line, with the file."""
    given = table(9)
    several = given.drop_columns("charges").append_column("charges", pa.array([[1.0]] * 9))
    nested = in_avro(tmp_path / "n.avro", several, {"charges": {"type": "array", "items": "double"}, "tenure": ["null", "double"],
                                                    "birth_year": ["null", "double"]})  # fmt: skip
    garbage, torn = tmp_path / "g.avro", tmp_path / "t.avro"
    garbage.write_bytes(b"no file of Avro")
    torn.write_bytes(in_avro(tmp_path / "w.avro", table(9).select(["customer_id"]), {}).read_bytes()[:-9])
    for file, said in ((nested, "'charges' is a list, and a feature is one value"), (garbage, "is no file of Avro's objects"),
                       (torn, "it is damaged there")):  # fmt: skip
        with pytest.raises(errors.Misconfigured, match=f"{file.name}.*{said}"):
            ScoringWorker(work).score(*parts.of(FileTables(file)))


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (pa.int64(), [3, 4, None]),
        (pa.uint8(), [3, 4, None]),
        (pa.float32(), [3, 4, None]),
        (pa.float16(), np.array([3, 4, np.nan], dtype=np.float16)),
        (pa.decimal128(12, 2), [3, 4, None]),
        (pa.int64(), [2**53 + 1, -(2**63), None]),
        (pa.dictionary(pa.int8(), pa.int32()), [3, 4, None]),
    ],
)
def test_numbers_of_any_kind(model: Path, kind: Any, values: Any) -> None:
    """The nearest double of each, as JSON's reader takes it."""
    predictor = Predictor.load(model, bundle.digest(model))
    given = table(3).set_column(1, "charges", pa.array(values, kind))
    plain = [None if value is None or np.isnan(value) else float(value) for value in list(values)]
    expected = predictor.predict_table(table(3).set_column(1, "charges", pa.array(plain, pa.float64())))
    assert np.array_equal(BatchScorer(predictor).score(given, "t").predictions, expected)


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("tenure", pa.array(["3", "4"]), "column tenure is string, and the model takes numbers"),
        ("contract", pa.array([1, 2]), "column contract is int64, and the model takes text"),
        ("tenure", pa.array([BEGAN, BEGAN]), "column tenure is timestamp"),
        ("prediction", pa.array([1, 2]), "called like one of the results"),
        ("customer_id", pa.array([BEGAN, BEGAN]), "join key customer_id is timestamp"),
        ("customer_id", pa.array([1.0, 2.0]), "join key customer_id is double"),
    ],
)
def test_columns_that_cannot_be(work: ScoringJob, tmp_path: Path, name: str, values: Any, said: str) -> None:
    """Named, with the file; nothing half done is left."""
    given = table(2)
    place = given.schema.get_field_index(name)
    given = given.append_column(name, values) if place < 0 else given.set_column(place, name, values)
    pq.write_table(given, tmp_path / "in.parquet")
    with pytest.raises(errors.Misconfigured, match=said):
        ScoringWorker(work).score(*parts.of(FileTables(tmp_path / "in.parquet")))
    assert not [path for path in out_of(work).rglob("*") if path.is_file()]
    assert logged(tmp_path) == []


def test_absent_columns_and_files(work: ScoringJob, tmp_path: Path) -> None:
    """Each in one line."""
    pq.write_table(table(2).drop_columns(["tenure", "contract"]), tmp_path / "in.parquet")
    with pytest.raises(
        errors.Misconfigured, match=r"in\.parquet lacks tenure, contract; the model takes every feature"
    ):
        ScoringWorker(work).score(*parts.of(FileTables(tmp_path / "in.parquet")))
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 and nothing more")
    (tmp_path / "empty").mkdir()
    for place, said in (
        ("torn.parquet", "no Parquet file"),
        ("nowhere", "no such file"),
        ("empty", "expected .parquet, .csv, .avro, or"),
    ):
        with pytest.raises(errors.Misconfigured, match=said):
            parts.of(FileTables(tmp_path / place))
    (tmp_path / "two").mkdir()
    pq.write_table(table(1), tmp_path / "two" / "x.parquet")
    pyarrow.csv.write_csv(table(1), tmp_path / "two" / "x.csv")
    with pytest.raises(errors.Misconfigured, match=r"two files would have their results at x\.parquet"):
        parts.of(FileTables(tmp_path / "two"))
    (tmp_path / "torn.csv").write_text("tenure,contract\n1,month\n2,month,3\n")
    with pytest.raises(errors.Misconfigured, match=r"torn\.csv cannot be read: .*Expected 2 columns, got 3"):
        ScoringWorker(work).score(*parts.of(FileTables(tmp_path / "torn.csv")))


def test_cells_that_are_no_numbers_refuse_their_rows_alone(work: ScoringJob, tmp_path: Path) -> None:
    """Wherever in a file of CSV the first of them stands: the others are answered as they are from Parquet, once each."""
    count, wrong = 45_000, {0: "three", 44_990: "1,5", 44_991: "seven", 44_993: "true"}
    tenure = [float(place % 70) for place in range(count)]
    given = table(50).take(pa.array([place % 50 for place in range(count)]))
    place = given.schema.get_field_index("tenure")
    right = given.set_column(place, "tenure", pa.array([None if at in wrong else tenure[at] for at in range(count)]))
    pq.write_table(right, tmp_path / "right.parquet")
    for name, cells in {"late": {at: wrong[at] for at in wrong if at}, "early": wrong}.items():
        texts = [cells.get(at, str(tenure[at])) for at in range(count)]
        texts[-1] = " 1e0 "  # a number, as it is where nothing is wrong
        pyarrow.csv.write_csv(given.set_column(place, "tenure", pa.array(texts)), tmp_path / f"{name}.csv")
        ((result, _),) = scored(work, tmp_path / f"{name}.csv")
        assert (result.scored, result.refused) == (count - len(cells), len(cells))
        refused = pq.read_table(out_of(work) / part_results.REFUSED / f"{name}.parquet")
        assert refused[REASON].to_pylist() == [f"tenure: {text!r} is no number" for text in cells.values()]
        assert refused["tenure"].to_pylist() == [None] * len(cells)
        answered = pq.read_table(out_of(work) / f"{name}.parquet")["prediction"].to_numpy()
        expected = Predictor.load(work.bundle, work.served.digest).predict_table(
            right.set_column(place, "tenure", pa.array([*tenure[:-1], 1.0])).filter(
                pa.array([at not in cells for at in range(count)])
            )
        )
        assert np.array_equal(answered, expected)


def test_an_empty_table(work: ScoringJob, tmp_path: Path) -> None:
    """No rows, no results, no failure."""
    pq.write_table(table(0), tmp_path / "in.parquet")
    assert [(found.scored, found.refused) for found, _ in scored(work, tmp_path / "in.parquet")] == [(0, 0)]


def test_another_models_results_are_not_mixed_in(work: ScoringJob, tmp_path: Path) -> None:
    """One moment a folder, also for several that begin at once; one model."""
    later = BEGAN + datetime.timedelta(days=1)
    assert part_results.begin(work.results, work.served, BEGAN) == BEGAN
    assert part_results.begin(work.results, work.served, later) == BEGAN
    unregistered = ServedRelease("leaving", "production", None, work.served.digest)
    assert [part_results.begin(work.results.below("b"), unregistered, moment) for moment in (BEGAN, later)] == [
        BEGAN,
        BEGAN,
    ]
    other = ServedRelease("leaving", "production", 4, "sha256:" + "0" * 64)
    with pytest.raises(errors.Misconfigured, match="pass another --out"):
        part_results.begin(work.results, other, later)
