"""Builds the concrete adapters from the settings: the only place that names them.

Each function imports its adapter when it is called, so that a process loads the one client library it needs and no other.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from argosy import errors, extras, plugins, scratch
from argosy.settings import POSTGRESQL, REDIS, Settings, SparkSettings

if TYPE_CHECKING:  # pydantic and the documents take a tenth of a second, which every `argosy run` would pay
    from argosy.adapters.cluster.archive import WorkflowArchive
    from argosy.adapters.segment_log.shared_shipper import SharedShipper
    from argosy.adapters.spark.executor_pods import ExecutorPods
    from argosy.adapters.spark.spark_session import Spark
    from argosy.domain.access_rules import Issuer
    from argosy.domain.answers.answer_bundle import AnswerSignature
    from argosy.domain.answers.answer_settings import Answerer, AnswerSettings, Chat
    from argosy.domain.compute_settings import Compute
    from argosy.domain.data import ReachedPlace
    from argosy.domain.model_settings import ModelSettings
    from argosy.domain.release import Version
    from argosy.domain.source_settings import Source
    from argosy.ml.fitting import Fitting
    from argosy.ml.frames import Examples
    from argosy.monitoring.notices import Announcer
    from argosy.monitoring.performance import Tools
    from argosy.monitoring.retrainings import LooksOf
    from argosy.monitoring.skew_comparison import SkewTools
    from argosy.ports.admission_state import AdmissionState
    from argosy.ports.artifacts import Artifacts
    from argosy.ports.charts import Charts
    from argosy.ports.drift_pages import DriftPages
    from argosy.ports.erasers import LogEraser, RowEraser
    from argosy.ports.expectations import ExpectationChecker, FrameChecker
    from argosy.ports.features import Features, OnlineFeatures, SharedOnlineStore
    from argosy.ports.forge import Forge, Keys
    from argosy.ports.inspection import Inspection
    from argosy.ports.judge import Judge, SampleJudge
    from argosy.ports.key_maker import KeyMaker
    from argosy.ports.label_join import LabelJoin
    from argosy.ports.lineage_receiver import LineageReceiver
    from argosy.ports.measures import OwnMeasure
    from argosy.ports.notifier import Notifier
    from argosy.ports.objects import Objects
    from argosy.ports.prediction_log import BatchLog, PredictionHistory, PredictionLog, ServedRelease
    from argosy.ports.prompt_completion import Completion
    from argosy.ports.rate_limiter import RateLimiter
    from argosy.ports.registry import Registry
    from argosy.ports.rollouts import Rollouts
    from argosy.ports.runs import Runs
    from argosy.ports.search_storage import SearchStorage
    from argosy.ports.signer import Signer, Verifier
    from argosy.ports.source_reader import Database, Fetched, SourceReader
    from argosy.ports.span_exporter import SpanExporter
    from argosy.ports.streams import Stream
    from argosy.ports.table_comparison import TableComparison
    from argosy.ports.table_files import TableFiles
    from argosy.ports.tables import Tables
    from argosy.ports.token_verifier import TokenVerifier
    from argosy.ports.trial_server import TrialServer
    from argosy.ports.workflows import Workflows
    from argosy.scoring.sent_work import Pool

LOCAL = "local:"
GITHUB = "github:"
GITEA = "gitea:"
S3 = "s3://"
K8S = "k8s://"


def forge(settings: Settings, *, make: bool = False) -> Forge:
    """The environment repo and its requests.

    In a state folder that is there it is made where there is none. One elsewhere on this machine, and the state folder, is made only for
    who asks to *make* it: a slip of the pen must not become a repository. Raises Misconfigured where the address is of no kind we know, or
    leads nowhere.
    """
    if settings.forge_uri.startswith(LOCAL):
        from argosy.adapters.local_forge.forge import LocalForge

        path = Path(settings.forge_uri.removeprefix(LOCAL))
        if not (make or path.exists() or path.is_relative_to(settings.home)):
            raise errors.Misconfigured(
                f"there is no environment repo at {path}, where ARGOSY_FORGE_URI leads: mend the setting, or make one there with "
                "`argosy setup` or `argosy run MODEL`"
            )
        missing = path.is_relative_to(settings.home) and not settings.home.exists()
        if missing and not make and _could_be_made(settings.home):
            raise errors.Misconfigured(
                f"there is no state folder at {settings.home} yet, so nothing was proposed or served from it: `argosy run MODEL` or "
                "`argosy setup` makes it, or ARGOSY_HOME names another"
            )
        return LocalForge(path, environment_template(settings), _check_policies)
    if settings.forge_uri.startswith(GITHUB):
        return _github(settings.forge_uri.removeprefix(GITHUB), settings)
    if settings.forge_uri.startswith(GITEA):
        return _gitea(settings.forge_uri.removeprefix(GITEA), settings)
    return _brought_forge(settings)


def forge_keys(uri: str) -> Keys | None:
    """What the Secret of the forge at *uri* must hold, as its adapter says; of GitHub where there is no address.

    None where no package here brings such a forge, or it does not say. Raises Misconfigured where it says something else.
    """
    if uri.startswith(LOCAL):
        from argosy.adapters.local_forge.forge import LocalForge

        return LocalForge.keys
    if uri.startswith(GITEA):
        from argosy.adapters.hosted_forge.gitea import GiteaHost

        return GiteaHost.keys
    if not uri or uri.startswith(GITHUB):
        from argosy.adapters.hosted_forge.github import GithubHost

        return GithubHost.keys
    brought = plugins.installed(plugins.FORGES).get(uri.partition(":")[0])
    said = getattr(brought.load(), "keys", None) if brought else None
    if said is None:
        return None
    if not isinstance(said, tuple) or not all(
        isinstance(names, tuple) and all(isinstance(name, str) for name in names) for names in said
    ):
        raise errors.Misconfigured(
            f"{brought}, says in `keys` {said!r}; expected a tuple of tuples of names, any of which is enough; mend that package"
        )
    return said


def checked_out(repository: Path) -> Forge:
    """The environment repo as its clone at *repository* has it, for reading: main's history, and no requests but this machine's own."""
    from argosy.adapters.local_forge.forge import LocalForge

    return LocalForge(repository, {})


def _could_be_made(folder: Path) -> bool:
    """Whether nothing but itself is missing for *folder*: where a file is in its way, that is what has to be said."""
    return next(place for place in folder.parents if os.path.lexists(place)).is_dir()


def registry(settings: Settings) -> Registry:
    """The model registry."""
    from argosy.adapters.mlflow_registry import MlflowRegistry

    return MlflowRegistry(settings.tracking_uri)


def rollouts(namespace: str) -> Rollouts:
    """The canaries in *namespace* of the cluster at hand."""
    from argosy.adapters.cluster.rollouts import ClusterRollouts

    return ClusterRollouts(namespace)


def inspection(context: str | None) -> Inspection:
    """The cluster of *context*, to be looked at. Raises Misconfigured where there is none."""
    from argosy.adapters.cluster.inspection import ClusterInspection

    return ClusterInspection(context)


def charts(*, executable: str, context: str | None) -> Charts:
    """The client of Helm, through the program *executable*, in the cluster of *context*."""
    from argosy.adapters.helm_charts import HelmCharts

    return HelmCharts(executable=executable, context=context)


def artifacts(settings: Settings) -> Artifacts:
    """The model store."""
    if settings.store_uri.startswith(S3):
        from argosy.adapters.s3.artifacts import S3Artifacts

        return S3Artifacts(settings.store_uri)
    from argosy.adapters.file_artifacts import FileArtifacts

    return FileArtifacts(settings.store_uri)


def objects(settings: Settings, uri: str) -> Objects:
    """The objects below *uri*, which is one of the *settings*. Raises Misconfigured for a place of no kind we know."""
    return _objects(uri, "ARGOSY_PREDICTIONS_URI" if uri == settings.predictions_uri else "ARGOSY_MONITORING_URI")


def _check_place(uri: str, setting: str) -> None:
    """Raises Misconfigured where nothing can be kept at *uri*, without loading what would keep it."""
    if uri.startswith(S3):
        from argosy.adapters.s3 import addresses

        addresses.split(uri, setting)
        addresses.demand_gateway(os.environ)
    else:
        _objects(uri, setting)


def _objects(uri: str, setting: str) -> Objects:
    if uri.startswith(S3):
        from argosy.adapters.s3.bucket_objects import S3Objects

        return S3Objects(uri, setting)
    from argosy.adapters.file_objects import FileObjects

    return FileObjects(uri, setting)


def table_files(place: str, setting: str, root: Path = Path()) -> TableFiles:
    """The files at *place*, a path (relative to *root*), ``file://…``, ``s3://…`` or, for results, ``sql://<name>/<table>``.

    Raises Misconfigured, which names *setting*.
    """
    from argosy.domain import source_addresses, table_places

    if place.startswith(table_places.DATABASE):
        from argosy.adapters.sql_tables import SqlTables

        return SqlTables(place, setting, source_addresses.addresses(os.environ))
    if place.startswith(S3):
        from argosy.adapters.s3.table_objects import S3Tables

        return S3Tables(place, setting)
    from argosy.adapters.file_tables import FileTables

    path = table_places.path_of(place)
    if path is None:
        raise errors.Misconfigured(f"{setting} is {place!r}; expected a file, a folder or {S3}<bucket>/<prefix>")
    return FileTables(root / path)


def drift_pages() -> DriftPages:
    """What draws a look for a person, on Evidently."""
    from argosy.adapters.evidently_pages import EvidentlyPages

    return EvidentlyPages()


def notifier(settings: Settings) -> Notifier:
    """What tells people, by the addresses of this environment; one that begins with the name of an installed notifier is that one's."""
    from argosy.adapters.apprise_notifier import AppriseNotifier

    own = plugins.installed(plugins.NOTIFIERS) if settings.notify else {}
    of = {channel: address.partition(":")[0] for channel, address in settings.notify.items()}
    rest = {channel: address for channel, address in settings.notify.items() if of[channel] not in own}
    if len(rest) == len(settings.notify):
        return AppriseNotifier(settings.notify)
    from argosy.adapters.joined_notifiers import JoinedNotifiers

    addresses = {name: {each: settings.notify[each] for each in of if of[each] == name} for name in own}
    brought = [own[name].load()(given) for name, given in addresses.items() if given]
    return JoinedNotifiers([*brought, AppriseNotifier(rest)])


