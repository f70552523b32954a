"""The registry in MLflow: a server, or an SQLite file of this machine.

Everything that makes a run or a version unique is a tag that is written in the same transaction, so whoever comes after a killed attempt
finds its work and completes it. On an SQLite file writers of this machine take turns; against a server the manifest's lock does that, and
of two versions made in a race the later one is taken back.
"""

import contextlib
import datetime
import fcntl
import logging
import math
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from argosy import errors, network, scratch
from argosy.ports.registry import Candidate, Judgement, Registered

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion

    from argosy.mlflow_client import MlflowClient

DIGEST = "argosy.model_digest"
RECORDED = "argosy.recorded"
JUDGEMENTS = "argosy.judgements"
"""Evidence digests in the order in which they came; a judgement's place in it is the step of its metrics."""
CHAMPION, CHALLENGER, REJECTED = "champion", "challenger", "rejected"
SQLITE = "sqlite:///"
MAX_DESCRIPTION = 5000
MAX_METRICS, MAX_PARAMETERS = 900, 100
SOMEBODY_HAS_TO_ACT = {
    "PERMISSION_DENIED",
    "UNAUTHENTICATED",
    "CUSTOMER_UNAUTHORIZED",
    "ENDPOINT_NOT_FOUND",
    "INVALID_STATE",
}
OUR_MISTAKE = {"INVALID_PARAMETER_VALUE"}


