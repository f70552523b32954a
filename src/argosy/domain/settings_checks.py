"""Checks across settings, each of which is well written: names of columns, scores and parameters that are not there.

All of it is known from ``model.yaml`` alone, so it is said before anything runs. SQL is asked of the contract elsewhere.
"""

import datetime
import functools
import zoneinfo
from collections.abc import Iterator, Mapping, Sequence

from argosy.domain import measurements, reserved_names
from argosy.domain.model_settings import XGBOOST, CommonSettings, FloatRange, IntRange, ModelSettings, TimeSplit
from argosy.domain.setting_problems import Location, SettingProblem
from argosy.domain.source_settings import Source
from argosy.domain.suggestion import choices, did_you_mean

TUNABLE = frozenset(
    {
        "colsample_bylevel",
        "colsample_bynode",
        "colsample_bytree",
        "gamma",
        "learning_rate",
        "max_delta_step",
        "max_depth",
        "max_leaves",
        "min_child_weight",
        "reg_alpha",
        "reg_lambda",
        "scale_pos_weight",
        "subsample",
    }
)
"""XGBoost's parameters that a search space may name. Not the number of bins: matrices are binned once and shared by all trials."""

KEY_TYPES = ("string", "integer")


def problems(settings: ModelSettings) -> Iterator[SettingProblem]:
    """Everything that is wrong, in the order of the file's parts."""
    keys = list(dict.fromkeys([*settings.entity, *(key for source in settings.sources for key in source.entity)]))
    yield from _columns_are_there(("entity",), settings.entity, settings.primary)
    yield from _keys_fit(settings)
    for index, source in enumerate(settings.sources):
        yield from _of_source(("sources", index), source, keys)
    yield from _columns_are_there(("label", "columns"), settings.label.columns, settings.primary)
    yield from _classes(settings)
    yield from _split(settings)
    yield from _times(settings)
    yield from _search(settings)
    yield from _training(settings)
    yield from _evaluation(settings)
    yield from _labels(settings)
    yield from _schedule(settings)
    yield from looks_in_time(settings)


def unknown(name: str, known: Sequence[str], place: str) -> str:
    """The error text for *name*, which is no column of *place*, with a suggestion."""
    return f"{name!r} is no column of {place}{choices(name, known, 'Columns')}"


def _schedule(settings: ModelSettings) -> Iterator[SettingProblem]:
    # A question of what is compiled: runs, steps and looks of a model that was compiled before this was asked go on.
    in_data = any(source.is_in_data for source in settings.sources)
    if settings.schedule and in_data and not settings.data:
        said = "nobody is there to say where the data is; name it in `data`, such as s3://<bucket>/<prefix>"
        yield SettingProblem(("schedule",), said)


def _columns_are_there(at: Location, names: Sequence[str], source: Source) -> Iterator[SettingProblem]:
    known = [column.name for column in source.columns]
    for index, name in enumerate(names):
        if name not in known:
            yield SettingProblem((*at, index), unknown(name, known, f"source {source.name!r}"))


def _keys_fit(settings: ModelSettings) -> Iterator[SettingProblem]:
    kinds = {column.name: column.type for column in settings.primary.columns}
    for index, name in enumerate(settings.entity):
        if (reason := reserved_names.of_key(name)) is not None:
            yield SettingProblem(("entity", index), f"{reason}; call the key otherwise")
        if kinds.get(name, "string") not in KEY_TYPES:
            yield SettingProblem(("entity", index), f"{name!r} is a {kinds[name]}; a key is a string or an integer")


def _of_source(at: Location, source: Source, keys: Sequence[str]) -> Iterator[SettingProblem]:
    yield from _columns_are_there((*at, "entity"), source.entity, source)
    kinds = {column.name: column.type for column in source.columns}
    for setting, name in (("timestamp", source.timestamp), ("created", source.created)):
        if name is None:
            continue
        if name not in kinds:
            yield SettingProblem((*at, setting), unknown(name, list(kinds), f"source {source.name!r}"))
        elif kinds[name] != "timestamp":
            yield SettingProblem(
                (*at, setting), f"column {name!r} is of type {kinds[name]}; a time is of type timestamp"
            )
        if (reason := reserved_names.of_time(name)) is not None:
            yield SettingProblem((*at, setting), f"{reason}; give the column another name")
    yield from _watermark((*at, "watermark"), source, kinds)
    yield from _column_names((*at, "columns"), source, keys)