def measures() -> dict[str, OwnMeasure]:
    """What installed packages measure of a candidate, by name. Raises Misconfigured where one cannot be loaded."""
    return {name: plugin.load() for name, plugin in plugins.installed(plugins.MEASURES).items()}


def announcer(settings: Settings) -> Announcer:
    """What steps tell people with; its lines go to the step's log."""
    from argosy.monitoring.notices import Announcer

    return Announcer(
        notifier(settings),
        objects=lambda: objects(settings, settings.monitoring_uri),
        report=lambda line: print(line, file=sys.stderr, flush=True),  # noqa: T201 - the step's log
        reaches_anybody=bool(settings.notify),
    )


def search_storage(settings: Settings, model: ModelSettings) -> SearchStorage:
    """The storage of the trials of *model*'s searches."""
    from argosy.adapters.optuna_storage import OptunaStorage

    return OptunaStorage(settings.search_storage_uri, model)


def admission_state(settings: Settings) -> AdmissionState:
    """The ledgers of retrainings. Raises Misconfigured in a pod that was given no database for them."""
    from argosy.adapters.sql_admission_state import SqlAdmissionState

    if settings.loop_storage_uri is None:
        raise errors.Misconfigured(
            "ARGOSY_LOOP_STORAGE_URI is not set, and a pod's own files end with it: name a PostgreSQL in the Secret argosy-loop "
            "(or, where you work in a pod, sqlite:///<a file that stays>)"
        )
    return SqlAdmissionState(settings.loop_storage_uri)


