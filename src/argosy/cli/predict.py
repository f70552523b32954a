"""Ask a model for answers to a small table: what a server would answer, beside the rows' own columns.

MODEL is one that an environment serves (upsell@staging; upsell alone is production's), a version (upsell/7), or what a run on this machine
made (upsell/latest, or upsell/RUN), which nobody needs to have approved. A language model is asked the column `question`. FILE is .csv,
.parquet or .json (a list of rows). Answers go to standard output as CSV, or to a file of one of these kinds. Nothing is logged; large
tables, and those that drift is to see: `argosy score`.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from argosy import errors, wiring
from argosy.cli import model_references
from argosy.domain import suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from argosy.domain.data import FeatureColumn
    from argosy.scoring.loaded_answers import LoadedAnswers
    from argosy.scoring.loaded_model import LoadedModel

SUFFIXES = (".csv", ".parquet", ".json")
"""Of files that answers are written to."""
READ = (*SUFFIXES, ".avro")
"""Of files that rows come in."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help=model_references.FORMS)
    parser.add_argument(
        "file", type=Path, metavar="FILE", help=f"rows with every feature as a column ({', '.join(READ)})"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help=f"write there instead ({', '.join(SUFFIXES)})")
    parser.add_argument("--with-features", action="store_true", help="keep the features beside the answers too")
    parser.add_argument("--json", action="store_true", help="one JSON object a row on standard output")


def run(arguments: argparse.Namespace) -> int:
    """Answer, and say on standard error which model did, and how many rows were refused."""
    if arguments.out is not None and arguments.out.suffix.casefold() not in SUFFIXES:
        raise errors.UsageError(f"--out {arguments.out}: answers are written as {', '.join(SUFFIXES)}")
    if arguments.out is not None and arguments.json:
        raise errors.UsageError("--json writes to standard output, --out to a file; leave one of them out")
    _refuse_file(arguments.file)
    from argosy.scoring import row_answers, scorer  # not before: the libraries take a second to load

    model = model_references.load(arguments.model)
    features = _features(model)
    table = _read(arguments.file, features)
    answers = model.answers(table, str(arguments.file))
    shown = row_answers.beside(table, answers, features, features=arguments.with_features)
    told = answers.column(scorer.REASON).to_pylist() if scorer.REASON in answers.column_names else []
    refused = [reason for reason in told if reason is not None]
    _write(shown, arguments)
    said = f"version {model.version}" if model.version else model.digest
    print(
        f"{table.num_rows - len(refused):,} of {table.num_rows:,} rows answered by {model.name}, {said}",
        file=sys.stderr,
    )
    if refused:
        print(f"refused: {len(refused):,} rows, as a server would; the first: {refused[0]}", file=sys.stderr)
    return errors.DONE


def _refuse_file(file: Path) -> None:
    if not file.is_file():
        near = [path.name for path in file.parent.iterdir()] if file.parent.is_dir() else []
        raise errors.UsageError(f"{file}: there is no such file{suggestion.did_you_mean(file.name, near)}")
    if file.suffix.casefold() not in READ:
        raise errors.UsageError(f"{file}: rows come as {', '.join(READ)}")


def _features(model: "LoadedModel | LoadedAnswers") -> "Sequence[FeatureColumn]":
    from argosy.scoring import loaded_answers

    return (
        loaded_answers.COLUMNS
        if isinstance(model, loaded_answers.LoadedAnswers)
        else model.predictor.signature.features
    )


def _read(file: Path, features: "Sequence[FeatureColumn]") -> "pa.Table":
    from argosy.ml import first_look

    if file.suffix.casefold() == ".json":
        return _of_json(file, features)
    if file.suffix.casefold() == ".csv":
        first_look.refuse_foreign(file)  # also in columns that are no features: they stand beside the answers
    return _of_tables(file, features)


def _of_tables(file: Path, features: "Sequence[FeatureColumn]") -> "pa.Table":
    import pyarrow as pa

    from argosy.scoring import parts

    tables = wiring.table_files(str(file), "FILE")
    found = [batch for part in parts.of(tables) for batch in parts.batches(tables, part, features)]
    if not found:
        raise errors.Rejected(f"{file} has no rows under its header")
    return pa.concat_tables(found, promote_options="default")  # only batches with a cell that cannot be read say so


def _of_json(file: Path, features: "Sequence[FeatureColumn]") -> "pa.Table":
    import pyarrow as pa

    try:
        content = json.loads(file.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
        rows = content.get("instances") if isinstance(content, dict) else content
        if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
            raise errors.Rejected(
                f'{file}: expected a list of rows, such as [{{"seats": 3}}], or {{"instances": [...]}}'
            )
        names = dict.fromkeys(name for row in rows for name in row)
        under = "instances" if isinstance(content, dict) else ""
        _refuse_slips(f"{file}: {under}", rows, [column for column in features if column.name in names])
        return pa.table({name: pa.array([row.get(name) for row in rows]) for name in names})
    except (ValueError, OverflowError, pa.ArrowException) as error:
        raise errors.Rejected(f"{file} cannot be read as rows of JSON: {errors.first_line(error)}") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON; give null where a value is unknown")


def _refuse_slips(where: str, rows: "Sequence[Mapping[str, object]]", features: "Sequence[FeatureColumn]") -> None:
    """Raises Rejected, as a server refuses it, where one of *rows* lacks one of *features*, which is a slip, as null is what unknown is, or
    has a value of another kind: true is not 1."""
    for place, row in enumerate(rows):
        for column in features:
            if column.name not in row:
                raise errors.Rejected(f"{where}[{place}] lacks {column.name!r}; give null where the value is unknown")
            value = row[column.name]
            fits = isinstance(value, int | float) and not isinstance(value, bool)
            if value is not None and not (fits if column.type == "number" else isinstance(value, str)):
                wanted = "a number" if column.type == "number" else "text"
                raise errors.Rejected(
                    f"{where}[{place}].{column.name}: expected {wanted} or null, {json.dumps(value)[:60]} came"
                )


def _write(shown: "pa.Table", arguments: argparse.Namespace) -> None:
    import pyarrow.csv
    import pyarrow.parquet as pq

    out: Path | None = arguments.out
    if arguments.json:
        for row in shown.to_pylist():
            print(json.dumps(row, default=str))
    elif out is None:
        sys.stdout.flush()
        pyarrow.csv.write_csv(shown, sys.stdout.buffer)
    elif out.suffix.casefold() == ".json":
        out.write_text(json.dumps(shown.to_pylist(), default=str), encoding="utf-8")
    elif out.suffix.casefold() == ".csv":
        pyarrow.csv.write_csv(shown, out)
    else:
        pq.write_table(shown, out)
