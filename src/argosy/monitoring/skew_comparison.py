"""Holds the features that a version answers by against its sources: of rows that were answered lately, and of what its online store has.

The step ``watch-drift`` and ``argosy skew`` compare through this module. Each draw is looked up in the sources as training would have: by
the views the version was trained with, as they were true and known at the moment of the answer. Memory is bounded by the draw, and by
what the joins keep; what is kept of a comparison is counts.
"""

import asyncio
import datetime
import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import compute

from argosy import errors, scratch
from argosy.domain import epoch, feature_skew, pseudonyms
from argosy.domain.data import FeatureColumn
from argosy.domain.feature_skew import FeatureSkew, SkewExample, SkewPart, SourceAge
from argosy.domain.model_settings import ModelSettings
from argosy.domain.monitor_settings import SkewSettings
from argosy.domain.source_settings import Source
from argosy.domain.time_spans import span
from argosy.ml import feature_differences as comparing
from argosy.monitoring.watching import Watched
from argosy.ports import view_shapes
from argosy.ports.features import OnlineFeatures
from argosy.ports.features import Value as OnlineValue
from argosy.ports.objects import Objects
from argosy.ports.prediction_log import OTHER, PredictionHistory
from argosy.ports.tables import EVENT_TIME, NUMBER, AsOfView, Tables, Taken

FOUND = "argosy_found"
"""The column that says whether the sources knew the entity."""
MOMENT = pa.timestamp("us", tz="UTC")
AT_ONCE = 100
"""Entities that an online store is asked for together."""
Key = tuple[str | int, ...]


@dataclass(frozen=True)
class SkewTools:
    """The ports that skew is measured through."""

    history: PredictionHistory
    tables: Tables
    online: Callable[[], AbstractContextManager[OnlineFeatures | None]]
    """The online store of the version; None where it has none."""
    hash_keys: Sequence[bytes] = field(repr=False)
    """Under which ids are hashed, and were before, the newest first."""


@dataclass(frozen=True)
class SkewWindow:
    """The time that is asked about."""

    since: datetime.datetime
    """Of the answers, inclusive."""
    until: datetime.datetime
    """Exclusive."""
    now: datetime.datetime
    """When the online store is asked."""


def needed(watched: Watched, settings: ModelSettings) -> list[Source]:
    """The sources that a comparison reads: that of the examples, and those of the views.

    Raises Misconfigured where nobody knows the views, or the settings have a source no more.
    """
    names = dict.fromkeys([settings.primary.name, *(view.source for view in _views(watched))])
    known = {source.name for source in settings.sources}
    if gone := [name for name in names if name not in known]:
        raise errors.Misconfigured(
            f"version {watched.version.version} of {settings.model} has features of the source {gone[0]!r}, which model.yaml does not name "
            "any more: nothing can be compared with it"
        )
    return [settings.source(name) for name in names]


def measure(
    watched: Watched,
    settings: ModelSettings,
    asked: SkewSettings,
    when: SkewWindow,
    files: Mapping[str, Path],
    tools: SkewTools,
) -> FeatureSkew:
    """Compare what *watched* answered in the time *when*, and what its online store has, with the sources in *files*, by name.

    Raises Misconfigured where the sources cannot be read as the settings say, Rejected where they break their contract, TryAgain where
    the log or the online store cannot be read.
    """
    views, columns, problems = _compared_columns(watched)
    with scratch.folder("skew") as place:
        for source in needed(watched, settings):
            rules = [rule for rule in settings.reject if rule.source == source.name]
            kept, rejected = place / f"{source.name}.parquet", place / "rejected.parquet"
            tools.tables.snapshot(source, rules, files[source.name], kept=kept, rejected=rejected)
        offline = _Offline(place, settings, views, tools.tables)
        drawn = _Drawn.of(watched, when, asked.rows, tools.history)
        people = _People.among(
            place / f"{settings.primary.name}.parquet", settings.entity, drawn, tools.hash_keys, asked
        )
        comparison = _Comparison(offline, columns, asked.tolerance)
        parts = [comparison.of_served(drawn, people.named)]
        with tools.online() as online:
            if online is not None:
                parts.append(comparison.of_store(online, people.drawn, when.now))
        ages = [_age(place / f"{view.source}.parquet", view, when.now) for view in _one_a_source(views)]
    verdict, explanation = feature_skew.judged(parts, asked.most)
    return FeatureSkew(
        model=watched.version.model,
        environment=watched.environment,
        version=watched.version.version,
        model_digest=watched.version.model_digest,
        since=when.since,
        until=when.until,
        looked=when.now,
        most=asked.most,
        tolerance=asked.tolerance,
        logged=drawn.logged,
        named=drawn.named,
        parts=parts,
        sources=ages,
        problems=problems + drawn.problems,
        verdict=verdict,
        explanation=explanation,
    )


