"""The SQL of a snapshot's table with the columns that expectations look at beside its own."""

from collections.abc import Sequence

from argosy.adapters.duckdb_tables import sql
from argosy.ports.tables import LABEL, Derived


def query(derived: Derived, columns: Sequence[str] | None = None, *, row: str | None = None) -> str:
    """The query for *derived*, or only *columns* of it; *row*: the name of a column more, by which rows can be put in their order."""
    added = [f"({expression}) AS {sql.name(name)}" for name, expression in derived.expressions.items()]
    if derived.label is not None:
        added.append(f"{sql.of_label(derived.label)} AS {LABEL}")
    if row is not None:
        added.append(f"{_position(derived)} AS {row}")
    selected = ", ".join([_own(derived, numbered=row is not None), *added])
    inner = f"SELECT {selected} FROM {_files(derived, numbered=row is not None)}"  # noqa: S608 - the expressions are the model's own
    return inner if columns is None else f"SELECT {', '.join(map(sql.name, columns)) or '1'} FROM ({inner})"  # noqa: S608


def problem(derived: Derived) -> str:
    """What cannot be done where the query fails."""
    asked = [f"`{name}: {expression}`" for name, expression in derived.expressions.items()]
    if derived.label is not None:
        asked.append(f"`label.sql: {derived.label.sql}`")
    return f"{'; '.join(asked) or 'nothing'} cannot be asked of source {derived.source.name!r}"


def _own(derived: Derived, *, numbered: bool) -> str:
    # A column that is itself called label gives way to what the settings make of it.
    left_out = [LABEL] if derived.label is not None and _has(derived, LABEL) else []
    left_out += [name for name in _numbering(derived) if numbered]
    return f"* EXCLUDE ({', '.join(left_out)})" if left_out else "*"


def _has(derived: Derived, name: str) -> bool:
    return any(column.name.casefold() == name for column in derived.source.columns)


def _files(derived: Derived, *, numbered: bool) -> str:
    options = "".join(f", {name} = true" for name in _numbering(derived)) if numbered else ""
    return f"read_parquet([{', '.join(sql.text(str(file)) for file in derived.files)}]{options})"


def _numbering(derived: Derived) -> list[str]:
    return ["file_row_number", *(["filename"] if len(derived.files) > 1 else [])]


def _position(derived: Derived) -> str:
    if len(derived.files) == 1:
        return "file_row_number"
    names = ", ".join(sql.text(str(file)) for file in derived.files)
    return f"{{'file': list_position([{names}], filename), 'row': file_row_number}}"
