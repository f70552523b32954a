"""A Feast repository in a folder of its own, over one snapshot: DuckDB joins, SQLite answers online.

Feast resolves relative paths of files by the working directory, so its calls happen inside the repository's folder: then nothing it
writes holds a path of this machine.
"""

import contextlib
import io
import shutil
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
from feast import FeatureStore

from argosy.adapters.feast_features import definitions, publishing
from argosy.domain.model_settings import ModelSettings
from argosy.ports.features import Definition
from argosy.ports.tables import EVENT_TIME

ROW = "argosy_row"


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
        wanted = examples.select([*self.join_keys(), EVENT_TIME]).append_column(
            ROW, pa.array(range(examples.num_rows), pa.int64())
        )
        with self._inside() as store:
            joined = store.get_historical_features(
                entity_df=wanted.to_pandas(),
                features=store.get_feature_service(self._loaded.service.name),
                # Without it a correction that came later is seen before it was made.
                filter_by_created_timestamp=True,
            ).to_arrow()
        joined = joined.sort_by(ROW)
        if joined.column(ROW).to_pylist() != list(range(examples.num_rows)):
            raise RuntimeError(f"the join gave {joined.num_rows} rows for {examples.num_rows} examples")
        for feature in self._loaded.features:
            kind = pa.float64() if feature.type == "number" else pa.string()
            examples = examples.append_column(feature.name, joined.column(feature.name).cast(kind))
        return examples

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