def place(settings: ModelSettings, sources: Sequence[Source], root: Path) -> str:
    """Where the files of *sources* lie: below *root*, where a run on this machine finds them, or as the settings say.

    Raises Misconfigured where nobody says.
    """
    here = f"data/{settings.model}"
    if (root / here).exists() or not any(source.is_in_data for source in sources):
        return here
    if settings.data is None:
        raise errors.Misconfigured(
            f"nobody says where the sources of {settings.model} lie: name the place in `data` of model.yaml, or with --data"
        )
    return settings.data


def keep(objects: Objects, found: FeatureSkew) -> None:
    """Put the counts of *found* into the store. Raises TryAgain where that fails."""
    key = feature_skew.latest_key(found.model, found.environment)
    objects.put(key, found.without_examples().canonical_json().encode())


def latest(objects: Objects, model: str, environment: str) -> FeatureSkew | None:
    """What was kept last of *model* in *environment*; None where there is nothing that this version of Argosy reads."""
    content = objects.get(feature_skew.latest_key(model, environment))
    return None if content is None else feature_skew.parse(content)


def is_current(found: FeatureSkew | None, watched: Watched, asked: SkewSettings, now: datetime.datetime) -> bool:
    """True where *found* is of the version of *watched*, and so new that nothing need be compared again at *now*."""
    if found is None or found.model_digest != watched.version.model_digest:
        return False
    return found.looked <= now < found.looked + span(asked.every)


def _views(watched: Watched) -> list[AsOfView]:
    shapes = watched.reference.views if watched.reference else []
    if not shapes:
        raise errors.Misconfigured(
            f"nobody knows how version {watched.version.version} of {watched.version.model} looked its features up: it was trained by an "
            f"earlier Argosy, or its reference is not in the monitoring store; train it again (`argosy run {watched.version.model}`)"
        )
    return [view_shapes.view(shape) for shape in shapes]


def _compared_columns(watched: Watched) -> tuple[list[AsOfView], list[FeatureColumn], list[str]]:
    views = _views(watched)
    there = {column.name for view in views for column in view.columns}
    columns = [column for column in watched.features if column.name in there and not column.personal]
    names = {column.name for column in columns}
    kept = [_only(view, names) for view in views]
    hidden = [column.name for column in watched.features if column.personal]
    problems = [f"{', '.join(hidden)}: personal, so not logged and not compared"] if hidden else []
    return [view for view in kept if view.columns], columns, problems


def _only(view: AsOfView, names: set[str]) -> AsOfView:
    columns = [column for column in view.columns if column.name in names]
    return AsOfView(view.source, view.keys, view.time, view.created, view.lifetime, view.unambiguous, columns)


def _one_a_source(views: Iterable[AsOfView]) -> list[AsOfView]:
    return list({view.source: view for view in views}.values())


@dataclass(frozen=True)
class _Drawn:
    """Rows that were answered and name an entity: so many, drawn by their request, the same in every comparison of one window."""

    rows: pa.Table | None
    logged: int
    named: int
    problems: list[str]

    @classmethod
    def of(cls, watched: Watched, when: SkewWindow, most: int, history: PredictionHistory) -> "_Drawn":
        held: pa.Table | None = None
        logged = named = damaged = 0
        version = watched.version
        for batch in history.read(version.model, watched.environment, since=when.since, until=when.until):
            damaged += batch.damaged
            if batch.served.digest != version.model_digest:
                continue
            logged += batch.table.num_rows
            # Of a log that was written before entities were, there is no such column.
            if "entity" not in batch.table.column_names:
                continue
            table = batch.table.filter(batch.table["entity"].is_valid())
            named += table.num_rows
            table = table.select(["time", "request_id", "row", "entity", "features"])
            held = _fewer(table if held is None else pa.concat_tables([held, table]), most)
        said = [
            f"{damaged} part{'s' * (damaged > 1)} of the log cannot be read; the rows in there are not compared"
        ] * bool(damaged)
        return cls(held if held is not None and held.num_rows else None, logged, named, said)


def _fewer(table: pa.Table, most: int) -> pa.Table:
    """At most so many rows of *table*, those whose requests' names have the smallest sums: no time and no size draws one before another."""
    if table.num_rows <= most:
        return table
    names = zip(table["request_id"].to_pylist(), table["row"].to_pylist(), strict=True)
    sums = pa.array([zlib.crc32(f"{request} {row}".encode()) for request, row in names], pa.int64())
    return table.take(compute.array_sort_indices(sums)[:most])


