"""Feast: definitions from a file, point-in-time joins in DuckDB, an online store in SQLite whose files can be moved.

Feast takes seconds to import, so this module is imported by the step that joins and, in the server, in the background.
"""

import contextlib
import datetime
import runpy
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from argosy import errors
from argosy.ports.features import Feature, Service, Value

if TYPE_CHECKING:
    import pyarrow as pa

TIME = "event_timestamp"
DEFINITIONS = "features.py"
REGISTRY = "registry.db"
ONLINE = "online.db"
CONFIGURATION = "feature_store.yaml"
SUFFIX = "_online"
NUMBERS = {"Float32", "Float64", "Int32", "Int64", "Bool"}


class FeastStore:
    """See :class:`argosy.ports.features.FeatureStore`."""

    def __init__(self, definitions: Path, snapshot: Path, workspace: Path, project: str) -> None:
        """Apply the *definitions* in *workspace*, where they see *snapshot* as the folder ``snapshot``.

        Raises Misconfigured where the definitions cannot be run or applied.
        """
        workspace.mkdir(parents=True, exist_ok=True)
        (workspace / "snapshot").symlink_to(snapshot.resolve(), target_is_directory=True)
        self._workspace = workspace
        self._store = _store(workspace, project)
        self._objects = _defined(definitions)
        try:
            with contextlib.chdir(workspace):  # relative paths of sources are relative to the working directory
                self._store.apply(self._objects)
        except Exception as error:
            raise errors.Misconfigured(f"{DEFINITIONS} cannot be applied: {error}") from error

    def service(self, name: str) -> Service:
        """See the port."""
        from feast import FeatureService

        services = {each.name: each for each in self._objects if isinstance(each, FeatureService)}
        if name not in services:
            raise errors.Misconfigured(
                f"{DEFINITIONS} defines no feature service {name!r}; it defines {', '.join(sorted(services)) or 'none'}"
            )
        features: list[Feature] = []
        join_keys: list[str] = []
        for projection in services[name].feature_view_projections:
            view = self._store.get_feature_view(projection.name)
            features += [_feature(field, projection.name) for field in projection.features]
            join_keys += [column.name for column in view.entity_columns]
        return Service(name, tuple(features), tuple(dict.fromkeys(join_keys)))

    def join(self, service: Service, examples: "pa.Table") -> "pa.Table":
        """See the port."""
        import pyarrow as pa

        with contextlib.chdir(self._workspace):
            job = self._store.get_historical_features(
                entity_df=examples.to_pandas(),
                features=self._store.get_feature_service(service.name),
                # Off by default in Feast: without it a value recorded later, but true earlier, reaches the past.
                filter_by_created_timestamp=True,
            )
            joined = pa.Table.from_pandas(job.to_df(), preserve_index=False)
        for feature in service.features:
            position = joined.schema.get_field_index(feature.name)
            kind = pa.float64() if feature.type == "number" else pa.string()
            joined = joined.set_column(position, feature.name, joined.column(position).cast(kind))
        position = joined.schema.get_field_index(TIME)
        return joined.set_column(position, TIME, joined.column(position).cast(pa.timestamp("us", tz="UTC")))

    def publish(self, service: Service, joined: "pa.Table", keys: list[str], folder: Path) -> None:
        """See the port. The store has one view, by the model's own keys: a caller that knows an entity need not know its other keys."""
        folder.mkdir(parents=True)
        columns = [*keys, TIME, *(feature.name for feature in service.features)]
        latest = (
            joined.select(columns).to_pandas().sort_values(TIME, kind="stable").groupby(keys, as_index=False).tail(1)
        )
        online = _store(folder, service.name)
        online.apply(_online_objects(service, latest, keys))
        online.write_to_online_store(f"{service.name}{SUFFIX}", df=latest.assign(**{PRESENT: True}))
        (folder / CONFIGURATION).write_text(_repository(service.name), encoding="utf-8")


