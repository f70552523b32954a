"""Where the rows lie that a new model is made of: a file, a folder of partitions, or a table of a database.

Each is read once to be looked at, and then written where the new model's source has it, as `ingest` will find it there.
"""

import csv
import datetime
import os
import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl

from argosy import errors, scratch, wiring
from argosy.domain import source_addresses, suggestion

if TYPE_CHECKING:
    import pyarrow as pa

    from argosy.domain.column_profiles import TableProfile
    from argosy.domain.source_settings import Source
    from argosy.ports.source_reader import Database, TableOutline

SUFFIXES = (".csv", ".tsv", ".parquet", ".avro")
KINDS = {".csv": "CSV", ".parquet": "Parquet", ".avro": "Avro"}
"""Of tables, by the suffix that their copies have."""
DATABASES = {".sqlite": "sqlite", ".sqlite3": "sqlite", ".db": "sqlite", ".duckdb": "duckdb"}
"""Files that are databases, by their suffix."""
SCHEMA_NAME = r"[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*){0,2}"
"""A table that a source can name without quotes (``SqlQuery.table``)."""
SECRET_OPTION = "passw|passphrase|pwd|secret|token|credential"  # noqa: S105 - a pattern, and no password
"""What the name of an option of an address has in it whose value is secret, such as ``password``, ``sslpassword`` and ``passwd``."""
MOST_SHOWN = 20


class Origin(Protocol):
    """Where the rows of a new model are."""

    @property
    def name(self) -> str:
        """What the source is called."""

    @property
    def said(self) -> str:
        """What people call the place, without a secret."""

    @property
    def in_data(self) -> str | None:
        """The file or folder below the model's ``data`` that its rows are copied to; None where they stay where they are."""

    @property
    def day(self) -> datetime.datetime:
        """The moment that rows without times describe."""

    def read(self) -> "tuple[pa.Table, TableProfile]":
        """The rows, and what they look like. Raises Rejected where they are no table."""

    def place(self, made_key: str | None, /) -> Mapping[str, object]:
        """Where the source's rows come from, as ``model.yaml`` says it. *made_key*: the column that numbers rows, where none names them."""

    def left_out(self) -> Mapping[str, str]:
        """Columns that are not read, each with the reason."""

    def write(self, drafts: Path, source: "Source", made_key: str | None, /) -> None:
        """Write the rows below *drafts* as the pipeline of *source* reads them."""

    def before(self) -> str:
        """What has to be typed before the model is run; nothing, or a command."""


def of(word: str, table: str | None, environment: Mapping[str, str] = os.environ) -> Origin:
    """The rows at *word*: a path, an address, or the name of one in the *environment*; of a database *table*. Raises UsageError."""
    if (database := _database(word, environment)) is not None:
        secret, address = database
        return _of_database(word, secret, address, table, source_addresses.variable(secret) in environment)
    if table is not None:
        raise errors.UsageError(f"--table {table}: only a database has tables, and --from {word} is none")
    place = Path(word)
    return _of_folder(place) if place.is_dir() else FileOrigin(_file(place))


@dataclass(frozen=True)
class FileOrigin:
    """One file of CSV, Parquet or Avro."""

    file: Path

    @property
    def name(self) -> str:
        """See the protocol."""
        return slug(self.file.stem)

    @property
    def said(self) -> str:
        """See the protocol."""
        return self.in_data

    @property
    def in_data(self) -> str:
        """See the protocol."""
        return f"{self.name}{_suffix(self.file)}"

    @property
    def day(self) -> datetime.datetime:
        """See the protocol: the day of the file."""
        return _day(self.file.stat().st_mtime)

    def read(self) -> "tuple[pa.Table, TableProfile]":
        """See the protocol."""
        from argosy.ml import first_look  # not before: the libraries take a second to load

        return first_look.read(self.file)

    def place(self, _made_key: str | None, /) -> Mapping[str, object]:
        """See the protocol."""
        return {"file": self.in_data}

    def left_out(self) -> Mapping[str, str]:
        """See the protocol."""
        from argosy.ml import first_look

        return first_look.left_out(self.file)

    def write(self, drafts: Path, _source: "Source", made_key: str | None, /) -> None:
        """See the protocol: the file as it is, or with a column more that numbers its rows."""
        _copy(self.file, drafts / self.in_data, made_key, 1)

    def before(self) -> str:
        """See the protocol."""
        return ""