def passing_admission_state() -> AdmissionState:
    """Ledgers of retrainings that are empty, and gone with this process."""
    from argosy.adapters.memory_admission_state import MemoryAdmissionState

    return MemoryAdmissionState()


def passing_objects() -> Objects:
    """A store of objects that is gone with this process."""
    from argosy.adapters.memory_objects import MemoryObjects

    return MemoryObjects()


def looks_of(settings: Settings, model: str) -> LooksOf:
    """The looks at *model*, by environment."""
    from argosy.monitoring import retrainings

    kept = objects(settings, settings.monitoring_uri)
    return lambda environment: retrainings.recent_looks(kept, model, environment)


def signer(settings: Settings) -> Signer:
    """The signer, with the private key."""
    from argosy.adapters.model_signer import KeySigner

    return KeySigner(settings.signing_key, settings.signing_key_text)


def verifier(settings: Settings, key: Path | None = None) -> Verifier:
    """The verifier of signatures, with the public key; *key* in place of the one in the settings."""
    return verifier_by(key or settings.verifying_key)


def verifier_by(key: Path) -> Verifier:
    """The verifier of signatures with the public keys in the file *key*."""
    from argosy.adapters.model_signer import KeyVerifier

    return KeyVerifier(key)


def load_verifier() -> None:
    """Load what :func:`verifier_by` checks with, which takes a second; where it is not installed, whoever checks is told so."""
    with contextlib.suppress(ImportError):
        from argosy.adapters import model_signer

        model_signer.load()


def prediction_log(settings: Settings, served: ServedRelease, features: Sequence[tuple[str, str]]) -> PredictionLog:
    """A log of what *served* answers, shipped by a process of its own. *features*: name and type of each that is logged.

    Raises Misconfigured where ARGOSY_PREDICTIONS_URI is no place.
    """
    from argosy.adapters.segment_log.writer import SegmentLog

    uri, spool = settings.predictions_uri, settings.spool
    _check_place(uri, "ARGOSY_PREDICTIONS_URI")
    return SegmentLog(
        spool.folder,
        _shared_shipper(spool.folder, uri).seat(served),
        served,
        features,
        ship_seconds=spool.ship_seconds,
        spool_bytes=spool.mebibytes * 2**20,
    )


@functools.cache
def _shared_shipper(spool: Path, uri: str) -> SharedShipper:
    """One for all logs of this process."""
    from argosy.adapters.segment_log.shared_shipper import SharedShipper

    # -P: nothing is imported from the folder that the server was started in, where a random.py may lie.
    return SharedShipper(spool, [sys.executable, "-P", "-m", "argosy.serving.log_shipper", str(spool.absolute()), uri])


def ship_spool(spool: Path, uri: str) -> None:
    """Ship what is logged in *spool* to *uri*, as the process that a log's own starts for it; never returns."""
    from argosy.adapters.segment_log import shipper_child

    shipper_child.run(spool, lambda: _objects(uri, "ARGOSY_PREDICTIONS_URI"))


def judged_log(settings: Settings, served: ServedRelease) -> PredictionLog:
    """A log of what a judge says of a sample of what *served* answers."""
    from argosy.domain.answers import answer_columns
    from argosy.ports.prediction_log import judged_of

    its = dataclasses.replace(served, environment=judged_of(served.environment))
    return prediction_log(settings, its, answer_columns.JUDGED_COLUMNS)


def batch_log(settings: Settings) -> BatchLog:
    """A log of what tables were answered with."""
    return batch_log_at(settings.predictions_uri)


def batch_log_at(uri: str) -> BatchLog:
    """A log, below *uri*, of what tables were answered with. Sent to other processes it has no settings with it."""
    from argosy.adapters.segment_log.batch import BatchSegments

    return BatchSegments(_objects(uri, "ARGOSY_PREDICTIONS_URI"))


