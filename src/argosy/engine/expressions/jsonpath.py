"""JSONPath, as far as manifests use it: names, indices, slices, unions, filters, ``*`` and ``..``. Scripts are refused by name."""

import re
from typing import Any

from argosy.engine.expressions import jsonpath_filter, values
from argosy.engine.expressions.errors import ExpressionError

_STEP = re.compile(
    r"""
      (?P<deep>\.\.)
    | \.(?P<star>\*) | \.(?P<name>[^.\[\]'"\s()]+)
    | \[\s*(?P<all>\*)\s*\]
    | \[\s*\?\s*\((?P<filter>(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[^\]'"\[])+)\)\s*\]
    | \[(?P<inner>(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\]'"])+)\]
    """,
    re.VERBOSE,
)
_BARE = re.compile(r"\*|[^.\[\]'\"\s()]+")
_KEY = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""")


def query(path: str, value: object) -> object:
    """The value that *path* leads to in *value*; a list where it may lead to several. Raises ExpressionError where it leads nowhere."""
    if not path.startswith("$"):
        raise ExpressionError(f"jsonpath {path!r} does not start with '$'")
    place, several, filtered, found = 1, False, False, [value]
    while place < len(path):
        match = _STEP.match(path, place)
        if match is None:
            raise ExpressionError(f"jsonpath {path!r}: {path[place:]!r} is not supported")
        place = match.end()
        if match["deep"]:
            found, several = [entry for one in found for entry in _descendants(one)], True
            if bare := _BARE.match(path, place):
                place = bare.end()
                found = [
                    entry for one in found for entry in _maybe(one, bare[0]) if entry is not None or bare[0] == "*"
                ]
            continue
        if match["filter"]:
            wanted = jsonpath_filter.compiled(match["filter"], query)
            found = [entry for one in found for entry in _children(one, path) if wanted(value, entry)]
            several = filtered = True
            continue
        if filtered and re.fullmatch(r"\s*-?\d+\s*", match["inner"] or ""):
            # The place of an index is one among those that passed the filter.
            found, several = [found], False
        filtered = False
        found, several = _stepped(found, match, several, path)
    return found if several else found[0]


def _stepped(found: list[Any], match: re.Match[str], several: bool, path: str) -> tuple[list[Any], bool]:
    if match["star"] or match["all"]:
        return [entry for one in found for entry in _children(one, path)], True
    if match["name"]:
        return _each(found, match["name"], several, path), several
    inner = match["inner"].strip()
    if inner.startswith(("?", "(")):
        raise ExpressionError(f"jsonpath {path!r}: scripts are not supported by `argosy run`")
    if ":" in inner and not _KEY.match(inner):
        _demand(found, (list,), several, path)
        return [entry for one in found for entry in _range(one, inner, path)], True
    keys = [_key(part, path) for part in _parts(inner)]
    if len(keys) > 1:
        _demand(found, (dict, list) if isinstance(keys[0], int) else (dict,), several, path)
        return [entry for one in found for key in keys for entry in _maybe(one, key)], True
    return _each(found, keys[0], several, path), several


def _demand(found: list[Any], kinds: tuple[type, ...], several: bool, path: str) -> None:
    """Refuse a step that the one value found cannot take; of several, those that cannot are left out."""
    if not several and not isinstance(found[0], kinds):
        raise ExpressionError(f"jsonpath {path!r}: not for {values.type_name(found[0])}")


def _each(found: list[Any], key: str | int, several: bool, path: str) -> list[Any]:
    if several:
        return [entry for one in found for entry in _maybe(one, key)]
    entries = _maybe(found[0], key)
    if not entries:
        raise ExpressionError(f"jsonpath {path!r}: there is no {key!r} in {values.type_name(found[0])}")
    return entries


def _parts(inner: str) -> list[str]:
    return [part.strip() for part in re.findall(r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^,'"])+""", inner)]


def _key(part: str, path: str) -> str | int:
    if match := _KEY.fullmatch(part):
        return re.sub(r"\\(.)", r"\1", match[1] if match[1] is not None else match[2])
    try:
        return int(part)
    except ValueError:
        raise ExpressionError(f"jsonpath {path!r}: {part!r} is neither an index nor a quoted name") from None


def _maybe(value: object, key: str | int) -> list[Any]:
    if key == "*":
        return _children(value, "*") if isinstance(value, dict | list) else []
    if isinstance(value, dict):
        return [value[key]] if key in value else []
    if isinstance(value, list) and isinstance(key, int) and -len(value) <= key < len(value):
        return [value[key]]
    return [float(len(value))] if key == "length" and isinstance(value, list | str) else []


def _children(value: object, path: str) -> list[Any]:
    if isinstance(value, dict):
        return [value[key] for key in sorted(value)]
    if isinstance(value, list):
        return list(value)
    raise ExpressionError(f"jsonpath {path!r}: {values.type_name(value)} has no members")


def _range(value: object, inner: str, path: str) -> list[Any]:
    try:
        bounds = [int(part) if part.strip() else None for part in inner.split(":")]
        return list(value[slice(*bounds)]) if isinstance(value, list) else []
    except (ValueError, TypeError):
        raise ExpressionError(f"jsonpath {path!r}: {inner!r} is not a range") from None


def _descendants(value: object) -> list[Any]:
    # What is null has no place among them.
    found = [] if value is None else [value]
    if isinstance(value, dict | list):
        for child in _children(value, ".."):
            found += _descendants(child)
    return found
