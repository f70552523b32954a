"""Everything that is wrong in a model's folder and can be known before it runs: said at once, each with its file and line.

Columns, scores, parameters and sources that one file names and another has not; SQL that the contract cannot answer, where DuckDB is
installed; gates of the project's own policy over something that is not measured.
"""

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from argosy import errors, wiring
from argosy.cli import models
from argosy.domain import folder_checks, settings_checks
from argosy.domain.answers import answer_checks, evaluation_items
from argosy.domain.answers.answer_settings import AnswerSettings
from argosy.domain.answers.evaluation_items import EvaluationQuestion, LabelledAnswer
from argosy.domain.expectations import Expectations
from argosy.domain.label_settings import Labels
from argosy.domain.model_settings import ModelSettings
from argosy.domain.policy import Policy
from argosy.domain.setting_problems import Location, SettingProblem
from argosy.domain.source_settings import Source
from argosy.files import definitions_text, model_folder
from argosy.ports.tables import Tables
from argosy.templates import folder

Read = TypeVar("Read", EvaluationQuestion, LabelledAnswer)
POLICIES = Path("gitops-env", "policies")


def refuse(model: Path) -> None:
    """Return where nothing is wrong in the folder *model*; else raise Misconfigured with all that is."""
    if found := problems(model):
        raise errors.Misconfigured(errors.listed(found))


def problems(model: Path) -> list[str]:
    """All that is wrong in the folder *model*, a line each."""
    if not model.is_dir():
        return [models.no_folder(model)]
    settings_file = model / folder.ARTIFACTS["settings"]
    carried = folder.ANSWER_ARTIFACTS if model_folder.is_of_answers(settings_file) else folder.ARTIFACTS
    files = [model / name for name in (*carried.values(), folder.PIPELINE)]
    if absent := [f"{file} is not there; a model's folder needs it" for file in files if not file.is_file()]:
        return absent
    if carried is folder.ANSWER_ARTIFACTS:
        return _said(lambda: _of_answers(model))
    try:
        settings, lines = model_folder.load_with_lines(settings_file, ModelSettings)
    except errors.Misconfigured as error:
        return str(error).split(errors.BETWEEN)
    # One for the folder: SQL of one model is tried where that of no other was.
    tables = wiring.tables() if importlib.util.find_spec("duckdb") else None
    parts: list[Callable[[], Iterator[str]]] = [
        lambda: map(lines.at, settings_checks.problems(settings)),
        lambda: map(lines.at, _sql(settings, tables)),
        lambda: map(
            lines.at, folder_checks.of_slices(definitions_text.read(model / folder.ARTIFACTS["definitions"]), settings)
        ),
        lambda: _definitions(model / folder.ARTIFACTS["definitions"], settings),
        lambda: _expectations(model / folder.ARTIFACTS["expectations"], settings, tables),
        lambda: _policy(model.resolve().parents[1] / POLICIES / f"{settings.model}.yaml", settings),
    ]
    return list(dict.fromkeys(problem for part in parts for problem in _said(part)))


def _of_answers(model: Path) -> Iterator[str]:
    """What is wrong in the folder of a language model: settings, items, and gates over what is not measured."""
    file = model / folder.ANSWER_ARTIFACTS["settings"]
    settings, lines = model_folder.load_with_lines(file, AnswerSettings)
    yield from map(lines.at, settings_checks.looks_in_time(settings))
    asked = _items(model, "questions", evaluation_items.questions)
    _items(model, "labelled", lambda text, place: evaluation_items.labelled(text, place, asked))
    yield from answer_checks.of_prompt(
        (model / folder.ANSWER_ARTIFACTS["prompt"]).read_text(encoding="utf-8"),
        model / folder.ANSWER_ARTIFACTS["prompt"],
    )
    gates = model.resolve().parents[1] / POLICIES / f"{settings.model}.yaml"
    if gates.exists():
        policy, own = model_folder.load_with_lines(gates, Policy)
        yield from map(own.at, answer_checks.of_policy(policy))


def _items(model: Path, name: str, read: Callable[[str, str], list[Read]]) -> list[Read]:
    file = model / folder.ANSWER_ARTIFACTS[name]
    return read(file.read_text(encoding="utf-8"), str(file))


def _said(part: Callable[[], Iterator[str]]) -> list[str]:
    """The findings of *part*; a file that it cannot read is one, too."""
    try:
        return list(part())
    except errors.Misconfigured as error:
        return str(error).split(errors.BETWEEN)


def _definitions(file: Path, settings: ModelSettings) -> Iterator[str]:
    for line, text in folder_checks.of_definitions(definitions_text.read(file), settings):
        yield f"{file}:{line}: {text}"


def _expectations(file: Path, settings: ModelSettings, tables: Tables | None) -> Iterator[str]:
    expectations, lines = model_folder.load_with_lines(file, Expectations, form="json")
    yield from map(lines.at, folder_checks.of_expectations(expectations, settings))
    yield from map(lines.at, _derived(expectations, settings, tables))


def _policy(file: Path, settings: ModelSettings) -> Iterator[str]:
    if file.exists():
        policy, lines = model_folder.load_with_lines(file, Policy)
        yield from map(lines.at, folder_checks.of_policy(policy, settings))


def _sql(settings: ModelSettings, tables: Tables | None) -> Iterator[SettingProblem]:
    for index, rule in enumerate(settings.reject):
        yield from _asked(tables, ("reject", index, "when"), settings.source(rule.source), rule.when, condition=True)
    yield from _asked(tables, ("label", "sql"), settings.primary, settings.label.sql)
    if settings.labels is not None:
        yield from _labels(settings, settings.labels, tables)


def _labels(settings: ModelSettings, labels: Labels, tables: Tables | None) -> Iterator[SettingProblem]:
    table = labels.table_among(settings.sources)
    asked: dict[Location, str | None] = {("labels", "sql"): labels.sql, ("labels", "known"): labels.known}
    if labels.sql is None and table is not settings.primary:
        asked["labels",] = settings.label.sql
    asked |= {("labels", "outcomes", name): expression for name, expression in labels.outcomes.items()}
    for at, expression in asked.items():
        if expression is not None:
            yield from _asked(tables, at, table, expression)


def _derived(expectations: Expectations, settings: ModelSettings, tables: Tables | None) -> Iterator[SettingProblem]:
    known = {source.name for source in settings.sources}
    for source, columns in expectations.derived.items():
        for name, expression in columns.items():
            if source in known:
                yield from _asked(tables, ("derived", source, name), settings.source(source), expression)


def _asked(
    tables: Tables | None, at: Location, source: Source, expression: str, *, condition: bool = False
) -> Iterator[SettingProblem]:
    """What is wrong with *expression*, which stands *at* a place; nothing where there are no *tables* to ask."""
    if tables is None:
        return
    problem = tables.explain(source, expression, condition=condition)
    if problem is not None:
        yield SettingProblem(at, problem)