def prediction_history(settings: Settings) -> PredictionHistory:
    """The reader of prediction logs."""
    from argosy.adapters.segment_log.history import SegmentHistory

    return SegmentHistory(objects(settings, settings.predictions_uri), settings.spool.folder)


def log_eraser(settings: Settings) -> LogEraser:
    """What removes one entity from prediction logs."""
    from argosy.adapters.segment_log.segment_eraser import SegmentEraser

    return SegmentEraser(objects(settings, settings.predictions_uri), settings.spool.folder)


def row_eraser() -> RowEraser:
    """What removes one entity from tables in files."""
    from argosy.adapters.duckdb_tables.row_eraser import DuckDBRowEraser

    return DuckDBRowEraser()


def keys() -> KeyMaker:
    """The maker of a laptop's keys."""
    from argosy.adapters import keys as made

    return made


def hash_key(settings: Settings) -> bytes:
    """The secret under which ids are hashed. Raises Misconfigured where there is none."""
    return hash_keys(settings)[0]


def hash_keys(settings: Settings) -> list[bytes]:
    """The secret under which ids are hashed, and those under which they were hashed before it. Raises Misconfigured where there is none."""
    content, place = (settings.hash_key_text or "").encode(), "ARGOSY_HASH_KEY"
    if not content:
        place = f"ARGOSY_HASH_KEY_FILE: {settings.hash_key}"
        try:
            content = settings.hash_key.read_bytes()
        except OSError as error:
            raise errors.Misconfigured(f"{place} cannot be read: {error.strerror}; `argosy setup` makes one") from error
    if not (keys := [line.strip() for line in content.splitlines() if line.strip()]):
        raise errors.Misconfigured(
            f"{place} is empty, and ids are hashed under a secret; `argosy setup` makes one where there is none"
        )
    return keys


def workflows(namespace: str | None, context: str | None) -> Workflows:
    """The runs of a cluster's namespace. Raises Misconfigured where no cluster is named, or its client is not installed."""
    try:
        from argosy.adapters.cluster.workflows import ClusterWorkflows
    except ModuleNotFoundError as error:
        if error.name != "kubernetes":
            raise
        from argosy import extras

        raise errors.Misconfigured(
            f"a cluster needs the client kubernetes; install it with {extras.advice('cluster')}"
        ) from error
    return ClusterWorkflows(namespace, context)


def workflow_archive(settings: Settings) -> WorkflowArchive | None:
    """Argo's archive of workflows; None where no setting names it. Raises Misconfigured for a database of another kind."""
    if settings.archive_uri is None:
        return None
    if not settings.archive_uri.startswith(POSTGRESQL):
        raise errors.Misconfigured("ARGOSY_ARCHIVE_URI is no postgresql://…, in which Argo archives workflows")
    from argosy.adapters.cluster.archive import WorkflowArchive

    return WorkflowArchive(settings.archive_uri)


def cluster_runs(at: Workflows, context: str | None) -> Runs:
    """The workflows *at* a cluster, that of *context* if one was asked for, as runs."""
    from argosy.adapters.cluster.runs import ClusterRuns

    return ClusterRuns(at, context)


def tables(spark: Spark | None = None) -> Tables:
    """The reader of tables by their data contract, on DuckDB; *spark*: who joins."""
    from argosy.adapters.duckdb_tables.tables import DuckDBTables

    if spark is None:
        return DuckDBTables()
    from argosy.adapters.spark.spark_tables import SparkTables

    return SparkTables(spark, DuckDBTables())


@contextlib.contextmanager
def spark(compute: Compute, step: str) -> Iterator[Spark | None]:
    """The Spark that *step* asks by the settings *compute*, until the block ends; None where it asks none.

    Raises Misconfigured where there is no PySpark, or the environment names no Spark that it could be.
    """
    if not compute.asks_spark(step):
        yield None
        return
    from argosy.adapters.spark.spark_session import Spark

    found = Settings.from_environment().spark
    with scratch.folder("spark") as place:
        if found.folder is None or found.master.startswith("local"):
            asked = Spark(found.master, compute.options, place)
        else:
            # Two runs at once are in folders of their own.
            exchange = table_files(f"{found.folder.rstrip('/')}/{place.name}", "ARGOSY_SPARK_FOLDER")
            asked = Spark(found.master, compute.options, place, exchange, _executor_pods(found, compute, step))
        try:
            yield asked
        finally:
            asked.close()


def _executor_pods(found: SparkSettings, compute: Compute, step: str) -> ExecutorPods | None:
    """What the executors of *step* are at a master of Kubernetes; None at any other. Raises Misconfigured where it may start none."""
    if not found.master.startswith(K8S):
        return None
    from argosy.adapters.spark.executor_pods import ExecutorPods

    told = found.pods
    if told is None:
        raise errors.Misconfigured(
            f"ARGOSY_SPARK_MASTER is {found.master}, and this step was given no right to start executors there: set "
            "`spark.executors: true` in the values of the chart platform, and install the pipeline as `argosy compile` writes it; a "
            "step on this machine has none"
        )
    # The keys that the step has itself: where tables are scored, executors read and write them.
    secrets = ["argosy-spark", *(["argosy-scores"] if step == "score-batch" else [])]
    return ExecutorPods(
        told.namespace, told.pod, told.image, told.token, told.authority, secrets, compute.workers, told.placement
    )


