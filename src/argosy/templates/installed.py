"""Drift of an installed template from its manifest: somebody may have edited it there by hand, or not installed it since.

What the API server adds by itself, fields that are empty, is no difference.
"""

from collections.abc import Iterator, Mapping
from typing import Any

PARAMETER = "provenance"
LONGEST = 80
"""Characters of a value that a difference repeats."""


def differences(manifest: Mapping[str, Any], there: Mapping[str, Any]) -> Iterator[str]:
    """Differences of the spec of *there*, the object in the cluster, from that of *manifest*: one line each, led by the field's path."""
    yield from _between("spec", _unstamped(manifest.get("spec")), _unstamped(there.get("spec")))


def _unstamped(spec: Any) -> Any:
    """*spec* without the stamp that is put on it when it is installed (`argosy compile --stamp`)."""
    arguments = spec.get("arguments") if isinstance(spec, Mapping) else None
    if not isinstance(arguments, Mapping):
        return spec
    parameters = [
        {**entry, "value": ""} if entry.get("name") == PARAMETER else entry
        for entry in arguments.get("parameters") or []
    ]
    return {**spec, "arguments": {**arguments, "parameters": parameters}}


def _between(path: str, ours: Any, theirs: Any) -> Iterator[str]:
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        for name in dict.fromkeys([*ours, *theirs]):
            yield from _between(f"{path}.{name}", ours.get(name), theirs.get(name))
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for place, (our, their) in enumerate(zip(ours, theirs, strict=True)):
            yield from _between(f"{path}[{place}]{_named(our)}", our, their)
    elif ours != theirs and (ours or theirs):
        yield f"{path}: the cluster has {_shown(theirs)}, this manifest {_shown(ours)}"


def _named(entry: Any) -> str:
    return f" ({entry['name']})" if isinstance(entry, Mapping) and "name" in entry else ""


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, list | Mapping):
        return f"{len(value)} entries"
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
