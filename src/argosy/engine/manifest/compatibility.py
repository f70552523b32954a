"""The page that says of every field of Argo's API what `argosy run` does with it, written from ``schema`` alone.

`python -m argosy.engine.manifest.compatibility` prints it; a test holds docs/argo-compatibility.md to it.
"""

import sys
from collections import Counter
from collections.abc import Iterator

from argosy.engine.manifest import schema

RUNS, NO_OP, REFUSED = "runs", "local no-op", "refused"

_HEAD = """\
# What `argosy run` does with each field of a workflow

Written by `make fmt` from the tables the engine checks manifests against; do not edit.

- **runs**: the engine does what the controller does.
- **local no-op**: the field changes nothing on one machine. A run lists those it met, unless its manifest is a model's.
- **refused**: the run ends before its first step and names the field's path. Nothing is ever ignored silently.

A field that is not here is one that Argo does not have, and is refused too.
What holds the engine to the real controller: [argo-conformance.md](argo-conformance.md).
"""


def page() -> str:
    """The whole page, as Markdown."""
    counts = Counter(does for name in schema.TYPES for _, _, does, _ in _fields(name))
    figures = ", ".join(f"{counts[does]} {does}" for does in (RUNS, NO_OP, REFUSED))
    sections = (_section(name) for name in schema.TYPES)
    return "\n".join((_HEAD, f"{sum(counts.values())} fields of {len(schema.TYPES)} types: {figures}.", "", *sections))


def _section(type_name: str) -> str:
    lines = [f"| `{field}` | {kind} | {does} | {hint} |" for field, kind, does, hint in _fields(type_name)]
    return "\n".join((f"## {type_name}", "", "| field | type | `argosy run` | note |", "|---|---|---|---|", *lines, ""))


def _fields(type_name: str) -> Iterator[tuple[str, str, str, str]]:
    """Each field: its name, its type where it matters, what becomes of it, and a note."""
    known = schema.TYPES[type_name]
    for field, kind in sorted(known.runs.items()):
        most = f"at most {known.at_most[field]}" if field in known.at_most else ""
        needed = "required" if field in known.required else ""
        yield field, kind, RUNS, "; ".join(note for note in (needed, most) if note)
    for field in sorted(known.ignored):
        kind = known.ignored_type(field)
        yield field, "" if kind == schema.FREE else kind, NO_OP, ""
    for field, advice in sorted(known.refused.items()):
        yield field, "", REFUSED, advice


if __name__ == "__main__":
    sys.stdout.write(page())
