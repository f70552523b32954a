"""Where tables lie: a path of this machine, also as ``file://…``, or ``s3://<bucket>/<prefix>``; from their text alone."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

AS_OF = "{as_of}"
"""Stands for the day, in the place of tables and of results that are scored again and again."""


def path_of(place: str) -> Path | None:
    """The path of this machine that *place* is; None where it is an address of another kind."""
    if "://" not in place:
        return Path(place)
    parts = urlsplit(place)
    return Path(unquote(parts.path)) if parts.scheme == "file" and parts.netloc in {"", "localhost"} else None


def is_within(place: str, other: str) -> bool:
    """True where *place* is *other*, or lies in it."""
    inner, outer = path_of(place), path_of(other)
    if inner is not None and outer is not None:
        return inner.resolve().is_relative_to(outer.resolve())
    return inner is outer and f"{place.rstrip('/')}/".startswith(f"{other.rstrip('/')}/")