def fitting(spark: Spark | None, settings: ModelSettings, features: Path) -> Callable[[Examples], Fitting] | None:
    """Who fits the training side of the folder *features* by *settings*, given its outline; None where *spark* is None: the step itself."""
    if spark is None:
        return None
    from argosy.adapters.spark.spark_fitting import SparkFitting

    return lambda examples: SparkFitting(spark, features, examples, settings)


def executors(spark: Spark | None) -> Pool | None:
    """The processes that *spark* calculates in; None where it is None."""
    if spark is None:
        return None
    from argosy.adapters.spark.spark_executors import SparkExecutors

    return SparkExecutors(spark)


def table_comparison() -> TableComparison:
    """What compares two tables, on DuckDB."""
    from argosy.adapters.duckdb_tables.comparison_of_tables import DuckDBTableComparison

    return DuckDBTableComparison()


def label_join() -> LabelJoin:
    """What joins labels to logged predictions, on DuckDB."""
    from argosy.adapters.duckdb_tables.label_join import DuckDBLabelJoin

    return DuckDBLabelJoin()


def performance_tools(settings: Settings) -> Tools:
    """What real performance is measured through."""
    from argosy.monitoring.performance import Tools

    newest, *older = hash_keys(settings)
    return Tools(prediction_history(settings), tables(), label_join(), newest, tuple(older))


@contextlib.contextmanager
def sources(
    settings: Settings,
    data: str,
    asked: Sequence[Source],
    *,
    optional: bool = False,
    since: Mapping[str, ReachedPlace] | None = None,
    sizes: dict[str, Mapping[str, int]] | None = None,
) -> Iterator[Path]:
    """The folder on this machine with the files and folders of the sources *asked* at the parameter *data*, while the block runs.

    *optional*: a file of a bucket that is not there yet is left out. *since*: by name, how far sources were read before; of their
    folders in a bucket what is settled is not copied. *sizes* gets, by name, all partitions of such a folder. Raises Misconfigured for a
    place of no kind we know.
    """
    mine = [source for source in asked if source.is_in_data]
    if "://" not in data or not mine:
        yield settings.data_root / data
        return
    if not data.startswith(S3):
        raise errors.Misconfigured(f"data={data!r}: expected a file, a folder or {S3}<bucket>/<prefix>")
    from argosy.adapters.s3 import sources as bucket

    with scratch.folder("sources") as place:
        prefix, _, last = data.rpartition("/")
        files = [source.file for source in mine if source.file]
        if len(files) == len(mine) == 1 and Path(last).suffix:  # that very object, as with a file of this machine
            bucket.fetch(prefix, [last], place, optional=optional)
            yield place / last
        else:
            bucket.fetch(data, files, place, optional=optional)
            for source in mine:
                if source.folder:
                    found = bucket.fetch_folder(data, source, place, (since or {}).get(source.name), optional=optional)
                    if sizes is not None:
                        sizes[source.name] = found
            yield place


@contextlib.contextmanager
def documents(settings: Settings, data: str, names: Sequence[str]) -> Iterator[Path]:
    """The folder on this machine with the documents *names* at the parameter *data*, while the block runs.

    Raises Misconfigured for a place of no kind we know, and where a bucket has not all of them.
    """
    if "://" not in data:
        yield settings.data_root / data
        return
    if not data.startswith(S3):
        raise errors.Misconfigured(f"data={data!r}: expected a folder or {S3}<bucket>/<prefix>")
    from argosy.adapters.s3 import sources as bucket

    with scratch.folder("documents") as place:
        bucket.fetch(data, names, place)
        yield place


def completion(settings: Settings, model: AnswerSettings, answerer: Answerer) -> Completion | None:
    """What completes the prompts of *answerer*, that of *model* or of its champion; None where it asks no endpoint.

    Raises Misconfigured where the key is another host's.
    """
    return None if answerer.kind == "extractive" else _chat(settings, model, answerer, "an answerer")


def judge(settings: Settings, model: AnswerSettings) -> Judge:
    """The judge of *model*. Raises Misconfigured where the key is another host's, or nothing installed brings it."""
    if model.judge.kind == "lexical":
        from argosy.adapters.word_judge import WordJudge

        return WordJudge(model.judge)
    if model.judge.kind == "installed":
        from argosy.adapters.brought_judge import BroughtJudge
        from argosy.domain import suggestion

        brought = plugins.installed(plugins.JUDGES)
        if (name := model.judge.name) not in brought:
            lacking = suggestion.not_installed("the judge", name, brought, plugins.JUDGES)
            raise errors.Misconfigured(f"judge.name: {lacking}")
        return BroughtJudge(brought[name], model.judge.settings)
    from argosy.adapters.chat_judge import ChatJudge

    return ChatJudge(_chat(settings, model, model.judge, "the judge").complete)


