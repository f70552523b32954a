"""Writes what follows from a chart's ``values.schema.yaml``: its JSON Schema, its default values and its reference page.

    python charts/reference.py            write them, for every chart that has a values.schema.yaml
    python charts/reference.py --check    say which are not current, and end with 1

One source, so that no default, type or description stands twice and differs. Uses nothing but PyYAML, so that a chart can be changed
without installing Argosy.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

CHARTS = Path(__file__).parent
WIDTH = 140
UNLISTED = "A value that is not listed is refused, and so is `null` for one that has a default: leave it out to have the default."

Schema = Mapping[str, Any]


def files_of(chart: Path) -> dict[Path, str]:
    """What follows from the schema of *chart*: path to text."""
    schema = yaml.safe_load((chart / "values.schema.yaml").read_text(encoding="utf-8"))
    return {
        chart / "values.schema.json": json.dumps(complete(schema), indent=2, ensure_ascii=False) + "\n",
        chart / "values.yaml": _values(schema),
        chart.parents[1] / "docs" / f"chart-{chart.name}.md": _page(chart.name, schema),
    }


def defaults(schema: Schema) -> dict[str, Any]:
    """The default values that *schema* states, nested as values are."""
    found: dict[str, Any] = {}
    for name, inner in schema.get("properties", {}).items():
        if "properties" in inner:
            if nested := defaults(inner):
                found[name] = nested
        elif "default" in inner:
            found[name] = inner["default"]
    return found


def complete(schema: Schema) -> dict[str, Any]:
    """*schema* with every value that has a default required, at each level.

    Helm takes a value away where somebody sets it to ``null``, its default too, and checks what is left: a template would read nothing
    where it expects, say, the steps of a canary.
    """
    inner = {name: complete(each) for name, each in schema.get("properties", {}).items()}
    if not inner:
        return dict(schema)
    required = [*schema.get("required", []), *(name for name in inner if name in defaults(schema))]
    return {**schema, "required": required, "properties": inner}


def _values(schema: Schema) -> str:
    head = "# The defaults, written by charts/reference.py from values.schema.yaml, where each is described.\n"
    return head + yaml.safe_dump(defaults(schema), sort_keys=False, allow_unicode=True, width=WIDTH)


def _page(name: str, schema: Schema) -> str:
    head = (CHARTS / name / "reference.md").read_text(encoding="utf-8")
    lines = [head.rstrip(), "", "## Values", "", "| value | type | default | |", "|---|---|---|---|"]
    lines += [f"| `{path}` | {_type(inner)} | {_default(inner)} | {_text(inner)} |" for path, inner in _rows(schema)]
    required = ", ".join(f"`{path}`" for path in schema.get("required", []))
    lines += ["", *([f"Required: {required}."] if required else []), UNLISTED, ""]
    return "\n".join(lines)


def _rows(schema: Schema, prefix: str = "") -> Iterator[tuple[str, Schema]]:
    for name, inner in schema.get("properties", {}).items():
        if name == "global":
            continue
        yield f"{prefix}{name}", inner
        yield from _rows(inner, f"{prefix}{name}.")


def _type(schema: Schema) -> str:
    if "enum" in schema:
        return " \\| ".join(f"`{word}`" for word in schema["enum"])
    kind = " or ".join(schema["type"]) if isinstance(schema["type"], list) else str(schema["type"])
    if kind == "array":
        return f"list of {schema['items']['type']}s"
    low, high = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
    if low is None and high is None:
        return kind
    above = ">" if "exclusiveMinimum" in schema else "≥"
    return f"{kind} {above} {low}" + ("" if high is None else f", ≤ {high}")


def _default(schema: Schema) -> str:
    if "default" not in schema:
        return ""
    text = json.dumps(schema["default"], ensure_ascii=False)
    return f"`{text}`"


def _text(schema: Schema) -> str:
    return " ".join(str(schema.get("description", "")).split()).replace("|", "\\|")


def main(arguments: list[str]) -> int:
    """Write, or with ``--check`` compare."""
    wanted = {path: text for chart in _charts() for path, text in files_of(chart).items()}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in stale:
        sys.stdout.write(f"{path}\n")
        if "--check" not in arguments:
            path.write_text(wanted[path], encoding="utf-8")
    return int(bool(stale) and "--check" in arguments)


def _charts() -> list[Path]:
    return sorted(path.parent for path in CHARTS.glob("*/values.schema.yaml"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