@dataclass(frozen=True)
class _People:
    """Entities of the sources: those whose rows were drawn, by the hash that the log has, and some to ask the online store for."""

    named: Mapping[str, Key]
    drawn: Sequence[Key]

    @classmethod
    def among(
        cls, table: Path, entity: Sequence[str], drawn: _Drawn, keys: Sequence[bytes], asked: SkewSettings
    ) -> "_People":
        wanted = set() if drawn.rows is None else set(drawn.rows["entity"].to_pylist())
        named: dict[str, Key] = {}
        few: dict[str, Key] = {}
        for batch in pq.ParquetFile(table).iter_batches(columns=list(entity)):
            columns = {name: batch.column(name).to_pylist() for name in entity}
            rows: list[Key] = list(zip(*(columns[name] for name in entity), strict=True))
            for place, key in enumerate(keys):
                hashes = pseudonyms.hashed_columns(columns, key)
                named.update(
                    {one: row for one, row in zip(hashes, rows, strict=True) if one is not None and one in wanted}
                )
                if not place:
                    few.update({one: row for one, row in zip(hashes, rows, strict=True) if one is not None})
                    few = dict(sorted(few.items())[: asked.rows])
        return cls(named, list(few.values()))


@dataclass(frozen=True)
class _Offline:
    """The sources, asked for features as training asks them."""

    place: Path
    settings: ModelSettings
    views: Sequence[AsOfView]
    tables: Tables
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def known(self, entities: Sequence[Key], moments: pa.Array) -> tuple[list[int], pa.Table]:
        """The features of each of *entities* at its moment: which of them were known then, and a row for each of those, in their order.

        Where none was known there are no columns of features either.
        """
        file = self._file()
        pq.write_table(self._examples(entities, moments), file)
        found = self._joined(file, [*self.settings.entity, EVENT_TIME, NUMBER], [self._own_view()])
        there = found.filter(found[FOUND].is_valid())
        if not there.num_rows:
            return [], there
        examples = self._typed(there.drop_columns([FOUND]))
        file = self._file()
        pq.write_table(examples, file)
        features = self._joined(file, [NUMBER], self.views)
        return features[NUMBER].to_pylist(), features

    def _file(self) -> Path:
        return self.place / f"examples-{next(self._numbers)}.parquet"

    def _joined(self, file: Path, columns: Sequence[str], views: Sequence[AsOfView]) -> pa.Table:
        batches = list(self.tables.join(file, self.place, columns, views))
        return pa.Table.from_batches(batches) if batches else pa.table({name: pa.nulls(0) for name in (NUMBER, FOUND)})

    def _examples(self, entities: Sequence[Key], moments: pa.Array) -> pa.Table:
        schema = pq.read_schema(self._primary)
        columns = list(zip(*entities, strict=True))
        keys = {
            name: pa.array(values, schema.field(name).type)
            for name, values in zip(self.settings.entity, columns, strict=True)
        }
        return pa.table({**keys, EVENT_TIME: moments, NUMBER: pa.array(range(len(entities)), pa.int64())})

    @property
    def _primary(self) -> Path:
        return self.place / f"{self.settings.primary.name}.parquet"

    @property
    def _others(self) -> list[str]:
        """The keys that views are joined by and that are no part of the entity: they are read from its newest row."""
        keys = dict.fromkeys(key for view in self.views for key in view.keys)
        return [key for key in keys if key not in self.settings.entity]

    def _own_view(self) -> AsOfView:
        primary, entity = self.settings.primary, self.settings.entity
        # As text, which holds a whole number of any size; a number of the join is a float64.
        taken = [Taken(name, name, "category") for name in self._others]
        return AsOfView(
            source=primary.name,
            keys=entity,
            time=primary.timestamp or EVENT_TIME,
            created=primary.created,
            lifetime=None,
            unambiguous=False,
            columns=[*taken, Taken(entity[0], FOUND, "category")],
        )

    def _typed(self, examples: pa.Table) -> pa.Table:
        schema = pq.read_schema(self._primary)
        for name in self._others:
            if name in examples.column_names:
                place = examples.schema.get_field_index(name)
                examples = examples.set_column(place, name, examples[name].cast(schema.field(name).type))
        return examples