def sample_judge(settings: Settings, model: AnswerSignature) -> SampleJudge | None:
    """Who judges a sample of what the bundle of *model* answers; None where nobody does: none is wanted, or a package brings the judge,
    which knows answers with a reference alone. Raises Misconfigured where the key is another host's."""
    if model.judge is None or not model.serving.judging.share or model.judge.kind == "installed":
        return None
    if model.judge.kind == "lexical":
        from argosy.adapters.word_judge import WordJudge

        return WordJudge(model.judge)
    from argosy.adapters.chat_judge import ChatJudge

    return ChatJudge(_chat(settings, model, model.judge, "the judge").complete)


def serving_completion(settings: Settings, model: AnswerSignature) -> Completion | None:
    """What completes the prompts of the bundle of *model* for a caller who waits: asked once, within the time budget; None where it asks
    no endpoint. Raises Misconfigured where the key is another host's."""
    answerer = model.answerer
    if answerer.kind == "extractive":
        return None
    patience = {"timeout_seconds": min(answerer.timeout_seconds, model.serving.seconds)}
    return _chat(settings, model, answerer.model_copy(update=patience), "an answerer", attempts=1)


def _chat(
    settings: Settings, model: AnswerSettings | AnswerSignature, asked: Chat, whose: str, attempts: int | None = None
) -> Completion:
    """The endpoint *asked*; one key is one host's, that of the model's answerer or else of its judge, and no other is sent it."""
    from argosy.adapters import chat_endpoint
    from argosy.domain.answers.answer_settings import Chat

    first = next((each for each in (model.answerer, model.judge) if isinstance(each, Chat)), asked)
    if settings.chat_key and chat_endpoint.host(asked.endpoint) != chat_endpoint.host(first.endpoint):
        raise errors.Misconfigured(
            f"{whose} is asked at {asked.endpoint}, and ARGOSY_CHAT_KEY is the key for {first.endpoint}, which no other host is sent: "
            "ask both at one host, such as a gateway that holds a key for each"
        )
    return chat_endpoint.ChatEndpoint(asked, settings.chat_key, attempts=attempts or chat_endpoint.ATTEMPTS)


@contextlib.contextmanager
def fetched(
    settings: Settings, sources: Sequence[Source], since: Mapping[str, ReachedPlace] | None = None
) -> Iterator[Mapping[str, Fetched]]:
    """Those of *sources* that are no files of a folder, read to this machine, by name, while the block runs.

    *since*: by name, how far they were read before, and need not be read again.
    """
    asked = [source for source in sources if not source.is_in_data]
    if not asked:
        yield {}
        return
    with scratch.folder("sources") as place:
        yield {
            name: found
            for reader, mine in _readers(settings, asked)
            for name, found in reader.fetch(mine, place, since or {}).items()
        }


def lineage_receiver(settings: Settings) -> LineageReceiver | None:
    """Who is told what a step read and made; None where nobody is."""
    if settings.lineage_uri is None:
        return None
    from argosy.adapters.open_lineage import OpenLineageReceiver

    return OpenLineageReceiver(settings.lineage_uri)


def _readers(settings: Settings, asked: Sequence[Source]) -> Iterator[tuple[SourceReader, list[Source]]]:
    """What reads the sources *asked*, each loaded where one of them needs it, with those that it is to read."""
    databases: dict[str, list[Source]] = {}
    for source in asked:
        if source.sql is not None:
            databases.setdefault(_kind_of(settings.source_addresses, source.sql.secret), []).append(source)
    for kind, mine in databases.items():
        yield _reader_of(kind, settings.source_addresses), mine
    if web := [source for source in asked if source.url is not None]:
        from argosy.adapters.web_files import WebFiles

        yield WebFiles(settings.source_addresses), web
    if topics := [source for source in asked if source.kafka is not None]:
        try:
            from argosy.adapters.kafka.topics import KafkaTopics
        except ModuleNotFoundError as error:
            if error.name != "confluent_kafka":
                raise
            raise errors.Misconfigured(
                "a source is a topic of Kafka, whose client is not installed here: install confluent-kafka beside Argosy; in a pod, in an "
                "image of your own for the family data (images/images.lock)"
            ) from error
        yield KafkaTopics(settings.kafka), topics


def database(addresses: Mapping[str, str], secret: str) -> Database:
    """The reader of the database whose address is named *secret* in *addresses*, by variable; it says what is in it.

    Raises Misconfigured where what an installed package brings for such addresses cannot say that.
    """
    kind = _kind_of(addresses, secret)
    reader = _reader_of(kind, addresses)
    if not (hasattr(reader, "tables") and hasattr(reader, "outline")):
        raise errors.Misconfigured(
            f"what reads {kind}:// cannot say which tables and columns there are (it has no `tables` and `outline`): save the rows as a "
            "file, make the model of that, and name the source in model.yaml"
        )
    return cast("Database", reader)


def _kind_of(addresses: Mapping[str, str], secret: str) -> str:
    """What the address named *secret* begins with, where that is not of SQLAlchemy's."""
    from argosy.domain import source_addresses

    return addresses.get(source_addresses.variable(secret), "").partition(":")[0]


