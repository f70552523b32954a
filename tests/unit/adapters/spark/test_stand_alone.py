"""A stand-alone Spark of two workers makes of the real customers of data/churn what DuckDB makes of them, also where an executor is killed.

Opt-in, as all that starts a JVM: ARGOSY_SPARK.
"""

import contextlib
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from argosy import errors, scratch, wiring
from argosy.domain.compute_settings import Compute
from argosy.domain.data import Lineage, SnapshotManifest, ValidationResult
from argosy.domain.documents import sha256
from argosy.domain.expectations import Expectation, Meta
from argosy.domain.model_settings import ModelSettings
from argosy.domain.search import Choice
from argosy.files import model_folder
from argosy.scoring import job, parts, sent_work
from argosy.steps.build_features import run as build_features
from argosy.steps.ingest import run as ingest
from argosy.steps.train import run as train
from argosy.steps.validate import run as validate
from kit.scoring_kit import signed_job
from kit.spark_cluster import SparkCluster, spark_cluster

pytest.importorskip("pyspark", reason="PySpark is not installed (requirements/spark.txt)")
pytestmark = [
    pytest.mark.skipif(shutil.which("java") is None, reason="Java is not installed"),
    pytest.mark.skipif("ARGOSY_SPARK" not in os.environ, reason="ARGOSY_SPARK is not set: five JVMs take a minute"),
    pytest.mark.timeout(1800),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"),
]
ROOT = Path(__file__).parents[4]
MODEL = ROOT / "workflows" / "churn"
OPTIONS = {
    "spark.executor.memory": "512m",
    "spark.driver.memory": "512m",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "8",
    "spark.sql.adaptive.enabled": "false",  # small tables would be one task, which nobody could kill in the middle
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkCluster]:
    """One master, two workers."""
    with spark_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture
def spark(cluster: SparkCluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """What a step opens whose settings name Spark, at that master."""
    shared = cluster.folder / "shared"
    shared.mkdir(exist_ok=True)
    monkeypatch.setenv("ARGOSY_SPARK_MASTER", cluster.master)
    monkeypatch.setenv("ARGOSY_SPARK_FOLDER", str(shared))
    with wiring.spark(Compute(engine="spark", options=OPTIONS), "build-features") as opened:
        yield opened
    assert not list(shared.rglob("*.parquet"))  # what was put there is gone


@pytest.fixture(scope="module")
def settings() -> ModelSettings:
    """Of the model churn, as it is."""
    return model_folder.load_settings(MODEL / "model.yaml")


@pytest.fixture(scope="module")
def snapshot(settings: ModelSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All real customers."""
    if not (ROOT / "data" / "churn").is_dir():
        pytest.skip("data/churn is not there: `make data`")
    folder = tmp_path_factory.mktemp("churn")
    ingest.run(
        settings=settings,
        location=ROOT / "data" / "churn",
        tables=wiring.tables(),
        code_version="test",
        now=lambda: "2026-01-01T00:00:00Z",
        report=print,
        outputs=ingest.IngestOutputs(folder / "snapshot", folder / "rejected", folder / "lineage.json"),
    )
    digest = SnapshotManifest.read(folder / "snapshot" / "manifest.json").content_digest()
    ValidationResult(snapshot_digest=digest, results=[]).write(folder / "validation" / "validation.json")
    return folder / "snapshot"


def built(settings: ModelSettings, snapshot: Path, tables: Any, into: Path) -> Mapping[str, str]:
    """The digest of each file that ``build-features`` writes."""
    outputs = build_features.FeatureOutputs(into / "features", into / "online")
    with scratch.folder("features") as place:
        build_features.run(
            settings=settings,
            snapshot=snapshot,
            validation=snapshot.parent / "validation",
            tables=tables,
            features=wiring.features(MODEL / "features.py", settings, place / "repository"),
            outputs=outputs,
        )
    files = [*outputs.features.iterdir(), *outputs.online.iterdir()]
    return {file.name: sha256(file.read_bytes()) for file in files}


def validated(settings: ModelSettings, snapshot: Path, checker: Any, into: Path) -> ValidationResult:
    """What ``validate`` finds, by the suites of the model and by three questions that are not compiled."""
    expectations = model_folder.load_expectations(MODEL / "expectations.json")
    asked = {
        "expect_column_value_z_scores_to_be_less_than": {"column": "monthly_charges", "threshold": 1.5, "double_sided": True},
        "expect_column_values_to_be_json_parseable": {"column": "payment_method"},
        "expect_select_column_values_to_be_unique_within_record": {"column_list": ["tenure", "senior_citizen"]},
    }  # fmt: skip
    more = [
        Expectation(type=kind, kwargs=given, meta=Meta(critical=False, why="To be asked there."))
        for kind, given in asked.items()
    ]
    suites = expectations.suites
    suites = suites.model_copy(update={"business": [*suites.business, *more]})
    validate.run(
        settings=settings,
        expectations=expectations.model_copy(update={"suites": suites}),
        snapshot=snapshot,
        lineage=Lineage.read(snapshot.parent / "lineage.json"),
        tables=wiring.tables(),
        checker=checker,
        out=into,
    )
    return ValidationResult.read(into / validate.DOCUMENT)


def test_features_are_equal_bit_for_bit(settings: ModelSettings, snapshot: Path, spark: Any, tmp_path: Path) -> None:
    """Rows, schema and online store have the digests that they have without Spark."""
    expected = built(settings, snapshot, wiring.tables(), tmp_path / "duckdb")
    assert built(settings, snapshot, wiring.tables(spark), tmp_path / "spark") == expected
    assert len(expected) >= 3


def test_findings_are_equal(settings: ModelSettings, snapshot: Path, spark: Any, tmp_path: Path) -> None:
    """Verdicts and counts of every expectation; and three of them were asked there."""
    mine = validated(settings, snapshot, wiring.expectation_checker(), tmp_path / "duckdb").results
    theirs = validated(settings, snapshot, wiring.expectation_checker(spark=spark), tmp_path / "spark").results

    def told(results: Any) -> list[Any]:
        return [
            (each.expectation, each.column, each.passed, each.observed, each.unexpected_count, each.asked_by)
            for each in results
        ]

    assert told(theirs) == told(mine)
    assert [each.asked_by for each in theirs].count("great-expectations") == 3
    jobs = spark.session().sparkContext.statusTracker().getJobIdsForGroup(None)
    assert len(jobs) >= 3


@contextlib.contextmanager
def one_killed(spark: Any, cluster: SparkCluster) -> Iterator[list[int]]:
    """An executor is killed as soon as several of them have tasks; gives which."""
    tracker = spark.session().sparkContext.statusTracker()
    killed: list[int] = []
    over = threading.Event()

    def kill() -> None:
        while not killed and not over.wait(0.005):
            stages = [tracker.getStageInfo(each) for each in tracker.getActiveStageIds()]
            if any(stage and stage.numActiveTasks and stage.numTasks > 1 for stage in stages) and (
                running := cluster.executors()
            ):
                os.kill(running[0], signal.SIGKILL)
                killed.append(running[0])

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield killed
    finally:
        over.set()
        killer.join()
    assert killed, "no job was long enough to be killed in"


def test_an_executor_that_is_killed_changes_nothing(
    settings: ModelSettings, snapshot: Path, spark: Any, cluster: SparkCluster, tmp_path: Path
) -> None:
    """In the middle of a job: Spark starts another and does its part again, and the bytes are the same."""
    expected = built(settings, snapshot, wiring.tables(), tmp_path / "duckdb")
    with one_killed(spark, cluster) as killed:
        found = built(settings, snapshot, wiring.tables(spark), tmp_path / "spark")
    assert found == expected
    deadline = time.monotonic() + 60
    while len(cluster.executors()) < 2 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert killed[0] not in cluster.executors()
    assert len(cluster.executors()) == 2  # one was started in its place


def fitted(settings: ModelSettings, features: Path, spark: Any, into: Path) -> str:
    """The digest of the model that two workers fit together."""
    into.mkdir()
    chosen = {"trial": 0, "score": 0.4, "metric": "log_loss", "parameters": {"max_depth": 3, "subsample": 0.7}}
    Choice.model_validate({**chosen, "boost_rounds": 10}).write(into / "choice.json")
    search = settings.search.model_copy(update={"folds": 2, "max_boost_rounds": 10})
    asking = settings.model_copy(update={"compute": Compute(engine="spark", workers=2), "search": search})
    return train.run(
        settings=asking,
        features=features,
        choice=into / "choice.json",
        out_bundle=into / "bundle",
        out_training=into / "training",
        elsewhere=wiring.fitting(spark, asking, features),
    )


def test_two_workers_fit_one_model(
    settings: ModelSettings, snapshot: Path, spark: Any, cluster: SparkCluster, tmp_path: Path
) -> None:
    """The same bytes again; a fit whose executor is killed may end 75, and then the step is tried again."""
    built(settings, snapshot, wiring.tables(), tmp_path)
    expected = fitted(settings, tmp_path / "features", spark, tmp_path / "first")
    with one_killed(spark, cluster), contextlib.suppress(errors.TryAgain):
        assert fitted(settings, tmp_path / "features", spark, tmp_path / "killed") == expected
    assert fitted(settings, tmp_path / "features", spark, tmp_path / "again") == expected


def test_executors_score_as_this_process_does(spark: Any, cluster: SparkCluster) -> None:
    """Each proves the bundle first; results and log are the same files, and a second run finds all of it done."""
    folder = cluster.folder / "scoring"
    folder.mkdir()
    work, proof = signed_job(folder)
    pool, found = wiring.executors(spark), parts.of(work.tables)
    assert pool is not None
    done = dict(enumerate(sent_work.run(work, found, proof, pool, lambda *_: None)))
    assert [already for _, already in done.values()] == [False, False, False]
    files = {
        path: path.read_bytes() for name in ("out", "log") for path in (folder / name).rglob("*") if path.is_file()
    }
    assert len(files) == 6
    for path in files:
        path.unlink()
    list(job.run(work, found, workers=1, told=lambda *_: None))
    assert {path: path.read_bytes() for path in files} == files
    again = sent_work.run(work, found, proof, pool, lambda *_: None)
    assert [already for _, already in again] == [True, True, True]


def test_an_executor_loads_no_bundle_that_was_changed(spark: Any, cluster: SparkCluster) -> None:
    """The signature says so there, before the model's bytes reach a parser."""
    folder = cluster.folder / "changed"
    folder.mkdir()
    work, proof = signed_job(folder)
    model = work.bundle / "model.ubj"
    model.write_bytes(model.read_bytes()[:-2] + b"}}")
    pool = wiring.executors(spark)
    assert pool is not None
    with pytest.raises(errors.Rejected, match="not what was signed"):
        list(sent_work.run(work, parts.of(work.tables), proof, pool, lambda *_: None))
    assert not (folder / "out").exists() or not list((folder / "out").glob("*.parquet"))