def _watermark(at: Location, source: Source, kinds: Mapping[str, str]) -> Iterator[SettingProblem]:
    mark = source.watermark
    if mark is None:
        return
    yield from _columns_are_there((*at, "key"), mark.key or [], source)
    if mark.column is None:
        return
    kind = kinds.get(mark.column)
    if kind is None:
        yield SettingProblem((*at, "column"), unknown(mark.column, list(kinds), f"source {source.name!r}"))
    elif kind not in ("timestamp", "integer"):
        yield SettingProblem(
            (*at, "column"),
            f"column {mark.column!r} is of type {kind}; rows come in the order of a timestamp or an integer",
        )
    elif any(column.personal for column in source.columns if column.name == mark.column):
        yield SettingProblem(
            (*at, "column"),
            f"column {mark.column!r} is personal, and the lineage says how far it was read; name another",
        )
    elif (kind == "integer") != isinstance(mark.lateness, int):
        wanted = "a number, such as 1000" if kind == "integer" else "a length of time, such as 3d"
        yield SettingProblem((*at, "lateness"), f"column {mark.column!r} is of type {kind}, so it is {wanted}")


def _column_names(at: Location, source: Source, keys: Sequence[str]) -> Iterator[SettingProblem]:
    seen: dict[str, str] = {}
    for index, column in enumerate(source.columns):
        folded = column.name.casefold()
        if folded in seen:
            but = "" if seen[folded] == column.name else f", which is {seen[folded]!r} to a database"
            yield SettingProblem((*at, index), f"column {column.name!r} is there twice{but}")
        seen[folded] = column.name
        if (reason := reserved_names.of_column(column.name, keys)) is not None:
            yield SettingProblem((*at, index), f"{reason}; give it another name")
        # Some images have no zones: then whoever reads the file says it.
        if column.timezone is not None and (zones := _zones()) and column.timezone not in zones:
            hint = did_you_mean(column.timezone, zones)
            yield SettingProblem((*at, index, "timezone"), f"{column.timezone!r} is no zone of the IANA database{hint}")
        if folded == reserved_names.EVENT_TIME and column.name != source.timestamp:
            yield SettingProblem(
                (*at, index), f"{column.name!r} is the time of a row; name it as `timestamp` of the source"
            )


@functools.cache
def _zones() -> frozenset[str]:
    """The zones that this system knows: hundreds of files, which are looked for once."""
    return frozenset(zoneinfo.available_timezones())


def _classes(settings: ModelSettings) -> Iterator[SettingProblem]:
    classes = settings.label.classes
    for index, name in enumerate(classes):
        if name in classes[:index]:
            yield SettingProblem(("label", "classes", index), f"{name!r} is there twice")
    if settings.task == "regression" and classes:
        yield SettingProblem(
            ("label", "classes"), "a regression task predicts a number and has no classes; leave them out"
        )


def _split(settings: ModelSettings) -> Iterator[SettingProblem]:
    if isinstance(settings.split, TimeSplit) and settings.primary.observed_at is not None:
        yield SettingProblem(
            ("split", "by"),
            f"source {settings.primary.name!r} has one moment for all rows, so a split by time leaves one side empty; split by entity",
        )


def _times(settings: ModelSettings) -> Iterator[SettingProblem]:
    """Settings that count in days need rows that differ in time, and a training side that newer rows come to."""
    for at, given in (
        (("evaluation", "recent"), settings.evaluation.recent),
        (("training", "window"), settings.training.window),
    ):
        if given is not None and settings.primary.observed_at is not None:
            yield SettingProblem(
                at,
                f"source {settings.primary.name!r} has one moment for all rows, so none is newer; name its `timestamp`",
            )
    if settings.evaluation.recent and isinstance(settings.split, TimeSplit) and settings.split.holdout_until is None:
        yield SettingProblem(
            ("evaluation", "recent"),
            "the holdout has no end, so the newest rows are all in it; set `split.holdout_until`",
        )


def _search(settings: ModelSettings) -> Iterator[SettingProblem]:
    if (text := measurements.unknown_score(settings.search.metric, settings.task)) is not None:
        yield SettingProblem(("search", "metric"), text)
    for name, bounds in settings.search.space.items():
        if (text := range_problem(name, bounds, settings)) is not None:
            yield SettingProblem(("search", "space", name), text)