class FeastOnline:
    """See :class:`argosy.ports.features.OnlineFeatures`. Feast is imported in the background; the first question waits for it."""

    def __init__(self, folder: Path, features: list[str]) -> None:
        """The store that was published to *folder*, asked for *features*."""
        self._folder = folder
        self._service = _project(folder)
        self._features = features
        self._store: Any = None
        self._failure: Exception | None = None
        self._ready = threading.Event()
        self._turn = threading.Lock()
        threading.Thread(target=self._open, name="online-store", daemon=True).start()

    def get(self, join_keys: Mapping[str, object]) -> Mapping[str, Value]:
        """See the port."""
        self._ready.wait()
        if self._store is None:
            raise errors.TryAgain(
                f"the online store in {self._folder} cannot be opened: {self._failure}"
            ) from self._failure
        view = f"{self._service}{SUFFIX}"
        with self._turn:  # an SQLite connection is for one thread at a time
            answer = self._store.get_online_features(
                features=[f"{view}:{name}" for name in [*self._features, PRESENT]], entity_rows=[dict(join_keys)]
            ).to_dict()
        if answer[PRESENT][0] is None:
            raise LookupError(f"no entity {dict(join_keys)}")
        return {name: answer[name][0] for name in self._features}

    def _open(self) -> None:
        try:
            self._store = _store(self._folder, self._service)
        except Exception as error:  # noqa: BLE001 - told to whoever asks
            self._failure = error
        self._ready.set()


PRESENT = "argosy_present"
"""A feature that every entity has: Feast answers an unknown entity with nulls, and a known one may have nulls too."""


def _store(folder: Path, project: str) -> Any:
    from feast import FeatureStore, RepoConfig

    config = RepoConfig(
        project=project,
        provider="local",
        registry=str(folder / REGISTRY),
        offline_store={"type": "duckdb"},
        online_store={"type": "sqlite", "path": str(folder / ONLINE)},
        entity_key_serialization_version=3,
        repo_path=folder,
    )
    return FeatureStore(config=config)


def _repository(project: str) -> str:
    """A ``feature_store.yaml`` for those who open the folder with Feast's own tools, wherever it lies."""
    return (
        f"project: {project}\nprovider: local\nregistry: {REGISTRY}\nonline_store: {{type: sqlite, path: {ONLINE}}}\n"
        "entity_key_serialization_version: 3\n"
    )


def _project(folder: Path) -> str:
    """The project, which is the feature service's name, as :func:`_repository` wrote it."""
    try:
        return (folder / CONFIGURATION).read_text(encoding="utf-8").splitlines()[0].removeprefix("project: ")
    except (OSError, IndexError) as error:
        raise errors.Misconfigured(f"{folder} holds no online store: {error}") from error


def _defined(definitions: Path) -> list[Any]:
    from feast import Entity, FeatureService, FeatureView

    try:
        names = runpy.run_path(str(definitions))
    except Exception as error:
        raise errors.Misconfigured(f"{DEFINITIONS} cannot be run: {type(error).__name__}: {error}") from error
    return [value for value in names.values() if isinstance(value, Entity | FeatureView | FeatureService)]


def _feature(field: Any, view: str) -> Feature:
    kind = str(field.dtype)
    if kind in NUMBERS:
        return Feature(field.name, "number", view)
    if kind == "String":
        return Feature(field.name, "category", view)
    raise errors.Misconfigured(
        f"{DEFINITIONS}: feature {view}:{field.name} is {kind}; a model takes {', '.join(sorted(NUMBERS))} and String"
    )


def _online_objects(service: Service, latest: Any, keys: list[str]) -> list[Any]:
    from feast import Entity, FeatureView, Field, PushSource, ValueType
    from feast.data_source import DataSource
    from feast.infra.offline_stores.file_source import FileSource
    from feast.types import Bool, Float64, String

    kinds = {"number": Float64, "category": String}
    entities = [
        Entity(
            name=key, join_keys=[key], value_type=ValueType.STRING if latest[key].dtype == object else ValueType.INT64
        )
        for key in keys
    ]
    source: DataSource = PushSource(
        name=f"{service.name}_rows", batch_source=FileSource(path="rows.parquet", timestamp_field=TIME)
    )
    fields = [Field(name=feature.name, dtype=kinds[feature.type]) for feature in service.features]
    view = FeatureView(
        name=f"{service.name}{SUFFIX}",
        entities=entities,
        ttl=datetime.timedelta(0),
        schema=[*fields, Field(name=PRESENT, dtype=Bool)],
        source=source,
    )
    return [*entities, view]
