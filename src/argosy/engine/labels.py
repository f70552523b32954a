"""The labels that a workflow gives itself: ``workflowMetadata.labels``, and what the expressions of ``labelsFrom`` give."""

import re
from collections.abc import Mapping

from argosy import errors
from argosy.engine.expressions import expr
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.nodes import Json

LONGEST = 63
_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
_PLACE = "spec.workflowMetadata"


def settled(metadata: Json, known: Mapping[str, object]) -> Json:
    """``workflowMetadata`` with values for all its labels. *known*: the variables of the workflow. Raises Misconfigured."""
    own, expressions = metadata.get("labels") or {}, metadata.get("labelsFrom") or {}
    for name, value in own.items():
        _check(value, f"{_PLACE}.labels[{name}]")
    if not expressions:
        return metadata
    # What an expression gives takes the place of a plain label, which no expression sees.
    replaced = {f"workflow.labels.{name}" for name in expressions}
    seen = {name: value for name, value in known.items() if name not in replaced}
    evaluated = {
        name: _value(source["expression"], seen, f"{_PLACE}.labelsFrom[{name}]") for name, source in expressions.items()
    }
    return {**{key: value for key, value in metadata.items() if key != "labelsFrom"}, "labels": {**own, **evaluated}}


def _value(expression: str, known: Mapping[str, object], where: str) -> str:
    try:
        value = expr.evaluate(expression, known)
    except ExpressionError as error:
        raise errors.Misconfigured(f"{where}: {error}") from None
    if not isinstance(value, str):
        raise errors.Misconfigured(
            f"{where}: {expression!r} is {value!r}, and a label must be a text; wrap it in string(…)"
        )
    _check(value, where)
    return value


def _check(value: str, where: str) -> None:
    if len(value) > LONGEST or not _VALUE.fullmatch(value):
        raise errors.Misconfigured(
            f"{where}: {value!r} is no value of a label; use at most {LONGEST} letters, digits, '-', '_' and '.', "
            "with a letter or digit first and last"
        )