def _training(settings: ModelSettings) -> Iterator[SettingProblem]:
    monotone = settings.training.monotone
    if monotone and settings.task == "multiclass":
        said = "several classes have no one answer that could rise or fall; leave it out, or ask about one class as a binary task"
        yield SettingProblem(("training", "monotone"), said)


def range_problem(name: str, bounds: FloatRange | IntRange, settings: ModelSettings) -> str | None:
    """Why the parameter *name* cannot be searched between *bounds*, or None."""
    is_ours = settings.training.library == XGBOOST  # another library's names are that trainer's own, checked by it
    if is_ours and name not in TUNABLE:
        return f"no parameter of that name can be tuned{choices(name, sorted(TUNABLE), 'Known')}"
    if is_ours and name == "scale_pos_weight" and settings.task != "binary":
        return f"weighs the positive class, which only a binary task has; this one is {settings.task}"
    low, high = (bounds.int_low, bounds.int_high) if isinstance(bounds, IntRange) else (bounds.low, bounds.high)
    if low > high or (bounds.log and low <= 0):
        return f"from {low:g} to {high:g} is no {'logarithmic ' if bounds.log else ''}range"
    if is_ours and name in ("max_depth", "max_leaves") and not isinstance(bounds, IntRange):
        return "is a whole number; write `int_low` and `int_high`"
    return None


def _evaluation(settings: ModelSettings) -> Iterator[SettingProblem]:
    known = list(dict.fromkeys(column.name for source in settings.sources for column in source.columns))
    for setting in ("sensitive", "slices"):
        for index, name in enumerate(getattr(settings.evaluation, setting)):
            at = ("evaluation", setting, index)
            if name not in known:
                yield SettingProblem(at, unknown(name, known, "any source"))
            elif (reason := reserved_names.of_key(name)) is not None:
                yield SettingProblem(at, f"{reason}; a slice needs another name")
    for name in settings.evaluation.business:
        if name not in measurements.BUSINESS:
            yield SettingProblem(
                ("evaluation", "business", name),
                f"is no outcome{choices(name, measurements.BUSINESS, 'Outcomes')}",
            )
    if settings.evaluation.business and settings.task != "binary":
        yield SettingProblem(("evaluation", "business"), f"is for a binary task; this one is {settings.task}")


def _labels(settings: ModelSettings) -> Iterator[SettingProblem]:
    labels = settings.labels
    if labels is None:
        return
    table = labels.table_among(settings.sources)
    if labels.table is not None:
        yield from _of_source(("labels", "table"), table, settings.entity)
        if labels.table.watermark is not None:
            yield SettingProblem(("labels", "table", "watermark"), "the table of labels is read whole; leave it out")
    kinds = {column.name: column.type for column in table.columns}
    if labels.row is not None and kinds[labels.row] != "integer":
        yield SettingProblem(
            ("labels", "row"), f"column {labels.row!r} is of type {kinds[labels.row]}; a place is an integer"
        )
    if labels.by == "entity":
        own = {column.name: column.type for column in settings.primary.columns}
        for name in settings.entity:
            # A server hashes what it is sent, and 12 is not "12".
            if kinds[name] != own.get(name, kinds[name]):
                text = f"{name!r} is of type {kinds[name]} in source {table.name!r}, {own[name]} in {settings.primary.name!r}"
                yield SettingProblem(("labels",), f"{text}; ids of two types never join: give both one type")
    known = list(dict.fromkeys(column.name for source in settings.sources for column in source.columns))
    for index, name in enumerate(labels.slices):
        if name not in known:
            yield SettingProblem(("labels", "slices", index), unknown(name, known, "any source"))


def looks_in_time(settings: CommonSettings) -> Iterator[SettingProblem]:
    """Drift that has to show in several looks can be seen in so many before the first of them is too old."""
    monitor, enter = settings.monitor, settings.retraining.enter
    if monitor is None:
        return
    if "drift" in settings.retraining.on and (enter.looks - 1) * monitor.due >= datetime.timedelta(hours=enter.hours):
        yield SettingProblem(
            ("monitor", "every"),
            f"it is looked at every {monitor.every}, and {enter.looks} looks within {enter.hours:g} hours have to show drift before a "
            "retraining (`retraining.enter`): they never could; set `hours` higher, or `looks` to 1",
        )
