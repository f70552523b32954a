"""One Spark for one step: inside its process (``local[N]``), a cluster's by its master, or a company's by Spark Connect (``sc://…``).

What is to be calculated is others' business; here it is opened, told what a value means, and its failures become ours.
"""

import contextlib
import os
import re
import shutil
import socket
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from argosy import errors, extras, memory
from argosy.adapters.spark import spark_failures
from argosy.adapters.spark.executor_pods import ExecutorPods
from argosy.domain import table_places
from argosy.ports.table_files import TableFiles

try:
    from py4j.protocol import Py4JError
    from pyspark.errors import AnalysisException, PySparkException
    from pyspark.sql import SparkSession
except ImportError:
    raise errors.Misconfigured(f"`compute: {{engine: spark}}` needs PySpark: {extras.advice('spark')}") from None

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SHARE = 0.5
"""Of what the step has left: Python, and what the JVM keeps beside its heap, take the rest."""
LEAST = 512 << 20
"""Bytes of a heap below which Spark refuses to start."""
SECONDS = 10.0
"""How long a cluster may take to answer at all."""
S3A = "spark.hadoop.fs.s3a."
MEANING = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "true",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.compression.codec": "zstd",
}
"""What decides what a value is, whatever a cluster's own defaults are. Sessions of Connect take these, too."""


class Spark:
    """A Spark at *master*, opened when it is asked for. *exchange*: files that it and this step both see; None: it is on this machine.

    *folder*: where on this machine it may write. *pods*: what its executors are at a master of Kubernetes.
    """

    def __init__(
        self,
        master: str,
        options: Mapping[str, str],
        folder: Path,
        exchange: TableFiles | None = None,
        pods: ExecutorPods | None = None,
    ) -> None:
        self._master = master
        self._place = master.partition(";")[0]
        """As it may be told: what follows may be a token."""
        self._options = options
        self._folder = folder
        self._exchange = exchange
        self._pods = pods
        self._session: SparkSession | None = None
        self._kept: list[str] = []

    @property
    def is_local(self) -> bool:
        """True where it lives in this step, within its memory."""
        return self._master.startswith("local")

    def demand_driver(self, step: str) -> None:
        """Raise Misconfigured where *step* would have no driver of its own: XGBoost's engine is none for Spark Connect."""
        if self._is_connected:
            raise errors.Misconfigured(
                f"{step} on Spark needs the driver in the step, and ARGOSY_SPARK_MASTER names a server of Spark Connect; name the master "
                f"of a cluster, or leave {step} out of `compute.steps` in model.yaml"
            )

    @property
    def _is_connected(self) -> bool:
        return self._master.startswith("sc:")

    def session(self) -> "SparkSession":
        """The session. Raises Misconfigured where Spark cannot be started so, TryAgain where it cannot be reached."""
        if self._session is None:
            with self.reported("Spark cannot be started"):
                self._session = self._connected() if self._is_connected else self._started()
        return self._session

    def table(self, file: Path) -> "DataFrame":
        """The Parquet *file* of this machine."""
        # What is read may be a pattern to Hadoop, what is written is not.
        return self.session().read.parquet(re.sub(r"([\\*?\[\]{}])", r"\\\1", self._seen(file)))

    def written(self, frame: "DataFrame", name: str) -> Iterator[Any]:
        """*frame* as Spark writes it under *name*, a file of Parquet at a time in the order of its partitions."""
        if self._exchange is None:
            place = self._folder / name
            frame.write.parquet(_address(str(place)))
            yield from (path.open("rb") for path in sorted(place.glob("part-*.parquet")))
            shutil.rmtree(place)
            return
        frame.write.mode("overwrite").parquet(_address(f"{self._exchange.uri}/{name}"))
        written = self._exchange.below(name)
        names = written.names()
        self._kept += [f"{name}/{each}" for each in names]
        yield from (
            written.open(each, None) for each in names if each.startswith("part-") and each.endswith(".parquet")
        )

    def close(self) -> None:
        """Stop what was started here, and remove what was put where both see it."""
        if self._session is not None:
            _stop(self._session)
            self._session = None
        if self._exchange is not None:
            for name in self._kept:
                self._exchange.remove(name)
            if (folder := table_places.path_of(self._exchange.uri)) is not None:
                shutil.rmtree(folder, ignore_errors=True)  # what is left of it: folders without files

    @contextlib.contextmanager
    def reported(self, subject: str) -> Iterator[None]:
        """Say what Spark says as ours. Raises TryAgain where it, or a part of it, went away; LocalDisk; Misconfigured."""
        try:
            yield
        except AnalysisException as error:
            raise errors.Misconfigured(f"{subject}: {spark_failures.cause(str(error))}") from error
        except (PySparkException, Py4JError, ConnectionError) as error:
            failure = self.failure(subject, f"{type(error).__name__}: {error}")
            if failure is None:
                raise
            raise failure from error

    def failure(self, subject: str, said: str) -> errors.ArgosyError | None:
        """What *said*, in Spark's words, means to *subject*; None where nobody knows, so that it is a fault of ours."""
        where: spark_failures.Where = "step" if self.is_local else "server" if self._is_connected else "cluster"
        return spark_failures.meaning(subject, said, self._place, where)

    def _seen(self, file: Path) -> str:
        """The address of *file* for Spark, which it is brought to where that does not see this machine."""
        if self._exchange is None:
            return _address(str(file))
        name = f"in-{len(self._kept)}-{file.name}"
        with self._exchange.draft(name) as draft:
            shutil.copyfile(file, draft)
            self._exchange.keep(name, draft, None)
        self._kept.append(name)
        return _address(f"{self._exchange.uri}/{name}")

    def _started(self) -> "SparkSession":
        _demand_java()
        if self._master.startswith("spark:"):
            _demand_an_answer(self._master)
        options = dict(self._options)
        if self._pods is not None:
            self._pods.demand_right(self._api)
            options = self._pods.settings(options, self._folder)
        if self.is_local:
            os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")  # else it asks what this machine's name means
            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Spark's about pandas and Arrow, which nobody here asked for
            builder = SparkSession.builder.master(self._master).appName("argosy")
            for name, value in {**self._beside(), **options, **MEANING}.items():
                builder = builder.config(name, value)
            session = builder.getOrCreate()
        if self._pods is not None:
            self._await_pods(session, self._pods)
        return session

    @property
    def _api(self) -> str:
        """The address of the API server that the master is."""
        return self._master.removeprefix("k8s://").rstrip("/")

    def _await_pods(self, session: "SparkSession", pods: ExecutorPods) -> None:
        """Wait for the first executor; Spark's own would be waited for until the step's deadline."""
        context = session.sparkContext
        there = context._jsc.sc().getExecutorMemoryStatus  # noqa: SLF001 - PySpark itself tells nothing of executors
        try:
            pods.demand_one(self._api, context.applicationId, lambda: there().size() > 1)  # the driver is one of them
        except errors.ArgosyError:
            _stop(session)
            raise

    def _connected(self) -> "SparkSession":
        _demand_an_answer(self._master)
        session = SparkSession.builder.remote(self._master).getOrCreate()
        for name, value in {**self._options, **MEANING}.items():
            session.conf.set(name, value)
        return session

    def _beside(self) -> dict[str, str]:
        """What is no question of a model: no page, no noise; for a Spark in this step its memory, its disk, this machine's own address."""
        quiet = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
        # Whoever fits together waits for room: a cluster's executors may still be starting, here nobody else is.
        quiet["spark.scheduler.barrier.maxConcurrentTasksCheck.maxFailures"] = "1" if self.is_local else "8"
        heap = max(LEAST, int((memory.limit() - memory.in_use()) * SHARE))
        quiet["spark.driver.memory"] = f"{heap >> 20}m"
        if not self.is_local:
            return quiet | self._store()
        cores = os.cpu_count() or 1
        return quiet | {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.local.dir": str(self._folder),
            "spark.sql.warehouse.dir": str(self._folder / "warehouse"),
            "spark.sql.shuffle.partitions": str(4 * cores),
        }

    def _store(self) -> dict[str, str]:
        """Where the bucket of the exchange is, where that is not Amazon's: keys Spark takes from the surroundings itself."""
        address = os.environ.get("AWS_ENDPOINT_URL")
        if address is None or self._exchange is None or not self._exchange.uri.startswith("s3://"):
            return {}
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        return {
            f"{S3A}endpoint": address,
            f"{S3A}endpoint.region": region,
            f"{S3A}path.style.access": "true",  # of a store of one's own no bucket has a name in DNS
        }


