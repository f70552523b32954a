"""Names of templates, tasks, parameters and artifacts: well-formed, and each there once."""

import re
from collections.abc import Iterable

from argosy.engine.manifest.manifest_object import Named
from argosy.engine.validation.refusals import Refusal

_NAME = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]*")
_PARAMETER = re.compile(r"[-a-zA-Z0-9_]+")
LONGEST = 128


def check_each(entries: Iterable[Named], where: str, *, of_values: bool) -> None:
    """Check the names of *entries*. *of_values*: parameters and artifacts, whose names may have underscores."""
    seen: set[str] = set()
    for position, entry in enumerate(entries):
        place = f"{where}[{position}].name"
        check(entry.name, place, of_values=of_values)
        if entry.name in seen:
            raise Refusal(place, f"{entry.name!r} is not unique")
        seen.add(entry.name)


def check(name: str, where: str, *, of_values: bool = False) -> None:
    """Check one name."""
    if not name:
        raise Refusal(where, "is required")
    if of_values:
        if not _PARAMETER.fullmatch(name):
            raise Refusal(where, f"{name!r} is invalid: use letters, digits, '-' and '_'")
        return
    if len(name) > LONGEST:
        raise Refusal(where, f"has {len(name)} characters; at most {LONGEST} are allowed")
    if not _NAME.fullmatch(name):
        raise Refusal(where, f"{name!r} is invalid: use letters, digits and '-', a letter or digit first")