@dataclass(frozen=True)
class _Comparison:
    """Puts parts together: rows with features from elsewhere, beside the same from the sources."""

    offline: _Offline
    columns: Sequence[FeatureColumn]
    tolerance: float

    def of_served(self, drawn: _Drawn, named: Mapping[str, Key]) -> SkewPart:
        """Rows that were answered."""
        if drawn.rows is None:
            return SkewPart(part="served", rows=0, compared=0)
        mine = compute.is_in(drawn.rows["entity"], pa.array(list(named), pa.string()))
        rows = drawn.rows.filter(mine).combine_chunks()
        if not rows.num_rows:
            return SkewPart(part="served", rows=drawn.rows.num_rows, compared=0, unknown=drawn.rows.num_rows)
        moments = rows["time"].combine_chunks().cast(MOMENT)
        there, offline = self.offline.known([named[one] for one in rows["entity"].to_pylist()], moments)
        part = SkewPart(
            part="served",
            rows=drawn.rows.num_rows,
            compared=len(there),
            unknown=drawn.rows.num_rows - len(there),
        )
        if not there:
            return part
        rows = rows.take(pa.array(there, pa.int64()))
        struct = rows["features"].combine_chunks()
        online = {column.name: struct.field(column.name) for column in self.columns}
        told = {column.name: _as_logged(offline[column.name].combine_chunks(), column) for column in self.columns}
        times, requests, places = (rows[name].to_pylist() for name in ("time", "request_id", "row"))

        def example(feature: str, row: int) -> SkewExample:
            return SkewExample(
                feature=feature,
                online=comparing.shown(online[feature], row),
                offline=comparing.shown(told[feature], row),
                at=times[row],
                request=requests[row],
                row=places[row],
            )

        return self._filled(part, online, told, example)

    def of_store(self, store: OnlineFeatures, entities: Sequence[Key], now: datetime.datetime) -> SkewPart:
        """What the online store would answer now of *entities*."""
        names = self.offline.settings.entity
        moment = epoch.microseconds(now)
        found = asyncio.run(_asked(store, [dict(zip(names, one, strict=True)) for one in entities], moment))
        held = [(key, row) for key, row in zip(entities, found, strict=True) if row is not None]
        part = SkewPart(part="store", rows=len(entities), compared=0, absent=len(entities) - len(held))
        if not held:
            return part
        there, offline = self.offline.known([key for key, _ in held], pa.array([now] * len(held), MOMENT))
        part = part.model_copy(update={"compared": len(there), "unknown": len(held) - len(there)})
        if not there:
            return part
        rows = [held[place][1] for place in there]
        online = {
            column.name: pa.array([row.get(column.name) for row in rows], _TYPE[column.type]) for column in self.columns
        }
        told = {column.name: offline[column.name].combine_chunks() for column in self.columns}

        def example(feature: str, row: int) -> SkewExample:
            shown = [comparing.shown(each[feature], row) for each in (online, told)]
            return SkewExample(feature=feature, online=shown[0], offline=shown[1], at=now)

        return self._filled(part, online, told, example)

    def _filled(
        self,
        part: SkewPart,
        online: Mapping[str, pa.Array],
        offline: Mapping[str, pa.Array],
        example: Callable[[str, int], SkewExample],
    ) -> SkewPart:
        found = [
            comparing.numbers(column.name, online[column.name], offline[column.name], self.tolerance)
            if column.type == "number"
            else comparing.categories(column.name, online[column.name], offline[column.name])
            for column in self.columns
        ]
        worst = sorted(found, key=lambda one: -one.figures.share)
        examples = [example(one.figures.name, row) for one in worst for row in one.worst]
        return part.model_copy(update={"features": [one.figures for one in found], "examples": examples})


_TYPE = {"number": pa.float64(), "category": pa.string()}


def _as_logged(values: pa.Array, column: FeatureColumn) -> pa.Array:
    """*values* as a log would have them, which says of a level that the model does not know only that it is another."""
    if column.type == "number":
        return values
    known = compute.is_in(values, pa.array(column.levels or [], pa.string()))
    return compute.if_else(compute.or_(known, values.is_null()), values, OTHER)


async def _asked(
    store: OnlineFeatures, entities: Sequence[Mapping[str, str | int]], at: int
) -> list[Mapping[str, OnlineValue] | None]:
    found: list[Mapping[str, OnlineValue] | None] = []
    try:
        for first in range(0, len(entities), AT_ONCE):
            rows = await store.get(entities[first : first + AT_ONCE], at)
            found += [None if row is None else row.features for row in rows]
    finally:
        await store.close()
    return found


def _age(file: Path, view: AsOfView, now: datetime.datetime) -> SourceAge:
    newest: datetime.datetime | None = None
    for batch in pq.ParquetFile(file).iter_batches(columns=[view.time]):
        moments = batch.column(0).cast(MOMENT)
        last = compute.max(moments.filter(compute.less_equal(moments, pa.scalar(now, MOMENT)))).as_py()
        newest = last if newest is None or (last is not None and last > newest) else newest
    return SourceAge(source=view.source, newest=newest)
