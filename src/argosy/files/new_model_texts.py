"""The files of a new model's folder, as text: guesses written down, each with its reason beside it, for people to confirm.

What is guessed is ``domain.new_model``; where the texts go is the command's business.
"""

import datetime
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from argosy.domain.column_profiles import TableProfile
from argosy.domain.model_settings import Task
from argosy.domain.new_model import GuessedColumn, NewModel
from argosy.domain.policy import Policy

PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_ ./()-]*[A-Za-z0-9_)./]|[A-Za-z_]")
WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
"""Words that some reader of YAML takes for something else than text."""
SCHEMA = "# yaml-language-server: $schema=../../docs/schema/{}.schema.json"
DTYPES = {"string": "String", "integer": "Int64", "number": "Float64", "boolean": "Bool"}
METRICS: dict[Task, str] = {"binary": "log_loss", "multiclass": "log_loss", "regression": "rmse"}
SMALL = 5000
"""Rows up to which a search is short."""
FEW_LEVELS = 30
"""Categories up to which a suite lists them."""
ROOM = 0.1
"""How far beyond what was seen a value may lie, as a share of the range."""


@dataclass(frozen=True)
class NewFolder:
    """What the texts say beside the guesses."""

    model: str
    owner: str
    source: str
    file: str
    """What people call the place of its rows."""
    place: Mapping[str, object]
    """Where its rows come from, as a source of ``model.yaml`` says it."""
    observed_at: datetime.datetime
    table: TableProfile
    holdout_from: datetime.datetime | None = None


def settings(new: NewModel, folder: NewFolder) -> str:
    """``model.yaml``."""
    lines = [
        SCHEMA.format("model"),
        "# Written by `argosy init --from`. What was guessed says why: confirm it, and the meanings above all.",
        f"model: {folder.model}",
        f"task: {new.task}{_because(new, 'task')}",
        f"description: {_scalar(_description(new))}",
        f"owner: {_scalar(folder.owner)}",
        "seed: 7",
        f"entity: [{_scalar(new.key)}]{_because(new, 'key')}",
        f"feature_service: {folder.model}",
        "",
        "sources:",
        *_source(new, folder),
        *_reject(new, folder),
        "",
        "label:",
        f"  source: {folder.source}{_because(new, 'label')}",
        f"  sql: {_scalar(new.label_sql)}{_because(new, 'positive class')}",
        *([f"  classes: [{', '.join(map(_scalar, new.classes))}]"] if new.classes else []),
        "  # Known only with the label: never features.",
        f"  columns: [{', '.join(map(_scalar, _known_later(new)))}]",
        "",
        _split(folder),
        "",
        *_search(new.task, folder.table.rows),
        *_surprises(new),
        *_evaluation(new),
    ]
    return "\n".join(lines) + "\n"


def definitions(new: NewModel, folder: NewFolder) -> str:
    """``features.py``."""
    features = new.of_role("feature")
    key = next(column for column in new.columns if column.role == "key")
    kinds = sorted({DTYPES[column.profile.type] for column in features})
    left_out = [column for column in new.columns if column.role == "left out"]
    time = new.time or "event_timestamp"
    value = "STRING" if key.profile.type == "string" else "INT64"
    entity = _variable(new.key, folder)
    return "\n".join(
        [
            f'"""What the {folder.model} model sees of a row."""',
            "",
            "from datetime import timedelta",
            "",
            "from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType",
            f"from feast.types import {', '.join(kinds)}",
            "",
            f"{entity} = Entity(name={_text(new.key)}, join_keys=[{_text(new.key)}], value_type=ValueType.{value})",
            "",
            f"{folder.source}_rows = FileSource(",
            f"    name={_text(folder.source)}, path={_text(folder.source + '.parquet')}, timestamp_field={_text(time)}",
            ")",
            "",
            *[f"# Left out: {column.name}: {column.reason}." for column in left_out],
            f"{folder.source}_view = FeatureView(",
            f"    name={_text(folder.source)},",
            f"    entities=[{entity}],",
            "    ttl=timedelta(days=3650),  # how long a row stays true; to be confirmed",
            f"    source={folder.source}_rows,",
            "    schema=[",
            *[f"        Field(name={_text(column.name)}, dtype={DTYPES[column.profile.type]})," for column in features],
            "    ],",
            ")",
            "",
            f"{folder.model} = FeatureService(name={_text(folder.model)}, features=[{folder.source}_view])",
            "",
        ]
    )


