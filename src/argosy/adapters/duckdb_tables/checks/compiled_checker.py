"""Holds a table of a snapshot against expectations: in DuckDB what can be asked there, the rest by Great Expectations.

What Great Expectations asks takes whole columns in memory; only those it names are read for it. Where there is somebody who needs no memory
for more rows, what that one answers alike goes there, as a file.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import duckdb

from argosy import errors
from argosy.adapters.duckdb_tables import bounded_database, derivation, sql
from argosy.adapters.duckdb_tables.checks import compiling
from argosy.adapters.duckdb_tables.checks.asked_table import AskedTable, queries_of
from argosy.adapters.duckdb_tables.checks.kept_measures import KeptMeasures
from argosy.adapters.duckdb_tables.checks.questions import TableAnswers, TableJudgement, TableQuestion
from argosy.domain.expectations import Expectation
from argosy.ports.expectations import ExpectationFinding, FileChecker, FrameChecker
from argosy.ports.tables import Derived, Tables

Findings = dict[int, ExpectationFinding]
"""By the number of their expectation."""


class CompiledChecker:
    """See :class:`argosy.ports.expectations.ExpectationChecker`. *otherwise*: who is asked what DuckDB is not; *kept*: what is known of
    parts of tables; *of_files*: who is asked before *otherwise*.
    """

    def __init__(
        self,
        tables: Tables,
        otherwise: Callable[[], FrameChecker],
        scratch: Path | None = None,
        kept: KeptMeasures | None = None,
        of_files: FileChecker | None = None,
    ) -> None:
        self._tables = tables
        self._otherwise = otherwise
        self._scratch = scratch
        self._kept = kept
        self._of_files = of_files

    def check(
        self, asked: Derived, expectations: Sequence[Expectation], *, contract: Sequence[str]
    ) -> list[ExpectationFinding]:
        """Ask *expectations* of the table *asked*; see the port."""
        found = self._compiled(asked, expectations, contract)
        left = [number for number in range(len(expectations)) if number not in found]
        if self._of_files is not None:
            found |= self._by_file(self._of_files, asked, {number: expectations[number] for number in left}, contract)
            left = [number for number in left if number not in found]
        if left:
            findings = self._by_others(asked, [expectations[number] for number in left], contract)
            found |= dict(zip(left, findings, strict=True))
        return [found[number] for number in range(len(expectations))]

    def _compiled(self, asked: Derived, expectations: Sequence[Expectation], contract: Sequence[str]) -> Findings:
        problem = derivation.problem(asked)
        with bounded_database.opened(self._scratch) as database, bounded_database.within_limits(problem):
            try:
                table = AskedTable(database, asked, self._kept)
                for expectation in expectations:
                    if absent := expectation.absent_column(asked.source.name, table.names):
                        raise errors.Misconfigured(absent)
                return _findings(table, expectations, contract)
            except (duckdb.OutOfMemoryException, duckdb.IOException):
                raise
            except duckdb.Error as error:
                raise errors.Misconfigured(f"{problem}: {errors.first_line(error)}") from None

    def _by_file(
        self, checker: FileChecker, asked: Derived, left: Mapping[int, Expectation], contract: Sequence[str]
    ) -> Findings:
        taken = {number: expectation for number, expectation in left.items() if checker.takes(expectation)}
        if not taken:
            return {}
        columns = list(dict.fromkeys(column for expectation in taken.values() for column in expectation.columns))
        problem = derivation.problem(asked)
        with (
            tempfile.TemporaryDirectory(dir=self._scratch, prefix="argosy-asked-") as folder,
            bounded_database.opened(self._scratch) as database,
            bounded_database.within_limits(problem),
        ):
            file = Path(folder) / f"{asked.source.name}.parquet"
            database.execute(f"COPY ({derivation.query(asked, columns)}) TO {sql.text(str(file))} (FORMAT parquet)")
            found = checker.check(asked.source.name, file, list(taken.values()), contract=contract)
        return dict(zip(taken, found, strict=True))

    def _by_others(
        self, asked: Derived, expectations: Sequence[Expectation], contract: Sequence[str]
    ) -> list[ExpectationFinding]:
        columns = {column for expectation in expectations for column in expectation.columns}
        if any(expectation.is_about_the_table for expectation in expectations):
            columns |= {*contract}
        names = [*contract, *(name for name in columns if name not in contract)]
        table = self._tables.derive(asked, [name for name in names if name in columns])
        return self._otherwise().check(asked.source.name, table, expectations, contract=contract)


def _findings(table: AskedTable, expectations: Sequence[Expectation], contract: Sequence[str]) -> Findings:
    questions = {
        number: question
        for number, expectation in enumerate(expectations)
        if (question := compiling.compiled(expectation, table.columns, contract)) is not None
    }
    answers = table.answers(list(questions.values()))
    judged = _judged(answers, questions)
    examples = table.examples(
        {number: judgement.examples for number, judgement in judged.items() if judgement.examples is not None}
    )
    return {
        number: ExpectationFinding(
            passed=judgement.passed,
            observed=judgement.observed,
            unexpected_count=judgement.unexpected_count,
            element_count=judgement.element_count,
            missing_count=judgement.missing_count,
            examples=examples.get(number, list(judgement.values)),
            compiled=True,
            in_parts=table.in_parts and not queries_of(questions[number], answers),
        )
        for number, judgement in judged.items()
    }


def _judged(answers: TableAnswers, questions: Mapping[int, TableQuestion]) -> dict[int, TableJudgement]:
    judgements = {number: question.judge(answers) for number, question in questions.items()}
    return {number: judgement for number, judgement in judgements.items() if judgement is not None}
