"""What is wrong about a Spark is said in one line, before a JVM is started or waited for."""

import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from argosy import errors

pytest.importorskip("pyspark", reason="PySpark is not installed (requirements/spark.txt)")


def opened(master: str, folder: Path) -> Any:
    from argosy.adapters.spark.spark_session import Spark

    return Spark(master, {}, folder)


def test_no_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install, and what needs none."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(errors.Misconfigured, match="Spark needs Java 17 or newer, and there is none: install it"):
        opened("local[1]", tmp_path).session()


def test_a_home_of_java_without_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is named: whoever set it knows where to look."""
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(errors.Misconfigured, match=r"JAVA_HOME is .*, where there is no bin/java"):
        opened("local[1]", tmp_path).session()


@pytest.mark.parametrize("scheme", ["spark", "sc"])
def test_nobody_answers(scheme: str, tmp_path: Path) -> None:
    """Spark's own clients would go on for minutes; it may be there later, so the step is tried again. No token is told."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(errors.TryAgain, match=rf"Spark does not answer at 127.0.0.1:{port} \(ARGOSY_SPARK_MASTER\)"):
        opened(f"{scheme}://127.0.0.1:{port}/;token=secret", tmp_path).session()


@pytest.mark.parametrize(
    ("said", "kind", "told"),
    [
        pytest.param(
            "Job aborted due to stage failure: ExecutorLostFailure (executor 1 exited)\n\tat a.b.C\n",
            errors.TryAgain,
            "ExecutorLostFailure",
            id="executor-died",
        ),
        pytest.param(
            "Job aborted\n\tat a.b.C\nCaused by: java.lang.OutOfMemoryError: Java heap space\n\tat d.E",
            errors.Misconfigured,
            "java.lang.OutOfMemoryError: Java heap space: Spark has not the memory for it; give its executors more in model.yaml",
            id="memory",
        ),
        pytest.param(
            "Caused by: java.io.IOException: No space left on device", errors.LocalDisk, "make room", id="disk"
        ),
        pytest.param(
            "java.lang.ClassNotFoundException: Class org.apache.hadoop.fs.s3a.S3AFileSystem not found",
            errors.Misconfigured,
            "it has no hadoop-aws",
            id="no-s3",
        ),
        pytest.param(
            "[SPARK-24819]: Barrier execution mode does not allow run a barrier stage that requires more slots than the total number of "
            "slots in the cluster currently.",
            errors.TryAgain,
            "room for fewer now; where it never has more, lower it",
            id="no-room",
        ),
        pytest.param(
            "RuntimeError: this process fits by XGBoost 2.1.0, and 3.2.0 asks it",
            errors.Misconfigured,
            "give them the image `spark`",
            id="another-xgboost",
        ),
    ],
)
def test_its_failures_are_ours(said: str, kind: type[errors.ArgosyError], told: str, tmp_path: Path) -> None:
    """By what can be done about them: again, more memory, more room, another setting."""
    from pyspark.errors import PySparkException

    spark = opened("sc://spark.example/;token=secret", tmp_path)
    with pytest.raises(kind, match=told) as failure, spark.reported("features cannot be joined"):
        raise PySparkException(said)
    assert "secret" not in str(failure.value)


def test_who_fits_has_a_driver(tmp_path: Path) -> None:
    """XGBoost's engine has none for Spark Connect; where the driver is in the step, nothing is said."""
    opened("spark://spark.example:7077", tmp_path).demand_driver("`train`")
    with pytest.raises(errors.Misconfigured, match=r"`train` on Spark needs the driver in the step.*leave `train` out"):
        opened("sc://spark.example/;token=secret", tmp_path).demand_driver("`train`")


def test_a_jvm_of_the_step_that_ended(tmp_path: Path) -> None:
    """Nothing outside failed: the same again would end in the same way, so it is not tried again, and the memory to give is named."""
    from py4j.protocol import Py4JNetworkError

    with (
        pytest.raises(
            errors.Misconfigured, match=r"most often for memory; give the step more in model.yaml, `resources"
        ),
        opened("local[1]", tmp_path).reported("features cannot be joined"),
    ):
        raise Py4JNetworkError("Answer from Java side is empty")


def test_a_jvm_that_is_gone_hides_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Why it went is what is told, and not that nobody is there to be stopped."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    gone = SimpleNamespace(stop=lambda: socket.create_connection(("127.0.0.1", port)))
    spark = opened("local[1]", tmp_path)
    monkeypatch.setattr(spark, "_started", lambda: gone)
    assert spark.session() is gone
    spark.close()


def test_what_nobody_foresaw_stays_what_it_is(tmp_path: Path) -> None:
    """A fault of ours shows its traceback."""
    from pyspark.errors import PySparkException

    with pytest.raises(PySparkException, match="something else"), opened("local[1]", tmp_path).reported("-"):
        raise PySparkException("something else")


def test_what_both_see(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that a Spark elsewhere reads is put where it sees it, read from there, and removed at the end; the step's own stays."""
    from argosy.adapters.file_tables import FileTables
    from argosy.adapters.spark.spark_session import Spark

    (tmp_path / "rows.parquet").write_bytes(b"rows")
    spark = Spark("sc://spark.example", {}, tmp_path, FileTables(tmp_path / "shared"))
    address = spark._seen(tmp_path / "rows.parquet")
    assert Path(address.removeprefix("file://")).read_bytes() == b"rows"
    spark.close()
    assert not (tmp_path / "shared").exists()
    assert (tmp_path / "rows.parquet").read_bytes() == b"rows"
