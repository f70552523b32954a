"""Loads a model's Feast definitions and holds them to what the platform can keep: one service, views over the snapshot's tables.

A view that read a table by another time column than the contract's would see the future; so that is refused here and not found later.
"""

import runpy
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.adapters.feast_features.library import (
    Bool,
    Entity,
    FeatureService,
    FeatureView,
    FileSource,
    Float32,
    Float64,
    Int32,
    Int64,
    OnDemandFeatureView,
    String,
)
from argosy.domain import reserved_names
from argosy.domain.model_settings import ModelSettings
from argosy.domain.source_settings import Source
from argosy.ports.features import Definition
from argosy.ports.tables import EVENT_TIME

NUMBERS = (Float32, Float64, Int32, Int64, Bool)
TYPES = {"string": String, "integer": Int64, "number": Float64, "boolean": Bool}
"""Of a column in the data contract, as Feast calls it."""


@dataclass(frozen=True)
class LoadedDefinitions:
    """The Feast objects that a definitions file defines."""

    entities: list[Entity]
    views: list[FeatureView]
    service: FeatureService
    features: list[Definition]
    left_out: list[Definition]
    """Columns that its views could read of their sources besides, by the data contract; a model before may have done so."""
    all_views: list[FeatureView]

    def objects(self) -> list[Any]:
        """Everything, in an order that depends on names only."""
        return [*self.entities, *self.views, self.service]


def load(file: Path, settings: ModelSettings) -> LoadedDefinitions:
    """The definitions in *file*. Raises Misconfigured where they cannot be used with *settings*."""
    found = list(_execute(file).values())
    # Feast compares definitions by content; the same object under two names is one.
    entities = {value.name: value for value in found if isinstance(value, Entity)}
    views = {value.name: value for value in found if isinstance(value, FeatureView)}
    services = {value.name: value for value in found if isinstance(value, FeatureService)}
    if any(isinstance(value, OnDemandFeatureView) for value in found):
        raise _wrong(
            file,
            "an OnDemandFeatureView would run the model's code in the server, which runs none; calculate it into a source",
        )
    service = services.get(settings.feature_service)
    if service is None:
        raise _wrong(
            file,
            f"there is no FeatureService {settings.feature_service!r}, which `feature_service` names; "
            f"found: {', '.join(sorted(services)) or 'none'}",
        )
    features = _features(file, service, views, settings)
    keys = {entity.join_key for entity in entities.values()}
    if both := sorted(keys.intersection(feature.name for feature in features)):
        raise _wrong(
            file, f"{both[0]!r} is a join key and a feature, which Feast cannot join; give the source a column for each"
        )
    used = {projection.name for projection in service.feature_view_projections}
    _names_can_be_joined(file, features, sorted(keys), settings)
    return LoadedDefinitions(
        entities=[entities[name] for name in sorted(entities)],
        views=[views[name] for name in sorted(used)],
        service=service,
        features=features,
        left_out=_left_out(views, features, keys, settings),
        all_views=[views[name] for name in sorted(views)],
    )


def source_of(view: FeatureView) -> str:
    """The name of the source that *view* reads: the stem of its file."""
    return Path(view.batch_source.path).stem


def _execute(file: Path) -> dict[str, Any]:
    try:
        return runpy.run_path(str(file))
    except Exception as error:
        raise _wrong(file, f"it cannot be loaded: {type(error).__name__}: {error}") from error


def _features(
    file: Path, service: FeatureService, views: dict[str, FeatureView], settings: ModelSettings
) -> list[Definition]:
    features: list[Definition] = []
    for projection in service.feature_view_projections:
        view = views.get(projection.name)
        if view is None:
            raise _wrong(file, f"the service uses {projection.name!r}, which is no FeatureView of this file")
        if projection.join_key_map:
            raise _wrong(
                file, f"the service renames join keys of {projection.name!r}; name the column as the entity does"
            )
        source = _checked_source(file, view, settings)
        features += [_definition(file, field, view.name, source.name) for field in projection.features]
    names = [feature.name for feature in features]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise _wrong(file, f"two views have a feature {twice[0]!r}; rename one")
    if not features:
        raise _wrong(file, f"the service {service.name!r} has no features")
    _no_label(file, features, settings)
    return features


