"""A Feast repository in a folder of its own, over one snapshot: DuckDB joins, SQLite answers online.

Feast resolves relative paths of files by the working directory, so its calls happen inside the repository's folder: then nothing it
writes holds a path of this machine.
"""

import contextlib
import copy
import io
import shutil
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from argosy.adapters.feast_features import definitions, publishing
from argosy.adapters.feast_features.library import FeatureService, FeatureStore, FeatureView, Field
from argosy.domain.model_settings import ModelSettings
from argosy.ports.features import Definition
from argosy.ports.tables import EVENT_TIME

ROW = "argosy_row"
KINDS = {"number": pa.float64(), "category": pa.string()}


class FeastFeatures:
    """The features that *file* defines, over the tables in *snapshot*. Works in *folder*, which it creates."""

    def __init__(self, file: Path, snapshot: Path, settings: ModelSettings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        folder.mkdir(parents=True)
        for source in settings.sources:
            (folder / f"{source.name}.parquet").symlink_to((snapshot / f"{source.name}.parquet").absolute())
        (folder / "feature_store.yaml").write_text(
            publishing.CONFIGURATION.format(project=settings.model), encoding="utf-8"
        )
        shutil.copyfile(file, folder / "features.py")
        self._loaded = definitions.load(folder / "features.py", settings)
        self._store: FeatureStore | None = None

    def definitions(self) -> Sequence[Definition]:
        """The features of the model's service."""
        return self._loaded.features

    def join_keys(self) -> Sequence[str]:
        """The columns that :meth:`join` looks features up by."""
        return sorted({entity.join_key for entity in self._loaded.entities})

    def join(self, examples: pa.Table) -> pa.Table:
        """Join as of each row's time; see the port."""
        with self._inside() as store:
            joined = self._joined(store, examples, store.get_feature_service(self._loaded.service.name))
        for feature in self._loaded.features:
            examples = examples.append_column(feature.name, joined.column(feature.name).cast(KINDS[feature.type]))
        return examples

    def join_left_out(self, examples: pa.Table) -> pa.Table:
        """Join what the service does not take; see the port."""
        found, fields = examples, [f"{each.view}:{each.name}" for each in self._loaded.left_out]
        if not fields:
            return found
        with self._inside() as store:
            store.apply([*self._loaded.entities, *map(self._extended, self._loaded.all_views)])
            joined = self._joined(store, examples, fields)
            store.apply(self._loaded.objects())
        for each, field in zip(self._loaded.left_out, fields, strict=True):
            found = found.append_column(field, joined.column(f"{each.view}__{each.name}").cast(KINDS[each.type]))
        return found

    def _extended(self, view: FeatureView) -> FeatureView:
        """*view* with fields for what it leaves out of its source."""
        source = self._settings.source(definitions.source_of(view))
        types = {column.name: definitions.TYPES[column.type] for column in source.columns if column.type != "timestamp"}
        known = {field.name for field in view.features}
        more = [each.name for each in self._loaded.left_out if each.view == view.name and each.name not in known]
        extended = copy.copy(view)
        extended.features = [*view.features, *(Field(name=name, dtype=types[name]) for name in more)]
        return extended

    def _joined(self, store: FeatureStore, examples: pa.Table, features: FeatureService | list[str]) -> pa.Table:
        """The *features* of each of *examples*, in their order; of a list each by view and name."""
        wanted = examples.select([*self.join_keys(), EVENT_TIME]).append_column(
            ROW, pa.array(range(examples.num_rows), pa.int64())
        )
        joined = (
            store.get_historical_features(
                entity_df=wanted.to_pandas(),
                features=features,
                full_feature_names=isinstance(features, list),
                # Without it a correction that came later is seen before it was made.
                filter_by_created_timestamp=True,
            )
            .to_arrow()
            .sort_by(ROW)
        )
        if joined.column(ROW).to_pylist() != list(range(examples.num_rows)):
            raise RuntimeError(f"the join gave {joined.num_rows} rows for {examples.num_rows} examples")
        return joined

    def publish(self, rows: pa.Table, into: Path) -> str:
        """Write the online store; see the port."""
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            return publishing.publish(
                rows, self._settings.entity, self._loaded.features, self._settings.feature_service, into
            )

    @contextlib.contextmanager
    def _inside(self) -> Iterator[FeatureStore]:
        """The store, with the working directory in its repository and its chatter in nobody's log."""
        with (
            contextlib.chdir(self._folder),
            contextlib.redirect_stdout(io.StringIO()),
            warnings.catch_warnings(),
        ):
            # Of ibis and feast about each other and about what they will do one day; nothing that we could act on.
            warnings.simplefilter("ignore")
            if self._store is None:
                self._store = FeatureStore(repo_path=".")
                self._store.apply(self._loaded.objects())
            yield self._store