def _reader_of(kind: str, addresses: Mapping[str, str]) -> SourceReader:
    """What reads from the *addresses* that begin with *kind*: DuckDB, what an installed package brings, or SQLAlchemy."""
    if kind == "duckdb":
        from argosy.adapters.duckdb_tables.duckdb_sources import DuckDBSources

        return DuckDBSources(addresses)
    if kind and (own := plugins.installed(plugins.SOURCES).get(kind)):
        mine = {name: address for name, address in addresses.items() if address.partition(":")[0] == kind}
        return cast("SourceReader", own.made(mine, "fetch"))
    from argosy.adapters.sql_sources import SqlSources

    return SqlSources(addresses)


@contextlib.contextmanager
def source_files(settings: Settings, data: str, asked: Sequence[Source]) -> Iterator[Mapping[str, Path]]:
    """The file or folder on this machine of each of the sources *asked*, by name, while the block runs; *data*: where files lie."""
    with sources(settings, data, asked) as place, fetched(settings, asked) as others:
        mine = [source for source in asked if source.is_in_data]
        yield {
            **{source.name: place if place.is_file() else place / source.file_name for source in mine},
            **{name: one.file for name, one in others.items()},
        }


@contextlib.contextmanager
def labels(settings: Settings, data: str, source: Source) -> Iterator[Path]:
    """The folder or file on this machine with the table of labels *source*, which may not be there yet, while the block runs."""
    if not source.is_in_data:
        with fetched(settings, [source]) as found:
            yield found[source.name].file
    else:
        with sources(settings, data, [source], optional=True) as place:
            yield place


def expectation_checker(objects: Objects | None = None, spark: Spark | None = None) -> ExpectationChecker:
    """The checker of expectations: in DuckDB what can be asked there, by Great Expectations the rest; *spark* takes what it can of that.

    *objects*: where what was measured of parts of tables is kept; None: nowhere.
    """
    from argosy.adapters.duckdb_tables.checks.compiled_checker import CompiledChecker
    from argosy.adapters.duckdb_tables.checks.kept_measures import KeptMeasures

    def otherwise() -> FrameChecker:
        from argosy.adapters.gx_validation import GreatExpectations  # seconds, and most data are asked nothing of it

        return GreatExpectations()

    kept = KeptMeasures(objects) if objects is not None else None
    if spark is None:
        return CompiledChecker(tables(), otherwise, kept=kept)
    from argosy.adapters.gx_validation import GreatExpectationsOnSpark

    return CompiledChecker(tables(), otherwise, kept=kept, of_files=GreatExpectationsOnSpark(spark))


def features(definitions: Path, model: ModelSettings, folder: Path) -> Features:
    """The features that the file *definitions* defines. Works in *folder*, which must not be there."""
    from argosy.adapters.feast_features.repository import FeastFeatures

    return FeastFeatures(definitions, model, folder)


def online_features(folder: Path) -> OnlineFeatures:
    """The online store that ``build-features`` wrote to *folder*."""
    from argosy.adapters.feast_features.online import FeastOnline

    return FeastOnline(folder)


def shared_online_store(settings: Settings) -> SharedOnlineStore | None:
    """The database in which servers share online features; None where each has files of its own."""
    uri = settings.online_store_uri
    if uri is None:
        return None
    if uri.startswith(REDIS):
        from argosy.adapters.feast_features.redis_store import RedisStore

        return RedisStore(uri)
    if not uri.startswith(POSTGRESQL):
        from argosy.ports.features import SharedOnlineStore as Port

        # Settings let no scheme pass that nothing brings.
        brought = plugins.installed(plugins.ONLINE_STORES)[uri.partition("://")[0]]
        return cast("SharedOnlineStore", brought.made(uri, *plugins.verbs(Port)))
    from argosy.adapters.feast_features.postgres_store import PostgresStore

    return PostgresStore(uri)


@contextlib.contextmanager
def online_features_of(settings: Settings, version: Version) -> Iterator[OnlineFeatures | None]:
    """The online store that servers of *version* read, while the block runs; None where it has none."""
    from argosy.promotion import approval

    if version.online_store is None:
        yield None
    elif shared := shared_online_store(settings):
        yield shared.open(version.online_store.digest)
    else:
        with scratch.folder("online") as place:
            yield online_features(
                approval.fetch_online(artifacts(settings), version, version.online_store, place / "online")
            )


def skew_tools(settings: Settings, version: Version) -> SkewTools:
    """What online and offline features of *version* are compared through."""
    from argosy.monitoring.skew_comparison import SkewTools

    return SkewTools(
        prediction_history(settings),
        tables(),
        lambda: online_features_of(settings, version),
        hash_keys(settings),
    )


def token_verifier(issuers: Sequence[Issuer]) -> TokenVerifier:
    """Proves tokens of *issuers*."""
    from argosy.adapters.jwt_tokens import JwtTokens

    return JwtTokens(issuers)


def shared_rate_limiter(settings: Settings, served: ServedRelease) -> RateLimiter | None:
    """The counter that all replicas of a model's server share; None where the environment names none."""
    if settings.rate_limits_uri is None:
        return None
    from argosy.adapters.redis_rate_limiter import RedisRateLimiter

    return RedisRateLimiter(settings.rate_limits_uri, f"{served.model}:{served.environment}")


def stream(settings: Settings, group: str, source: str, target: str, refusals: str) -> Stream:
    """The stream of questions in topic *source*, read as one of *group* and answered to *target*; what is refused goes to *refusals*."""
    if "bootstrap.servers" not in settings.kafka:
        raise errors.Misconfigured("no Kafka is named: set ARGOSY_KAFKA_BOOTSTRAP_SERVERS to <host>:<port>")
    from argosy.adapters.kafka.kafka_stream import KafkaStream

    return KafkaStream(settings.kafka, group, source, target, refusals)


