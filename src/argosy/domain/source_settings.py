"""The sources of a model's ``model.yaml``: the tables that ingest reads, and what their columns are."""

import re
from pathlib import PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, field_validator, model_validator

from argosy.domain import time_spans
from argosy.domain.documents import Document

ColumnType = Literal["string", "integer", "number", "boolean", "timestamp"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=63)]
FolderName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._=-]*(/[A-Za-z0-9_][A-Za-z0-9._=-]*)*$", max_length=200)
]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]*$", max_length=60)]
ZoneName = Annotated[str, Field(pattern=r"^[A-Za-z]+(/[A-Za-z0-9_+-]+)*$")]

PLACES = ("file", "folder", "kafka", "sql", "url")
"""The settings of a source that say where its rows come from."""
FORMAT_PART = re.compile(r"%(-?[dHIjmMSy]|[aAbBcfgGnpuUVwWxXYzZ%])")
"""A part of a time in a `format`, as strptime has them."""
EPOCHS = {"epoch": 10**6, "epoch_ms": 10**3, "epoch_us": 1}
"""Formats of times that are counted from 1970 on, in UTC: microseconds of one count."""


class Column(Document):
    """One column of the data contract."""

    name: str = Field(min_length=1)
    type: ColumnType
    meaning: str = Field(description="What one value says, in a sentence.")
    unit: str | None = Field(default=None, description="Unit of measure of a number; none where it has none.")
    owner: str | None = Field(default=None, description="Who answers for this column; the model's owner where absent.")
    personal: bool = Field(default=False, description="Personal data: never logged, printed, or sent to a report.")
    nullable: bool = Field(default=False, description="Whether a missing value is expected.")
    timezone: ZoneName | None = Field(
        default=None,
        description="Zone of times that are written without one, such as Europe/Berlin; of an hour that comes twice, the later is meant.",
    )
    format: str | None = Field(
        default=None,
        description='How a timestamp is written, such as "%d.%m.%Y %H:%M"; "epoch", "epoch_ms" or "epoch_us" where it is counted from '
        "1970 on; ISO 8601 where absent.",
    )
    means_true: list[str] | None = Field(
        default=None, min_length=1, description="Words of a boolean column for true, in either case, such as [Yes]."
    )
    means_false: list[str] | None = Field(
        default=None, min_length=1, description="Words of a boolean column for false, in either case, such as [No]."
    )

    @model_validator(mode="after")
    def _is_written_as_its_type(self) -> Self:
        if self.type != "timestamp" and (self.timezone or self.format):
            raise ValueError(
                f"column {self.name!r}: `timezone` and `format` are for a timestamp; this is a {self.type}"
            )
        if self.format is not None and (wrong := FORMAT_PART.sub("", self.format)).count("%"):
            raise ValueError(
                f"column {self.name!r}: `format` has {wrong[wrong.index('%') :][:2]!r}, which stands for no part of a time"
            )
        if self.format is not None and self.format not in EPOCHS and "%" not in self.format:
            raise ValueError(
                f"column {self.name!r}: `format` {self.format!r} has no part of a time, such as %Y, and is none of {', '.join(EPOCHS)}"
            )
        if self.format is not None and not self.timezone and not self.format_has_zone:
            raise ValueError(f"column {self.name!r}: `format` has no zone (%z): name the `timezone` of these times")
        if self.type != "boolean" and (self.means_true or self.means_false):
            raise ValueError(
                f"column {self.name!r}: `means_true` and `means_false` are for a boolean; this is a {self.type}"
            )
        if (self.means_true is None) != (self.means_false is None):
            raise ValueError(f"column {self.name!r}: name both, `means_true` and `means_false`")
        both = {word.casefold() for word in self.means_true or []} & {
            word.casefold() for word in self.means_false or []
        }
        if both:
            raise ValueError(f"column {self.name!r}: {sorted(both)[0]!r} cannot mean true and false")
        return self

    @property
    def format_has_zone(self) -> bool:
        """True where ``format`` holds a zone, so that every time says its own."""
        return self.format is not None and (self.format in EPOCHS or "%z" in self.format or "%Z" in self.format)

    @property
    def is_read_from_text(self) -> bool:
        """True where the contract says how this column's values are written as text, whatever the file is."""
        return bool(self.format or self.means_true)