def pipeline(folder: NewFolder) -> str:
    """``pipeline.py``."""
    return (
        f'"""From {folder.file} to a promotion request.\n\n'
        f"`argosy compile workflows/{folder.model}` writes pipeline.yaml; `argosy run {folder.model}` runs it here, `argo submit` on a "
        "cluster.\n"
        '"""\n\nfrom argosy.templates import pipeline, training\n\nwith pipeline.of(__file__) as run:\n    training.dag(run)\n'
    )


def expectations(
    new: NewModel, folder: NewFolder, *, rejected: float, share: float | None, is_told: bool = False
) -> str:
    """``expectations.json``: three suites from what was seen. *rejected*: share of the rows kept aside; *share*: of the positive class.

    *is_told*: a column that alone tells the label is to be learned from.
    """
    suites = {
        "schema": list(_of_schema(new, folder)),
        "statistical": list(_of_numbers(new)),
        "business": list(_of_label(new, share)),
    }
    limits: dict[str, float] = {"rejected_share": round(min(1.0, max(0.05, rejected * 1.5)), 3)}
    if new.task != "regression":
        counts = [count for _, count in new.label.levels]
        limits["label_share"] = _rounded_down(min(0.05, min(counts) / sum(counts) / 2))
    if is_told:
        limits["leakage_auc"] = 1.0
    body = ",\n".join(f'    "{name}": {_listed(each)}' for name, each in suites.items())
    return f'{{\n  "suites": {{\n{body}\n  }},\n  "derived": {{}},\n  "limits": {json.dumps(limits)}\n}}\n'


def policy(found: Policy) -> str:
    """The policy as the environment repo keeps it."""
    lines = [
        SCHEMA.format("policy"),
        "# First limits, beyond the worst of a quick baseline: a floor to start from. Its reviewers own this file and say what is needed.",
        f"model: {found.model}",
        f"owners: [{', '.join(map(_scalar, found.owners))}]",
        "",
        "limits:",
    ]
    for limit in found.limits:
        bound = "at_least" if limit.at_least is not None else "at_most"
        value = getattr(limit, bound)
        lines += [
            f"  - metric: {_scalar(limit.metric)}",
            f"    {bound}: {value:.12g}",
            f"    why: {_scalar(limit.why)}",
        ]
    if found.waivers:
        lines += ["", "waivers:"]
    for waiver in found.waivers:
        lines += [
            f"  - dimension: {waiver.dimension}",
            f"    owner: {_scalar(waiver.owner)}",
            f"    reason: {_scalar(waiver.reason)}",
        ]
    comparison = found.comparison
    lines += [
        "",
        "comparison:",
        f"  metric: {comparison.metric}",
        f"  beside: [{', '.join(comparison.beside)}]",
        f"  margin: {comparison.margin:g}",
        f"  minimum_rows: {comparison.minimum_rows}",
    ]
    return "\n".join(lines) + "\n"


def values(model: str) -> str:
    """``values.yaml`` of the environment repo: what staging and production share."""
    return (
        "# What staging and production share. The version to serve is in <environment>/version.yaml, and nowhere else.\n"
        f'model: {model}\nreplicas: 3\nresources:\n  requests: {{cpu: 250m, memory: 512Mi}}\n  limits: {{cpu: "1", memory: 1Gi}}\n'
        "canary:\n  steps: [10, 25, 50, 100]\nlatency:\n  p95Milliseconds: 100\n"
    )


def placeholder() -> str:
    """The text that keeps an environment's folder before its first version."""
    return (
        "`version.yaml` appears here when the first request for this environment is merged. Argosy writes it; to go back, revert the "
        "commit that changed it.\n"
    )


def _because(new: NewModel, what: str) -> str:
    reason = next((guess.reason for guess in new.guesses if guess.what == what), None)
    return f"  # {_comment(reason)}" if reason else ""


def _comment(text: str) -> str:
    return " ".join(text.split())


def _description(new: NewModel) -> str:
    what = {"binary": "Whether", "multiclass": "Which", "regression": "How much"}[new.task]
    return f"{what} {new.label.name}; say in a sentence what is predicted, of what, and when."


