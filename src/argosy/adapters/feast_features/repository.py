"""A model's features as Feast defines them: which table of a snapshot each view reads, by which keys and times.

Joining them is not left to Feast: its offline stores hold all rows of both sides in memory at once, several times. What is joined is the
same, and tests hold it against Feast's own.
"""

import contextlib
import io
import shutil
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from argosy.adapters.feast_features import definitions, publishing
from argosy.adapters.feast_features.index import moment_of
from argosy.adapters.feast_features.library import FeatureView
from argosy.domain import epoch
from argosy.domain.model_settings import ModelSettings
from argosy.ports.features import Definition, OnlineView
from argosy.ports.tables import AsOfView, Tables, Taken


class FeastFeatures:
    """The features that *file* defines. Works in *folder*, which it creates."""

    def __init__(self, file: Path, settings: ModelSettings, folder: Path) -> None:
        self._settings = settings
        folder.mkdir(parents=True)
        shutil.copyfile(file, folder / "features.py")
        self._loaded = definitions.load(folder / "features.py", settings)
        self._keys = {entity.name: entity.join_key for entity in self._loaded.entities}

    def definitions(self) -> Sequence[Definition]:
        """The features of the model's service."""
        return self._loaded.features

    def join_keys(self) -> Sequence[str]:
        """The columns that features are looked up by."""
        return sorted(set(self._keys.values()))

    def views(self) -> Sequence[AsOfView]:
        """The views of the service; see the port."""
        return [replace(view, moment=moment_of(name)) for name, view in self._named_views().items()]

    def left_out(self) -> Sequence[AsOfView]:
        """The views with what the service does not take of them; see the port."""
        features = [(each, f"{each.view}:{each.name}") for each in self._loaded.left_out]
        return list(self._of(self._loaded.all_views, features).values())

    def _of(self, views: Iterable[FeatureView], features: Sequence[tuple[Definition, str]]) -> dict[str, AsOfView]:
        """Those of *views* that have any of *features*, by name."""
        taken = {
            view.name: [Taken(each.column, name, each.type) for each, name in features if each.view == view.name]
            for view in views
        }
        return {view.name: self._view(view, taken[view.name]) for view in views if taken[view.name]}

    def _view(self, view: FeatureView, columns: Sequence[Taken]) -> AsOfView:
        source = self._settings.source(definitions.source_of(view))
        keys = [self._keys[name] for name in view.entities if name in self._keys]
        return AsOfView(
            source=source.name,
            keys=keys,
            time=view.batch_source.timestamp_field,
            created=view.batch_source.created_timestamp_column or None,
            # Feast takes no time at all for one without an end.
            lifetime=view.ttl or None,
            # The snapshot was validated: rows with its own keys and one time do not differ.
            unambiguous=set(source.entity) <= set(keys),
            columns=columns,
        )

    def publish(self, rows: Path, into: Path, tables: Tables) -> str:
        """Write the online store; see the port."""
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            project = self._settings.feature_service
            features, views = self._loaded.features, self._online_views()
            return publishing.publish(rows, self._settings.entity, features, project, into, tables, views)

    def _named_views(self) -> dict[str, AsOfView]:
        return self._of(self._loaded.views, [(each, each.name) for each in self._loaded.features])

    def _online_views(self) -> list[OnlineView]:
        return [
            OnlineView(
                name,
                tuple(column.name for column in view.columns),
                None if view.lifetime is None else view.lifetime // epoch.MICROSECOND,
            )
            for name, view in self._named_views().items()
        ]