def span_exporter(given: Mapping[str, str], service: str) -> SpanExporter | None:
    """What takes the spans of *service*, by the variables *given* that OpenTelemetry names; None where they name no collector, or turn it
    off. Raises Misconfigured where it cannot be spoken to as they say."""
    endpoint = given.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or given.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    exporters = (given.get("OTEL_TRACES_EXPORTER") or "otlp").lower().split(",")
    off = (given.get("OTEL_SDK_DISABLED") or "").lower() == "true"
    if not endpoint or off or "otlp" not in map(str.strip, exporters):
        return None
    try:
        from argosy.adapters.otlp_spans import OtlpSpans
    except ImportError:
        raise errors.Misconfigured(f"it needs OpenTelemetry; install it with {extras.advice('telemetry')}") from None
    protocol = given.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or given.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    return OtlpSpans(protocol or "http/protobuf", service)


def trial_server() -> TrialServer:
    """The trial server: serves a bundle as production does, for a moment."""
    from argosy.adapters.child_server import ChildServer

    return ChildServer()


def other_policies(settings: Settings) -> list[str]:
    """The policies (``policies/<model>.yaml``) that this machine's environment repo has otherwise than the folder ``gitops-env`` at hand.

    Empty where the environment repo is a server's.
    """
    if not settings.forge_uri.startswith(LOCAL):
        return []
    from argosy.adapters.local_forge import template

    return template.other_policies(Path(settings.forge_uri.removeprefix(LOCAL)), environment_template(settings))


def _github(address: str, settings: Settings) -> Forge:
    from argosy.adapters.hosted_forge import github
    from argosy.adapters.hosted_forge.promotion_pulls import HostedForge

    matched = re.fullmatch(r"(?:(https://[^/]+)/)?([\w.-]+/[\w.-]+)", address)
    if not matched:
        raise errors.Misconfigured(
            f"ARGOSY_FORGE_URI names {address!r}; expected <owner>/<name> or https://<host>/<owner>/<name>"
        )
    host, repository = matched.groups()
    api = f"{host}/api/v3" if host else github.PUBLIC
    if settings.forge_app:
        return HostedForge(github.of_app(repository, *settings.forge_app, api=api))
    return HostedForge(github.of_token(repository, _forge_token(settings), api=api))


def _gitea(address: str, settings: Settings) -> Forge:
    from argosy.adapters.hosted_forge.gitea import GiteaHost
    from argosy.adapters.hosted_forge.promotion_pulls import HostedForge

    matched = re.fullmatch(r"(https?://[^/@?#\s]+(?:/[\w.-]+)*)/([\w.-]+/[\w.-]+)", address)
    if not matched:
        raise errors.Misconfigured(f"ARGOSY_FORGE_URI names {address!r}; expected {GITEA}https://<host>/<owner>/<name>")
    server, repository = matched.groups()
    return HostedForge(GiteaHost(server, repository, _forge_token(settings)))


def _brought_forge(settings: Settings) -> Forge:
    """The forge of an installed package, whose name the address begins with. Raises Misconfigured where none brings it."""
    from argosy.ports.forge import Forge as Port
    from argosy.ports.forge import ForgePlace

    brought = plugins.installed(plugins.FORGES)
    kind, colon, _ = settings.forge_uri.partition(":")
    if not colon or kind not in brought:
        others = "".join(f", {name}:…" for name in brought)
        raise errors.Misconfigured(
            f"ARGOSY_FORGE_URI is {settings.forge_uri!r}; expected {LOCAL}<path>, {GITHUB}<owner>/<name>, "
            f"{GITHUB}https://<host>/<owner>/<name>, {GITEA}https://<host>/<owner>/<name>{others}, or the name of a forge that an "
            f"installed package brings (entry point {plugins.FORGES})"
        )
    place = ForgePlace(settings.forge_uri, settings.forge_token)
    return cast("Forge", brought[kind].made(place, *plugins.verbs(Port)))


def _forge_token(settings: Settings) -> str:
    if not settings.forge_token:
        raise errors.Misconfigured(
            "ARGOSY_FORGE_TOKEN is empty; set it, or use a repository of this machine (ARGOSY_FORGE_URI=local:<path>)"
        )
    return settings.forge_token


def _check_policies(files: Mapping[str, bytes]) -> None:
    """Raise Misconfigured where a policy among *files* of ``gitops-env`` cannot be read: once copied it is main that counts."""
    from argosy.domain import environment_layout
    from argosy.files import model_folder

    for path, content in files.items():
        if environment_layout.is_policy(path):
            model_folder.policy_of(content, f"gitops-env/{path}")


def environment_template(settings: Settings) -> dict[str, bytes]:
    """The files a new environment repo starts with: the folder ``gitops-env`` of the project at hand, or of one it lies in."""
    places = [place / "gitops-env" for place in (settings.data_root, *settings.data_root.parents)]
    folder = next((place for place in places if place.is_dir()), places[0])
    from argosy.adapters.local_forge import template

    return template.read(folder)
