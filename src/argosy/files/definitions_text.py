"""Reads ``features.py`` as text: the features that are written out, their lines and their views' sources.

Nothing is run and Feast is not loaded, which takes seconds; what a file calculates is left out.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from argosy import errors
from argosy.domain.definitions_outline import Definitions, FeatureLine, SourceLine


def read(path: Path) -> Definitions:
    """The outline of the definitions in *path*, from their syntax tree. Raises Misconfigured, with the line, where it is no Python."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise errors.Misconfigured(f"{path} cannot be read: {error}") from error
    except SyntaxError as error:
        raise errors.Misconfigured(f"{path}:{error.lineno}: this is not Python: {error.msg}") from None
    named = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    served = [_resolved(_argument(call, "features", 1), named) for call in _calls(tree, "FeatureService")]
    services = {_text(_argument(call, "name", 0)): call.lineno for call in _calls(tree, "FeatureService")}
    return Definitions(
        features=[feature for views in served for view in _whole(views, named) for feature in _features(view, named)],
        sources=[line for call in _calls(tree, "FileSource") if (line := _times(call, named)) is not None],
        services={} if None in services else {str(name): line for name, line in services.items()},
    )


def _whole(views: ast.expr | None, named: dict[str, ast.expr]) -> Iterator[ast.Call]:
    """The views that a service takes with all of their features."""
    for each in views.elts if isinstance(views, ast.List | ast.Tuple) else []:
        view = _resolved(each, named)
        if isinstance(view, ast.Call) and _name_of(view.func) == "FeatureView":
            yield view


def _features(view: ast.Call, named: dict[str, ast.expr]) -> Iterator[FeatureLine]:
    source = _source(_resolved(_argument(view, "source"), named), named)
    schema = _resolved(_argument(view, "schema"), named)
    for element in schema.elts if isinstance(schema, ast.List | ast.Tuple) else []:
        field = _resolved(element, named)
        if isinstance(field, ast.Call) and (name := _text(_argument(field, "name"))) is not None:
            kind = _argument(field, "dtype")
            yield FeatureLine(name, field.lineno, _name_of(kind) if kind else None, source)


def _times(source: ast.Call, named: dict[str, ast.expr]) -> SourceLine | None:
    name = _source(source, named)
    if name is None:
        return None
    at = {keyword.arg: keyword.value for keyword in source.keywords}
    timestamp, created = (
        _text(_resolved(at.get(each), named)) for each in ("timestamp_field", "created_timestamp_column")
    )
    return SourceLine(name, at["timestamp_field"].lineno if timestamp else source.lineno, timestamp, created)


def _source(value: ast.expr | None, named: dict[str, ast.expr]) -> str | None:
    if not isinstance(value, ast.Call):
        return None
    path = _text(_resolved(_argument(value, "path"), named))
    return path.removesuffix(".parquet") if path else None


def _calls(tree: ast.Module, function: str) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _name_of(node.func) == function]


def _name_of(value: ast.expr) -> str | None:
    if isinstance(value, ast.Attribute):
        return value.attr
    return value.id if isinstance(value, ast.Name) else None


def _argument(call: ast.Call, name: str, position: int | None = None) -> ast.expr | None:
    found = next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
    if found is None and position is not None and len(call.args) > position:
        return call.args[position]
    return found


def _resolved(value: ast.expr | None, named: dict[str, ast.expr]) -> ast.expr | None:
    return named.get(value.id) if isinstance(value, ast.Name) else value


def _text(value: ast.expr | None) -> str | None:
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None