def _source(new: NewModel, folder: NewFolder) -> Iterator[str]:
    table = folder.table
    yield f"  - name: {folder.source}"
    yield from _place(folder.place)
    if table.delimiter is not None:
        yield f"    delimiter: {'tab' if table.delimiter == chr(9) else json.dumps(table.delimiter)}"
    if table.decimal_comma:
        yield '    decimal: ","'
    if table.missing_words:
        yield f"    missing: [{', '.join(json.dumps(word) for word in table.missing_words)}]"
    yield f"    entity: [{_scalar(new.key)}]"
    if new.time is not None:
        yield f"    timestamp: {_scalar(new.time)}"
    else:
        yield "    # One snapshot; this is the day of its rows. Where rows became true at several times, name that column as `timestamp`."
        yield f"    observed_at: {folder.observed_at:%Y-%m-%dT%H:%M:%SZ}"
    yield "    columns:"
    for column in new.columns:
        yield from _column(column)


def _place(place: Mapping[str, object], indent: str = "    ") -> Iterator[str]:
    for name, value in place.items():
        if isinstance(value, Mapping):
            yield f"{indent}{name}:"
            yield from _place(value, f"{indent}  ")
        else:
            yield f"{indent}{name}: {_scalar(str(value))}"


def _column(column: GuessedColumn) -> Iterator[str]:
    said = {"label": "label: ", "left out": "left out: "}.get(column.role, "")
    yield f"      # {said}{_comment(column.reason)}"
    parts = [f"name: {_flow(column.name)}", f"type: {column.profile.type}", f"meaning: {_flow(column.meaning)}"]
    parts += [f"unit: {_flow(column.unit)}"] if column.unit else []
    parts += ["personal: true"] if column.personal else []
    parts += ["nullable: true"] if column.nullable else []
    parts += ["timezone: UTC"] if column.profile.zoneless else []
    yield f"      - {{{', '.join(parts)}}}"


def _reject(new: NewModel, folder: NewFolder) -> list[str]:
    if not new.label.missing:
        return []
    when = f'"{new.label.name}" IS NULL'
    return ["", "reject:", f"  - {{source: {folder.source}, when: {json.dumps(when)}, reason: no label}}"]


def _known_later(new: NewModel) -> list[str]:
    given = [column.name for column in new.of_role("left out") if column.reason.startswith("it alone")]
    return [new.label.name, *given]


def _split(folder: NewFolder) -> str:
    if folder.holdout_from is not None:
        return f"split: {{by: time, holdout_from: {folder.holdout_from:%Y-%m-%dT%H:%M:%SZ}}}  # the newest fifth of the rows"
    return "split: {by: entity, holdout: 0.2}"


def _search(task: Task, rows: int) -> list[str]:
    trials = 20 if rows <= SMALL else 40
    return [
        "search:",
        f"  metric: {METRICS[task]}",
        f"  trials: {trials}",
        "  per_round: 10",
        "  per_task: 5",
        "  folds: 5",
        "  max_boost_rounds: 300",
        "  early_stopping_rounds: 20",
        "  space:",
        "    learning_rate: {low: 0.05, high: 0.3, log: true}",
        "    max_depth: {int_low: 2, int_high: 6}",
        "    min_child_weight: {low: 1, high: 20, log: true}",
        "    subsample: {low: 0.6, high: 1.0}",
        "    colsample_bytree: {low: 0.5, high: 1.0}",
        "    reg_lambda: {low: 0.1, high: 20, log: true}",
    ]


def _surprises(new: NewModel) -> list[str]:
    rare = [column.name for column in new.of_role("feature") if _has_rare(column)]
    if not rare:
        return []
    shown = ", ".join(rare[:3])
    return [
        "",
        f"# {_comment(shown)}: some categories are too rare for each side of the split to have them.",
        "serving: {unknown_level: missing}",
    ]


def _has_rare(column: GuessedColumn) -> bool:
    rare = 10
    return column.profile.type == "string" and (not column.profile.levels or column.profile.levels[-1][1] < rare)


def _evaluation(new: NewModel) -> list[str]:
    groups = [column.name for column in new.columns if is_group(column)]
    return ["", "evaluation:", f"  sensitive: [{', '.join(map(_scalar, groups))}]"] if groups else []


def is_group(column: GuessedColumn) -> bool:
    """Whether fairness can be measured by *column*: sensitive, and of few values."""
    few = 10
    return column.sensitive and column.role in ("feature", "left out") and 2 <= column.profile.distinct <= few


