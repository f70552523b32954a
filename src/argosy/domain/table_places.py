"""Where tables lie: a path of this machine, also as ``file://…``, ``s3://<bucket>/<prefix>``, or a table of a database; from their text."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

DATABASE = "sql://"
_IN_DATABASE = re.compile(
    rf"{DATABASE}(?P<name>[a-z][a-z0-9_]{{0,62}})/(?P<table>([A-Za-z_]\w{{0,62}}\.)?[A-Za-z_]\w{{0,50}})(/(?P<prefix>[^/].*?))?/?",
    re.ASCII,
)
AS_OF = "{as_of}"
"""Stands for the day, in the place of tables and of results that are scored again and again."""


def path_of(place: str) -> Path | None:
    """The path of this machine that *place* is; None where it is an address of another kind."""
    if "://" not in place:
        return Path(place)
    parts = urlsplit(place)
    return Path(unquote(parts.path)) if parts.scheme == "file" and parts.netloc in {"", "localhost"} else None


def in_database(place: str) -> tuple[str, str, str] | None:
    """The name of the database's address, the table and the prefix that *place* is: ``sql://warehouse/scores.toy/as_of=2026-01-31``.

    None where it is an address of another kind.
    """
    found = _IN_DATABASE.fullmatch(place)
    return (found["name"], found["table"], found["prefix"] or "") if found else None


def is_within(place: str, other: str) -> bool:
    """True where *place* is *other*, or lies in it."""
    inner, outer = path_of(place), path_of(other)
    if inner is not None and outer is not None:
        return inner.resolve().is_relative_to(outer.resolve())
    return inner is outer and f"{place.rstrip('/')}/".startswith(f"{other.rstrip('/')}/")