class SqlQuery(Document):
    """Rows that a database answers: read once, in one transaction, into the snapshot."""

    secret: Name = Field(
        max_length=40,
        description="Name under which the environment knows the database's address (with user and password): `crm` is "
        "ARGOSY_SOURCE_CRM, on a cluster a key of the Secret argosy-data. It is never written down anywhere else.",
    )
    query: str | None = Field(default=None, description="What is read, as SQL of that database: one SELECT.")
    table: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*){0,2}$",
        description="In place of `query`: a table, such as public.customers, of which the contract's columns are read.",
    )

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        if (self.query is None) == (self.table is None):
            raise ValueError("name either `query` (SQL) or `table` (its name), not both")
        return self


class WebFile(Document):
    """A file behind an HTTPS address."""

    address: str = Field(
        pattern=r"^https://[A-Za-z0-9.\[\]:-]+(/[!-\"$-~]*)?$",
        description="https://<host>/<path>, without a user or a password.",
    )
    sha256: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        description="The digest that it has to have, so that it is that file and no other.",
    )
    bytes: int | None = Field(default=None, ge=1, description="The size that it has to have.")
    headers: dict[HeaderName, Name] = Field(
        default_factory=dict,
        description="Headers that hold a secret, by name, with the name under which the environment knows the whole value: "
        "{Authorization: rates} is ARGOSY_SOURCE_RATES, such as `Bearer <token>`. Sent to this address alone.",
    )