def _of_schema(new: NewModel, folder: NewFolder) -> Iterator[Mapping[str, Any]]:
    least = max(1, folder.table.rows // 2)
    yield _expectation(
        "expect_table_row_count_to_be_between",
        {"min_value": least},
        critical=True,
        why=f"The first file had {folder.table.rows} rows; half of them is a broken export.",
    )
    for column in new.of_role("feature"):
        levels = column.profile.levels
        if column.profile.type == "string" and 0 < len(levels) <= FEW_LEVELS:
            yield _expectation(
                "expect_column_values_to_be_in_set",
                {"column": column.name, "value_set": sorted(level for level, _ in levels)},
                critical=False,
                why="The values of the first file; another one is unknown to the model.",
            )


def _of_numbers(new: NewModel) -> Iterator[Mapping[str, Any]]:
    for column in new.of_role("feature"):
        low, high = column.profile.smallest, column.profile.largest
        if low is None or high is None or column.personal:
            continue
        room = (high - low) * ROOM or abs(high) * ROOM or 1.0
        least = 0.0 if low >= 0 and low - room < 0 else low - room
        yield _expectation(
            "expect_column_values_to_be_between",
            {
                "column": column.name,
                "min_value": _round(least, down=True),
                "max_value": _round(high + room, down=False),
            },
            critical=False,
            why=f"The first file had {low:g} to {high:g}; far beyond is another unit or another population.",
        )
        if column.profile.missing:
            there = max(0.0, 1 - 2 * column.profile.missing / column.profile.rows)
            yield _expectation(
                "expect_column_values_to_not_be_null",
                {"column": column.name, "mostly": _rounded_down(there)},
                critical=False,
                why=f"Missing in {column.profile.missing} of {column.profile.rows} rows of the first file; twice that is a broken export.",
            )


def _of_label(new: NewModel, share: float | None) -> Iterator[Mapping[str, Any]]:
    low, high = new.label.smallest, new.label.largest
    if new.task == "regression" and low is not None and high is not None:
        room = (high - low) / 2
        bounds = {"min_value": _round(low - room, down=True), "max_value": _round(high + room, down=False)}
        why = f"The first file had {low:g} to {high:g}; far beyond is another unit."
        yield _expectation("expect_column_values_to_be_between", {"column": "label", **bounds}, critical=True, why=why)
    if share is not None:
        bounds = {"min_value": _rounded_down(share / 2), "max_value": min(1.0, round(share * 1.5 + 0.01, 3))}
        why = f"{share:.1%} of the first file; another rate is another definition of the label."
        yield _expectation("expect_column_mean_to_be_between", {"column": "label", **bounds}, critical=True, why=why)


def _expectation(kind: str, kwargs: Mapping[str, Any], *, critical: bool, why: str) -> Mapping[str, Any]:
    return {"type": kind, "kwargs": kwargs, "meta": {"critical": critical, "why": why}}


def _listed(each: list[Mapping[str, Any]]) -> str:
    if not each:
        return "[]"
    return "[\n" + ",\n".join(f"      {json.dumps(one, ensure_ascii=False)}" for one in each) + "\n    ]"


def _round(value: float, *, down: bool) -> float:
    """*value* to three figures, away from what is between the bounds."""
    if value == 0:
        return 0
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 2)
    found = (math.floor if down else math.ceil)(value / step) * step
    return float(f"{found:.12g}")


def _rounded_down(value: float) -> float:
    return math.floor(value * 1000) / 1000


def _variable(key: str, folder: NewFolder) -> str:
    name = re.sub(r"\W+", "_", key.casefold()).strip("_")
    taken = {folder.model, f"{folder.source}_rows", f"{folder.source}_view", "timedelta", ""}
    return f"{name}_entity" if name in taken or not name.isidentifier() or name.startswith("_") else name


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _flow(value: str) -> str:
    """*value* inside braces, where a comma, a colon or a bracket ends a plain word."""
    return (
        value
        if PLAIN.fullmatch(value) and value.casefold() not in WORDS and not re.search(r"[,:{}\[\]#()]", value)
        else _text(value)
    )


def _scalar(value: str) -> str:
    """*value* as YAML reads it back as a text."""
    return _flow(value)