class MlflowRegistry:
    """MLflow's tracking server and model registry; see :class:`argosy.ports.registry.Registry`."""

    def __init__(self, tracking_uri: str) -> None:
        """*tracking_uri*: ``sqlite:///<absolute path>`` or the address of a server."""
        self._uri = tracking_uri
        self._file = Path(tracking_uri.removeprefix(SQLITE)) if tracking_uri.startswith(SQLITE) else None

    def check(self) -> None:
        with self._client() as client:
            client.search_registered_models(max_results=1)

    def record(self, candidate: Candidate) -> Registered:
        with self._client() as client:
            run = self._run(client, candidate)
            if RECORDED not in run.data.tags:
                _fill(client, run, candidate)
            version = _version(client, candidate, run)
            return _registered(version)

    def judge(self, model: str, version: int, judgement: Judgement) -> None:
        with self._client() as client:
            found = client.get_model_version(model, str(version))
            judgements = [digest for digest in found.tags.get(JUDGEMENTS, "").split(",") if digest]
            if judgement.evidence_digest not in judgements:
                judgements.append(judgement.evidence_digest)
            step = judgements.index(judgement.evidence_digest)
            _log_metrics(
                client,
                client.get_run(found.run_id),
                {name: [(step, value)] for name, value in judgement.metrics.items()},
            )
            place = "evidence" if step == 0 else f"evidence-{step + 1}"
            client.log_artifacts(found.run_id, str(judgement.evidence), place)
            client.update_model_version(model, found.version, _shortened(judgement.model_card, place))
            _mark(client, model, found, judgement)
            client.set_model_version_tag(model, found.version, JUDGEMENTS, ",".join(judgements))

    def reject(self, model: str, model_digest: str, reason: str) -> int | None:
        with self._client() as client:
            versions = _versions(client, model, model_digest)
            if not versions:
                return None
            version = versions[0].version
            tags = {"taken_out": reason[:MAX_DESCRIPTION], "ready_for_deployment": "false"}
            for key, value in tags.items():
                client.set_model_version_tag(model, version, key, value)
            if _holds(client, model, version, CHALLENGER):
                _remove_alias(client, model, CHALLENGER)
            client.set_registered_model_alias(model, REJECTED, version)
            return int(version)

    def crown(self, model: str, model_digest: str | None) -> int | None:
        with self._client() as client:
            versions = _versions(client, model, model_digest) if model_digest else []
            if not versions:
                _remove_alias(client, model, CHAMPION)
                return None
            version = versions[0].version
            client.set_registered_model_alias(model, CHAMPION, version)
            if _holds(client, model, version, CHALLENGER):
                _remove_alias(client, model, CHALLENGER)
            return int(version)

    def go_on(self, model: str, known: Mapping[int, str]) -> list[int]:
        with self._client() as client:
            with _unless_there():
                client.create_registered_model(model)
            there = {int(one.version): one.tags.get(DIGEST) for one in _all_versions(client, model)}
            if other := next((number for number, digest in known.items() if there.get(number, digest) != digest), None):
                raise errors.Misconfigured(
                    f"version {other} of {model} is {there[other]} in the registry at {self._uri}, and {known[other]} on main: another "
                    "environment repo's, or used before it was brought up to date; begin with an empty one"
                )
            added = range(max(there, default=0) + 1, max(known, default=0) + 1)
            for number in added:
                self._take_number(client, model, number, known.get(number))
            return [number for number in added if number in known]

    def _take_number(self, client: "MlflowClient", model: str, number: int, digest: str | None) -> None:
        """Make version *number*, the next one, stand for the model with *digest*; for nothing any more where that is None."""
        tags = {"verdict": "promote" if digest else "unknown", "from_main": "true"} | (
            {DIGEST: digest} if digest else {}
        )
        if digest:
            nothing = Candidate(model, digest, parameters={}, metrics={}, history={}, tags={}, artifacts={})
            run = self._run(client, nothing)
        else:
            name = f"{model}-{number}-of-a-lost-registry"
            run = client.create_run(self._experiment(client, model), tags={"from_main": "true"}, run_name=name)
        source = f"{run.info.artifact_uri}/bundle"
        made = client.create_model_version(
            model, source=source, run_id=run.info.run_id, tags=tags, await_creation_for=None
        )
        if int(made.version) != number:
            client.delete_model_version(model, made.version)
            raise errors.TryAgain(
                f"somebody else makes versions of {model} in the registry at {self._uri}; again when nobody does"
            )

    def _run(self, client: "MlflowClient", candidate: Candidate) -> "Run":
        """The candidate's run: the earliest with its digest, or a new one."""
        experiment = self._experiment(client, candidate.model)
        query = f"tags.`{DIGEST}` = '{candidate.model_digest}'"
        found = client.search_runs([experiment], query, order_by=["attributes.start_time ASC"], max_results=1)
        if found:
            return found[0]
        name = f"{candidate.model}-{candidate.model_digest.removeprefix('sha256:')[:12]}"
        return client.create_run(experiment, tags={DIGEST: candidate.model_digest}, run_name=name)

    def _experiment(self, client: "MlflowClient", model: str) -> str:
        found = client.get_experiment_by_name(model)
        if found is None:
            # Without a server MLflow would put artifacts under the working directory of whoever came first.
            place = (self._file.parent / "artifacts" / model).as_uri() if self._file else None
            with _unless_there():
                client.create_experiment(model, artifact_location=place)
            found = client.get_experiment_by_name(model)
        identifier: str = found.experiment_id
        return identifier

    @contextlib.contextmanager
    def _client(self) -> Iterator["MlflowClient"]:
        """A client, alone on this machine where the store is a file."""
        with self._turn(), _reported(self._uri):
            from argosy.mlflow_client import MlflowClient

            logging.getLogger("mlflow").setLevel(logging.WARNING)
            if self._file and not self._file.exists():
                _make_database(self._file)
            yield MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        if self._file is None:
            yield
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            lock = self._file.with_name(f"{self._file.name}.lock").open("w")
        except PermissionError as error:
            raise errors.Misconfigured(
                f"ARGOSY_TRACKING_URI is {self._uri}, but {error.filename} may not be written"
            ) from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _make_database(path: Path) -> None:
    """Let MLflow make its tables in a file beside *path*, then rename it: a database that is there is complete."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    for logger in ("alembic", "mlflow.store.db.utils"):
        logging.getLogger(logger).setLevel(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as scratch:
        made = Path(scratch) / path.name
        store = SqlAlchemyStore(f"{SQLITE}{made}", (path.parent / "artifacts").as_uri())
        store.engine.dispose()
        made.rename(path)


def _fill(client: "MlflowClient", run: "Run", candidate: Candidate) -> None:
    """Log everything; again from the start where an earlier attempt was cut off. The tag that says it is complete comes last."""
    from mlflow.entities import Param

    missing = [Param(key, value) for key, value in sorted(candidate.parameters.items()) if key not in run.data.params]
    for batch in _batches(missing, MAX_PARAMETERS):
        client.log_batch(run.info.run_id, params=batch)
    _log_metrics(
        client, run, {name: [(0, value)] for name, value in candidate.metrics.items()} | dict(candidate.history)
    )
    _log_tags(client, run, candidate.tags)
    for place, path in sorted(candidate.artifacts.items()):
        _upload(client, run, PurePosixPath(place), path)
    client.set_terminated(run.info.run_id)
    client.set_tag(run.info.run_id, RECORDED, "true")


def _upload(client: "MlflowClient", run: "Run", place: PurePosixPath, path: Path) -> None:
    if path.is_dir():
        client.log_artifacts(run.info.run_id, str(path), str(place))
        return
    with scratch.folder("artifact") as folder:
        # MLflow keeps a file's own name; a step's input is called otherwise.
        named = Path(shutil.copyfile(path, folder / place.name))
        client.log_artifact(run.info.run_id, str(named), str(place.parent) if len(place.parts) > 1 else None)


def _log_metrics(client: "MlflowClient", run: "Run", series: Mapping[str, Iterable[tuple[int, float]]]) -> None:
    from mlflow.entities import Metric

    # One timestamp for all, the run's own: what is logged again is equal, and MLflow drops it.
    metrics = [
        Metric(_metric_name(name), value, run.info.start_time, step)
        for name, points in sorted(series.items())
        for step, value in points
        if math.isfinite(value)
    ]
    for batch in _batches(metrics, MAX_METRICS):
        client.log_batch(run.info.run_id, metrics=batch)


def _log_tags(client: "MlflowClient", run: "Run", tags: Mapping[str, str]) -> None:
    from mlflow.entities import RunTag

    for batch in _batches([RunTag(key, value) for key, value in sorted(tags.items())], MAX_PARAMETERS):
        client.log_batch(run.info.run_id, tags=batch)


def _version(client: "MlflowClient", candidate: Candidate, run: "Run") -> "ModelVersion":
    """The candidate's version: the lowest with its digest, made where there is none."""
    with _unless_there():
        client.create_registered_model(candidate.model)
    if not _versions(client, candidate.model, candidate.model_digest):
        made = client.create_model_version(
            candidate.model,
            source=f"{run.info.artifact_uri}/bundle",
            run_id=run.info.run_id,
            tags={DIGEST: candidate.model_digest, "verdict": "none"},
            await_creation_for=None,
        )
        first = _versions(client, candidate.model, candidate.model_digest)[0]
        if first.version != made.version:  # somebody else's was first, and they hold on to theirs
            client.delete_model_version(candidate.model, made.version)
    return _versions(client, candidate.model, candidate.model_digest)[0]


