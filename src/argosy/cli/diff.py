"""Hold two runs of a model together: what was otherwise, and what came of it.

Parameters, code, data, settings, features and every measurement, before and after; then both models on the later run's holdout: the scores'
differences with intervals, and how many decisions turn. Of a language model: prompt, evaluation set, the scores on the questions that both
were asked, and each answer that flips. A RUN is a run's name or the beginning of it, or MODEL/latest.
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from argosy import errors
from argosy.cli import run_documents
from argosy.domain.run_differences import EVALUATION_SET, FLIPS, PROMPT, SAME_QUESTIONS, UNSAID

if TYPE_CHECKING:
    from argosy.cli.run_documents import RunDocuments
    from argosy.domain.run_differences import RunDifference

DOCUMENTED = ("parameters", "code", "data", "settings", "features", "measurements")
TOGETHER = "both models on the later holdout"
SECTIONS = (*DOCUMENTED[:-1], PROMPT, EVALUATION_SET, DOCUMENTED[-1], TOGETHER, SAME_QUESTIONS, FLIPS)
COMPARED = {"binary": ("auc", "log_loss", "f1"), "multiclass": ("accuracy", "log_loss"), "regression": ("r2", "mae")}
"""The scores that both models are held together by."""
LONG = {PROMPT, EVALUATION_SET, FLIPS}
"""Sections of texts, each on a line of its own."""
LONGEST = 240
"""Characters of a text that are shown."""
RESAMPLES = 1000
CONFIDENCE = 0.95


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("before", metavar="RUN", help="the earlier run")
    parser.add_argument("after", metavar="RUN", help="the later one")
    parser.add_argument("--all", action="store_true", help="measurements too that differ by less than a thousandth")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Print the differences."""
    before, after = run_documents.run(arguments.before), run_documents.run(arguments.after)
    models = [each.record.facts.model for each in (before, after)]
    if models[0] != models[1]:
        raise errors.UsageError(
            f"{before.name} is of {models[0]}, {after.name} of {models[1]}; name two runs of one model"
        )
    found = [*differences(before, after, every=arguments.all), *_together(before, after)]
    if arguments.json:
        print(json.dumps({"before": before.name, "after": after.name, "differences": [asdict(each) for each in found]}))
        return errors.DONE
    print(f"before  {before.name}: {before.outcome}")
    print(f"after   {after.name}: {after.outcome}")
    for line in _lines(found):
        print(line)
    return errors.DONE


def _lines(found: "list[RunDifference]") -> Iterator[str]:
    for section in SECTIONS:
        rows = [each for each in found if each.section == section]
        if rows:
            yield f"\n{section}"
            yield from _in_columns(rows) if section not in LONG else _below_each_other(rows)
    if not found:
        yield "nothing differs"


def _in_columns(rows: "list[RunDifference]") -> Iterator[str]:
    width = max(len(each.name) for each in rows)
    return (f"  {each.name:<{width}}  {each.before} -> {each.after}" for each in rows)


def _below_each_other(rows: "list[RunDifference]") -> Iterator[str]:
    """Texts, which no column has room for; in whole they are with --json."""
    for each in rows:
        yield f"  {each.name}"
        yield from (f"    {sign} {_cut(text)}" for sign, text in (("-", each.before), ("+", each.after)))


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def differences(before: "RunDocuments", after: "RunDocuments", *, every: bool) -> "Iterator[RunDifference]":
    """What is otherwise by their documents alone. *every*: measurements too that differ by less than a thousandth."""
    from argosy.domain import run_differences

    parts = {name: (_part(name, before), _part(name, after)) for name in DOCUMENTED}
    for name, (one, other) in parts.items():
        for each in run_differences.of_values(name, one, other):
            if name != "measurements" or every or run_differences.matters(one.get(each.name), other.get(each.name)):
                yield each


def _part(name: str, run: "RunDocuments") -> Mapping[str, Any]:
    """What *run* has of the section *name*, by name."""
    record = run.record
    evidence, snapshot = record.evidence, record.snapshot
    match name:
        case "parameters":
            return {key: value for key, value in record.facts.parameters.items() if key not in UNSAID}
        case "code":
            text = record.facts.parameters.get("provenance", "")
            return json.loads(text) if text.startswith("{") else {}
        case "data":
            tables = snapshot.tables if snapshot else []
            return {
                table.source: {"rows": table.rows, "digest": table.digest, "columns": dict(table.columns)}
                for table in tables
            }
        case "settings":
            settings = record.settings or record.answer_settings
            return settings.model_dump(mode="json", exclude_defaults=True) if settings else {}
        case "features":
            return (
                {each.name: f"{each.type} of {each.view}" for each in record.features.features}
                if record.features
                else {}
            )
        case _:
            return dict(evidence.metrics) if evidence else {}


def _together(before: "RunDocuments", after: "RunDocuments") -> "Iterator[RunDifference]":
    """Both models on the rows that the later run held out; nothing where the earlier model does not take them."""
    if before.record.evidence is None or after.record.evidence is None:
        return
    if after.record.answer_settings is not None:
        from argosy.cli import answer_differences

        yield from answer_differences.of_runs(before, after)
        return
    import numpy as np

    from argosy.domain.run_differences import RunDifference
    from argosy.ml import frames, metrics, paired, resampling
    from argosy.ml.predictor import Predictor

    holdout = frames.read(after.artifact("build-features", "features"), "holdout")
    models = [Predictor.load(*each.bundle()) for each in (before, after)]
    if models[0].digest == models[1].digest:
        yield RunDifference(TOGETHER, "model", models[0].digest, "the same")
        return
    if any(name not in holdout.table.column_names for model in models for name in model.encoder.names):
        yield RunDifference(TOGETHER, "not compared", "its features", "are not all among the later run's")
        return
    if models[0].signature.split != models[1].signature.split:
        yield RunDifference(
            TOGETHER, "not compared", "its training rows", "may be among the later run's holdout: another split"
        )
        return
    task = models[1].signature.task
    one, other = (
        paired.Answers(model.predict_matrix(model.encoder.table(holdout.table)), model.signature.threshold or 0.5)
        for model in models
    )
    drawing = resampling.Bootstrap(CONFIDENCE, RESAMPLES, seed=7)
    entities = resampling.of_columns([holdout.table.column(name) for name in holdout.schema.join_keys])
    for name in COMPARED[task]:
        result = paired.compare(task, name, holdout.labels, other, one, drawing, entities)
        if result is not None:
            better = (
                f"{result.candidate:.4f} (better by {result.difference:+.4f} [{result.low:+.4f}, {result.high:+.4f}])"
            )
            yield RunDifference(TOGETHER, name, f"{result.champion:.4f}", better)
    if task != "regression":
        decided = [np.asarray(metrics.decisions(task, each.predictions, each.threshold)) for each in (one, other)]
        turned = int((decided[0] != decided[1]).sum())
        right = [int((each == holdout.labels).sum()) for each in decided]
        yield RunDifference(
            TOGETHER, "decisions", f"{right[0]} right", f"{right[1]} right; {turned} of {len(holdout)} turned"
        )
