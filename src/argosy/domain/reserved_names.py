"""Names that a column or a feature cannot have, because something on its way calls a column of its own so.

Feast's join over DuckDB (its Ibis store) adds columns to the tables it joins and drops those that end in ``_y``; DuckDB does not tell "RN"
from "rn". What happens then is an error of another library for some names and, for others, features that are silently missing.
"""

from collections.abc import Sequence

JOINS_OWN = ("rn", "entity_row_id", "entity_row_id_yyyy", "event_expire_timestamp", "argosy_row")
DROPPED = "_y"
"""Ending of the columns that the join drops."""
EVENT_TIME = "event_timestamp"
MOMENT = "argosy_moment_"
"""Before the name of a view: the column of the moments at which its features were true."""
OF_EXAMPLES = ("label", "side", EVENT_TIME)
"""Columns that an example has besides its keys, features and slices."""


def of_column(name: str, join_keys: Sequence[str]) -> str | None:
    """Why a column of a source cannot be called *name*, or None. *join_keys*: of all sources."""
    folded = name.casefold()
    if folded in JOINS_OWN:
        return f"{name!r} is the name of a column that the join of features makes itself"
    if folded in {f"{key}{DROPPED}".casefold() for key in (*join_keys, EVENT_TIME)}:
        return f"{name!r} is what the join of features calls its second {name[: -len(DROPPED)]!r}"
    return None


def of_time(name: str) -> str | None:
    """Why a source's time cannot be called *name*, or None."""
    return (
        f"{name!r} ends in {DROPPED!r}, and the join of features drops such columns" if name.endswith(DROPPED) else None
    )


def of_feature(name: str) -> str | None:
    """Why a feature cannot be called *name*, or None. A feature is a column too."""
    if name.casefold() in OF_EXAMPLES:
        return f"{name!r} is a column of every example"
    if name.casefold().startswith(MOMENT):
        return f"{name!r} begins as the column of a view's moments does"
    if ":" in name:
        return f"{name!r} has a colon, which separates a view from its feature"
    return of_time(name)


def of_key(name: str) -> str | None:
    """Why a key, a slice or a sensitive attribute of the examples cannot be called *name*, or None."""
    folded = name.casefold()
    return f"{name!r} is a column of every example" if folded in OF_EXAMPLES or folded.startswith(MOMENT) else None