class Topic(Document):
    """A topic of Kafka: what is in it when the run reads it, each message a JSON object."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9._-]+$", max_length=249, description="The topic; where Kafka is, ARGOSY_KAFKA_* says."
    )
    since: AwareDatetime | None = Field(
        default=None, description="Messages of that time and later; from the first that is kept, where absent."
    )
    until: AwareDatetime | None = Field(
        default=None, description="Messages before that time; all there are when the run begins, where absent."
    )


class Watermark(Document):
    """How a run tells what of a source is new: the rest it takes from the snapshot that was accepted last."""

    column: str | None = Field(
        default=None,
        description="The column in whose order rows come, a timestamp or an integer, such as updated_at; of a folder the one that its "
        "partitions are named by. None of a topic: its offsets tell.",
    )
    lateness: time_spans.Age | Annotated[int, Field(ge=0)] | None = Field(
        default=None,
        description="How far behind the newest value a row may still come, such as 3d, or so many of an integer column. What is within it "
        "is read again each time; a number that is drawn before its row is committed comes late, too.",
    )
    key: list[str] | None = Field(
        default=None,
        min_length=1,
        description="Columns that name one row, where rows are changed in place: of a row that comes anew the one before goes. Rows are "
        "only ever added, where absent.",
    )


class Source(Document):
    """One table that ingest reads."""

    name: Name
    file: str | None = Field(default=None, description="File name inside the run's `data` location.")
    folder: FolderName | None = Field(
        default=None,
        description="In place of `file`: a folder of partitions inside the run's `data` location. Folders in it that are named "
        "<column>=<value> are columns.",
    )
    sql: SqlQuery | None = Field(default=None, description="In place of `file`: a table or a query of a database.")
    kafka: Topic | None = Field(default=None, description="In place of `file`: a topic of Kafka, read to its end.")
    url: WebFile | None = Field(default=None, description="In place of `file`: a file behind an HTTPS address.")
    format: Literal["csv", "parquet", "avro"] | None = Field(
        default=None, description="Taken from the file's suffix where absent."
    )
    delimiter: str | None = Field(
        default=None,
        description='Character between the values of a CSV file; a comma where absent. "tab" for a tab.',
    )
    decimal: Literal[".", ","] | None = Field(
        default=None, description="Decimal sign of the numbers of a CSV file; a point where absent."
    )
    missing: list[str] | None = Field(
        default=None, min_length=1, description="Words that stand for a missing value in a CSV file, such as [NA]."
    )
    entity: list[str] = Field(min_length=1, description="The columns that identify what a row is about.")
    timestamp: str | None = Field(default=None, description="Column that says when a row became true (event time).")
    created: str | None = Field(default=None, description="Column that says when a row became known (created time).")
    observed_at: AwareDatetime | None = Field(
        default=None, description="For a table without times, one snapshot: the moment it describes."
    )
    watermark: Watermark | None = Field(
        default=None,
        description="Read what is new, and take the rest from the snapshot accepted last; everything, where absent.",
    )
    columns: list[Column] = Field(min_length=1, description="The data contract.")

    @field_validator("delimiter")
    @classmethod
    def _is_one_character(cls, delimiter: str | None) -> str | None:
        if delimiter in {"tab", "\\t"}:
            return "\t"
        if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n' or not delimiter.isascii()):
            raise ValueError('expected one character such as ";", or "tab"')
        return delimiter

    @model_validator(mode="after")
    def _has_a_time(self) -> Self:
        if (self.timestamp is None) == (self.observed_at is None):
            raise ValueError("name either `timestamp` (a column) or `observed_at` (one moment for all rows), not both")
        if self.decimal == (self.delimiter or ","):
            raise ValueError(f"`decimal` and `delimiter` are both {self.decimal!r}; name the `delimiter` of the file")
        return self

    @model_validator(mode="after")
    def _comes_from_one_place(self) -> Self:
        named = [name for name in PLACES if getattr(self, name) is not None]
        if len(named) != 1:
            raise ValueError(f"name where its rows come from, once: {' or '.join(f'`{name}`' for name in PLACES)}")
        csv_alone = [name for name in ("format", "delimiter", "decimal", "missing") if getattr(self, name) is not None]
        if self.has_no_file and csv_alone:
            raise ValueError(
                f"`{csv_alone[0]}` says how a file is written; rows of a {'database' if self.sql else 'topic'} have none"
            )
        return self

    @model_validator(mode="after")
    def _is_read_on_as_it_comes(self) -> Self:
        if self.watermark is None:
            return self
        if self.file is not None or self.url is not None:
            raise ValueError(
                f"`watermark` is for `sql`, `folder` and `kafka`; a {'file' if self.file else 'url'} is read whole"
            )
        named = [name for name in ("column", "lateness") if getattr(self.watermark, name) is not None]
        if self.kafka is not None and named:
            raise ValueError(
                f"`watermark.{named[0]}`: the offsets of a topic tell what is new; write `watermark: {{}}`, or its `key`"
            )
        if self.kafka is None and len(named) < 2:
            raise ValueError(
                "`watermark` needs the `column` in whose order rows come, and their `lateness`, such as 3d"
            )
        return self

    @property
    def has_no_file(self) -> bool:
        """True where its rows come as values, each a text, and not in a file that somebody wrote."""
        return self.sql is not None or self.kafka is not None

    @property
    def is_in_data(self) -> bool:
        """True where its file or folder lies at the run's parameter `data`."""
        return self.file is not None or self.folder is not None

    @property
    def file_name(self) -> str:
        """The name of the file or folder that its rows are read from on this machine."""
        if self.url is not None:
            return f"{self.name}{PurePosixPath(self.url.address.partition('?')[0]).suffix}"
        return self.file or self.folder or f"{self.name}.parquet"


class RejectRule(Document):
    """Rows that ingest keeps aside instead of passing on."""

    source: Name
    when: str = Field(
        description="A DuckDB SQL condition over the source's columns; rows that satisfy it are kept aside."
    )
    reason: str