def _all_versions(client: "MlflowClient", model: str) -> Iterator["ModelVersion"]:
    token: str | None = None
    while True:
        page = client.search_model_versions(f"name = '{model}'", page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _versions(client: "MlflowClient", model: str, model_digest: str) -> list["ModelVersion"]:
    found = client.search_model_versions(f"name = '{model}' and tags.`{DIGEST}` = '{model_digest}'")
    return sorted(found, key=lambda version: int(version.version))


def _registered(version: "ModelVersion") -> Registered:
    created = datetime.datetime.fromtimestamp(version.creation_timestamp // 1000, datetime.UTC)
    return Registered(int(version.version), created, version.run_id)


def _mark(client: "MlflowClient", model: str, version: "ModelVersion", judgement: Judgement) -> None:
    ready = judgement.verdict in {"promote", "champion"}
    tags = {
        "verdict": judgement.verdict,
        "ready_for_deployment": str(ready).lower(),
        "evidence": judgement.evidence_digest,
    }
    for key, value in tags.items():
        client.set_model_version_tag(model, version.version, key, value)
    wanted = {"promote": CHALLENGER, "reject": REJECTED}.get(judgement.verdict)
    for alias in {CHALLENGER, REJECTED} - {wanted}:
        if _holds(client, model, version.version, alias):
            _remove_alias(client, model, alias)
    if wanted and not (wanted == CHALLENGER and _holds(client, model, version.version, CHAMPION)):
        client.set_registered_model_alias(model, wanted, version.version)


def _holds(client: "MlflowClient", model: str, version: object, alias: str) -> bool:
    # Of the model, because a version that a search returned does not know its aliases.
    return str(client.get_registered_model(model).aliases.get(alias)) == str(version)


def _remove_alias(client: "MlflowClient", model: str, alias: str) -> None:
    from argosy.mlflow_client import MlflowException

    try:
        client.delete_registered_model_alias(model, alias)
    except MlflowException as error:
        if error.error_code not in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
            raise


def _metric_name(name: str) -> str:
    """MLflow takes few characters in a name; a slice's value may hold any."""
    return re.sub(r"[^\w\-. :/]", "_", name, flags=re.ASCII)[:250]


def _shortened(text: str, place: str) -> str:
    if len(text) <= MAX_DESCRIPTION:
        return text
    pointer = f"\n\n(shortened; the whole model card is in the run's artifacts under `{place}`)"
    return text[: MAX_DESCRIPTION - len(pointer)] + pointer


def _batches(entries: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(entries), size):
        yield entries[start : start + size]


@contextlib.contextmanager
def _unless_there() -> Iterator[None]:
    """Whoever was first, it is there now."""
    from argosy.mlflow_client import MlflowException

    try:
        yield
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


@contextlib.contextmanager
def _reported(uri: str) -> Iterator[None]:
    """Turn what MLflow and the database say into what Argosy says."""
    from sqlalchemy.exc import SQLAlchemyError

    from argosy.mlflow_client import MlflowException

    try:
        yield
    except (MlflowException, SQLAlchemyError) as error:
        code = getattr(error, "error_code", "")
        if code in OUR_MISTAKE:
            raise
        if errors.says_disk_full(str(error)):
            raise errors.LocalDisk(f"the disk takes no more of the registry at {uri}; free space there") from error
        if code in SOMEBODY_HAS_TO_ACT or "out-of-date database schema" in str(error):
            raise errors.Misconfigured(f"the registry at {uri} refuses (ARGOSY_TRACKING_URI): {error}") from error
        if fault := network.fault(f"the registry at {uri}", error):
            raise fault from error
        raise errors.TryAgain(f"the registry at {uri} fails: {error}") from error
    except OSError as error:
        if errors.is_disk_full(error):
            raise errors.LocalDisk(
                f"the disk takes no more of the registry at {uri}: {error.strerror}; free space there"
            ) from error
        raise