@dataclass(frozen=True)
class FolderOrigin:
    """A folder of partitions, at any depth; folders named ``column=value`` are columns."""

    folder: Path
    files: tuple[Path, ...]

    @property
    def name(self) -> str:
        """See the protocol."""
        return slug(self.folder.resolve().name)

    @property
    def said(self) -> str:
        """See the protocol."""
        return f"{self.in_data}/"

    @property
    def in_data(self) -> str:
        """See the protocol."""
        return self.name

    @property
    def day(self) -> datetime.datetime:
        """See the protocol: the day of the newest file."""
        return _day(max(file.stat().st_mtime for file in self.files))

    def read(self) -> "tuple[pa.Table, TableProfile]":
        """See the protocol."""
        from argosy.ml import first_look

        return first_look.read_partitions(self.folder, self.files)

    def place(self, _made_key: str | None, /) -> Mapping[str, object]:
        """See the protocol."""
        return {"folder": self.in_data}

    def left_out(self) -> Mapping[str, str]:
        """See the protocol."""
        from argosy.ml import first_look

        return {name: why for file in self.files for name, why in first_look.left_out(file).items()}

    def write(self, drafts: Path, _source: "Source", made_key: str | None, /) -> None:
        """See the protocol: each file where it lies in the folder; numbers of rows go on from one to the next."""
        number = 1
        for file in self.files:
            target = drafts / self.in_data / file.relative_to(self.folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            number = _copy(file, target, made_key, number)

    def before(self) -> str:
        """See the protocol."""
        return ""


@dataclass(frozen=True)
class DatabaseOrigin:
    """A table of a database, which is read where it is."""

    secret: str
    address: str
    table: str
    outline: "TableOutline"
    is_known: bool
    """Whether the environment has the address under its name."""

    @property
    def name(self) -> str:
        """See the protocol."""
        return slug(self.table)

    @property
    def said(self) -> str:
        """See the protocol."""
        return f"{self.table} of {source_addresses.variable(self.secret)}"

    @property
    def in_data(self) -> None:
        """See the protocol."""
        return

    @property
    def day(self) -> datetime.datetime:
        """See the protocol: today, since it is read today."""
        return _day(datetime.datetime.now(datetime.UTC).timestamp())

    def read(self) -> "tuple[pa.Table, TableProfile]":
        """See the protocol."""
        import pyarrow.parquet as pq

        from argosy.domain.source_settings import Column, Source, SqlQuery
        from argosy.ml import first_look

        columns = self.outline.columns
        if not columns:
            raise errors.Rejected(f"{self.said} has no column that a model could read: {self.left_out()}")
        source = Source(
            name=self.name,
            sql=SqlQuery(secret=self.secret, query=self._query("")),
            entity=[columns[0]],
            observed_at=self.day,
            columns=[Column(name=name, type="string", meaning="") for name in columns],
        )
        with scratch.folder("sources") as place:
            file = self._reader().fetch([source], place)[source.name].file
            return first_look.of_texts(self.said, pq.read_table(file), self.outline.key)

    def place(self, made_key: str | None, /) -> Mapping[str, object]:
        """See the protocol. Rows are numbered in the order of their values, so that the same rows have the same numbers."""
        if made_key is not None:
            order = ", ".join(self.outline.quoted.values())
            asked: dict[str, object] = {"query": self._query(f"row_number() OVER (ORDER BY {order}) AS {made_key}, ")}
        elif re.fullmatch(SCHEMA_NAME, self.table):
            asked = {"table": self.table}
        else:
            asked = {"query": self._query("")}
        return {"sql": {"secret": self.secret, **asked}}

    def left_out(self) -> Mapping[str, str]:
        """See the protocol."""
        return {
            name: f"its type {kind} is no text, number, truth or time" for name, kind in self.outline.others.items()
        }

    def write(self, drafts: Path, source: "Source", _made_key: str | None, /) -> None:
        """See the protocol: read once more, by the contract."""
        self._reader().fetch([source], drafts)

    def before(self) -> str:
        """See the protocol."""
        return (
            "" if self.is_known else f"export {source_addresses.variable(self.secret)}={shlex.quote(self.address)} && "
        )

    def _query(self, first: str) -> str:
        columns = ", ".join(self.outline.quoted.values())
        return f"SELECT {first}{columns} FROM {self.outline.quoted_table}"  # noqa: S608 - names, quoted as this database wants them

    def _reader(self) -> "Database":
        return wiring.database({source_addresses.variable(self.secret): self.address}, self.secret)


def slug(text: str) -> str:
    """*text* as the name of a source."""
    return re.sub(r"[^a-z0-9_]+", "_", text.casefold()).strip("_0123456789")[:40] or "rows"


def _database(word: str, environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Name and address of the database that *word* means; None where it means none."""
    place = Path(word)
    if "://" in word:
        return _typed_address(word)
    if place.suffix.casefold() in DATABASES and place.is_file():
        return slug(place.stem), f"{DATABASES[place.suffix.casefold()]}:///{place.resolve()}"
    if re.fullmatch(rf"({source_addresses.PREFIX})?[A-Za-z][A-Za-z0-9_]*", word) and not place.exists():
        secret = word.upper().removeprefix(source_addresses.PREFIX).lower()
        if address := environment.get(source_addresses.variable(secret)):
            return secret, address
        if word.startswith(source_addresses.PREFIX):
            near = suggestion.did_you_mean(word, source_addresses.addresses(environment))
            raise errors.UsageError(
                f"--from {word}: this variable is not set{near}; export {word}=<kind>://<user>:<password>@<host>/<database>"
            )
    return None


def _typed_address(word: str) -> tuple[str, str]:
    kind, _, rest = word.partition("://")
    login, at, _ = rest.rpartition("@")
    options = [name for name, _ in parse_qsl(rest.partition("?")[2], keep_blank_values=True)]
    if (at and ":" in login) or any(re.search(SECRET_OPTION, name, re.IGNORECASE) for name in options):
        raise errors.UsageError(
            f"--from {kind}://…: an address with a password stays in the shell's history; export ARGOSY_SOURCE_<NAME>=<the address> where "
            "nobody looks, and say --from ARGOSY_SOURCE_<NAME>"
        )
    if kind in ("s3", "http", "https", "file"):
        raise errors.UsageError(
            f"--from {word}: name a file or folder of this machine, or a database; a model reads files elsewhere once it is made "
            "(`data`, `url`: docs/data.md)"
        )
    if kind in DATABASES.values():
        file = Path(rest.removeprefix("/")).resolve()
        if not file.is_file():
            raise errors.UsageError(f"--from {word}: there is no file {file}")
        return slug(file.stem), f"{kind}:///{file}"
    return slug(rest.partition("?")[0].rpartition("/")[2] or "database"), word


def _of_database(word: str, secret: str, address: str, table: str | None, known: bool) -> DatabaseOrigin:
    reader = wiring.database({source_addresses.variable(secret): address}, secret)
    if table is None:
        tables = reader.tables(secret)
        if len(tables) != 1:
            shown = ", ".join(tables[:MOST_SHOWN]) + (
                f" and {len(tables) - MOST_SHOWN} more" if len(tables) > MOST_SHOWN else ""
            )
            raise errors.UsageError(f"--from {word}: name its table with --table; it has {shown or 'none'}")
        table = tables[0]
    elif "." not in table and table not in (tables := reader.tables(secret)):
        raise errors.UsageError(
            f"--table {table}: {word} has no such table{suggestion.choices(table, tables, 'It has')}"
        )
    return DatabaseOrigin(secret, address, table, reader.outline(secret, table), known)


def _of_folder(place: Path) -> Origin:
    """The rows in the folder *place*. Raises UsageError where these are of no one table."""
    files = tuple(sorted(_tables(place)))
    if not files:
        raise errors.UsageError(f"--from {place}: no file in it ends in {', '.join(SUFFIXES)}")
    if len(files) == 1 and files[0].parent == place:
        return FileOrigin(_file(files[0]))
    other = next((file for file in files if _suffix(file) != _suffix(files[0])), None)
    if other is not None:
        raise errors.UsageError(
            f"--from {place}: it has {KINDS[_suffix(files[0])]} and {KINDS[_suffix(other)]} files, such as {files[0].name} and "
            f"{other.name}; name the one file, or a folder of one kind"
        )
    return FolderOrigin(place, files)


def _tables(place: Path) -> Iterator[Path]:
    for file in place.rglob("*"):
        parts = file.relative_to(place).parts
        if file.suffix.casefold() in SUFFIXES and file.is_file() and not any(part[0] in "._" for part in parts):
            yield file


def _file(place: Path) -> Path:
    """The table at *place*. Raises UsageError."""
    if not place.is_file():
        near = [path.name for path in place.parent.iterdir()] if place.parent.is_dir() else []
        raise errors.UsageError(f"--from {place}: there is no such file{suggestion.did_you_mean(place.name, near)}")
    if place.suffix.casefold() not in SUFFIXES:
        raise errors.UsageError(f"--from {place}: a table ends in {', '.join(SUFFIXES)}; save it as one of these")
    if place.stat().st_size == 0:
        raise errors.Rejected(f"{place} is empty: it has not even a header")
    return place


def _suffix(file: Path) -> str:
    suffix = file.suffix.casefold()
    return suffix if suffix in KINDS else ".csv"


def _day(moment: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _copy(file: Path, target: Path, made_key: str | None, number: int) -> int:
    """Copy the table *file* to *target*, with a column *made_key* that numbers its rows from *number* on. Returns the next number."""
    if made_key is None:
        shutil.copyfile(file, target)
        return number
    from argosy.ml import first_look

    if _suffix(target) != ".csv":
        return number + first_look.write_numbered(file, made_key, target, number)
    delimiter = first_look.delimiter(file)
    with file.open(encoding="utf-8-sig", newline="") as read, target.open("w", encoding="utf-8", newline="") as written:
        for _ in range(first_look.hint_lines(file)):
            read.readline()
        lines = csv.reader(read, delimiter=delimiter)
        writer = csv.writer(written, delimiter=delimiter, lineterminator="\n")
        writer.writerow([made_key, *next(lines)])
        for line in filter(None, lines):
            writer.writerow([number, *line])
            number += 1
    return number