def _left_out(
    views: dict[str, FeatureView], features: list[Definition], keys: set[str], settings: ModelSettings
) -> list[Definition]:
    taken = {(feature.view, feature.name) for feature in features}
    found = []
    for view in (views[name] for name in sorted(views)):
        if _problem_of_source(view, settings):
            continue  # the service does not use it, so nobody asked for it
        source = settings.source(source_of(view))
        found += [
            Definition(
                column.name, "category" if column.type == "string" else "number", view.name, source.name, column.name
            )
            for column in source.columns
            if (view.name, column.name) not in taken and _could_be_a_feature(column.name, source, keys, settings)
        ]
    return found


def _could_be_a_feature(name: str, source: Source, keys: set[str], settings: ModelSettings) -> bool:
    column = next(column for column in source.columns if column.name == name)
    label = settings.label.columns if source.name == settings.label.source else []
    alike = [other for other in source.columns if other.name.casefold() == name.casefold()]
    return (
        column.type != "timestamp"
        and name not in {*source.entity, *keys, *label}
        and len(alike) == 1
        and not (reserved_names.of_feature(name) or reserved_names.of_column(name, sorted(keys)))
    )


def _checked_source(file: Path, view: FeatureView, settings: ModelSettings) -> Source:
    if problem := _problem_of_source(view, settings):
        raise _wrong(file, problem)
    return settings.source(source_of(view))


def _problem_of_source(view: FeatureView, settings: ModelSettings) -> str | None:
    batch = view.batch_source
    names = [source.name for source in settings.sources]
    if not isinstance(batch, FileSource) or batch.path not in {f"{name}.parquet" for name in names}:
        expected = ", ".join(f"FileSource(path={name + '.parquet'!r})" for name in names)
        return f"view {view.name!r} must read a table of the snapshot: {expected}"
    source = settings.source(source_of(view))
    wanted = {
        "timestamp_field": (batch.timestamp_field, source.timestamp or EVENT_TIME),
        "created_timestamp_column": (batch.created_timestamp_column or "", source.created or ""),
    }
    for argument, (given, expected) in wanted.items():
        if given != expected:
            return (
                f"the source of view {view.name!r} has {argument}={given!r}, the data contract says {expected!r}: "
                f"another time would let a row be seen before it was known; write {argument}={expected!r}"
            )
    if batch.field_mapping:
        return f"the source of view {view.name!r} renames columns; name features as the contract does"
    return None


def _definition(file: Path, field: Any, view: str, source: str) -> Definition:
    if field.dtype == String:
        return Definition(field.name, "category", view, source, field.name)
    if field.dtype in NUMBERS:
        return Definition(field.name, "number", view, source, field.name)
    raise _wrong(file, f"feature {field.name!r} is {field.dtype}; a feature is a number, Bool, or String")


def _no_label(file: Path, features: list[Definition], settings: ModelSettings) -> None:
    for feature in features:
        if feature.source == settings.label.source and feature.column in settings.label.columns:
            raise _wrong(
                file, f"{feature.name!r} is a feature, but `label.columns` says that it is known only with the label"
            )


def _names_can_be_joined(file: Path, features: list[Definition], keys: list[str], settings: ModelSettings) -> None:
    reasons = [reserved_names.of_feature(feature.name) for feature in features]
    reasons += [reserved_names.of_column(feature.name, keys) for feature in features]
    for source in settings.sources:
        reasons += [reserved_names.of_column(column.name, keys) for column in source.columns]
        reasons += [reserved_names.of_time(time) for time in (source.timestamp, source.created) if time]
    # DuckDB does not tell "A" from "a".
    folded = Counter(name.casefold() for name in [*keys, *(feature.name for feature in features)])
    reasons += [
        f"two features or keys are called {name!r} but for their case" for name, count in folded.items() if count > 1
    ]
    if found := [f"{file.name}: {reason}; give it another name" for reason in reasons if reason]:
        raise errors.Misconfigured(errors.listed(dict.fromkeys(found)))


def _wrong(file: Path, problem: str) -> errors.Misconfigured:
    return errors.Misconfigured(f"{file.name}: {problem}")