def _stop(session: "SparkSession") -> None:
    """Stop *session*. A JVM that is gone already says so as py4j does or as a socket does: neither is to hide why it went."""
    with contextlib.suppress(PySparkException, Py4JError, ConnectionError):
        session.stop()


def _address(place: str) -> str:
    """*place* as Hadoop has it: a path of this machine, or a bucket."""
    return f"s3a://{place.removeprefix('s3://')}" if place.startswith("s3://") else f"file://{place}"


def _demand_java() -> None:
    home = os.environ.get("JAVA_HOME")
    if home and not (Path(home) / "bin" / "java").exists():
        raise errors.Misconfigured(
            f"JAVA_HOME is {home}, where there is no bin/java; Spark needs Java 17 or newer there"
        )
    if not home and shutil.which("java") is None:
        raise errors.Misconfigured(
            "Spark needs Java 17 or newer, and there is none: install it (Debian: openjdk-17-jre-headless) or set JAVA_HOME; "
            "a Spark elsewhere, ARGOSY_SPARK_MASTER=sc://<host>:15002, needs none here"
        )


def _demand_an_answer(master: str) -> None:
    """Spark's own clients go on asking for minutes, and say then what they say of everything."""
    parts = urlsplit(re.split("[;,]", master)[0])
    host, port = parts.hostname or "", parts.port or (15002 if parts.scheme == "sc" else 7077)
    try:
        socket.create_connection((host, port), SECONDS).close()
    except socket.gaierror:
        raise errors.Misconfigured(
            f"ARGOSY_SPARK_MASTER names {host!r}, which nobody knows by that name; mend it"
        ) from None
    except OSError as error:
        raise errors.TryAgain(
            f"Spark does not answer at {host}:{port} (ARGOSY_SPARK_MASTER): {error.strerror or error}"
        ) from None
