"""What a task or step takes from those before it: values put in place, artifacts looked up, ``when`` decided.

Shared by DAGs and steps, which differ only in what is in scope.
"""

import json
from collections.abc import Mapping
from typing import Any

from argosy.engine.expressions import expr, govaluate, values
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.machine import calls, loops, substitution
from argosy.engine.nodes import Json, Outputs

_HOOKS = ("hooks", "onExit")
_REFERRING = ("{{", '"from', "xpression")


def refers(task: Json) -> bool:
    """Whether *task* can refer to anything at all. What is in scope for a task of a long DAG is much to put together for nothing."""
    written = json.dumps(task)
    return any(word in written for word in _REFERRING)


def resolved(task: Json, scope: Mapping[str, object]) -> Json:
    """*task* with its references replaced; only those of its ``when`` where that says already that it does not run.

    Raises ExpressionError or CallError.
    """
    hooks = {key: task[key] for key in _HOOKS if key in task}
    body = {key: value for key, value in task.items() if key not in _HOOKS}
    if body.get("when"):
        body["when"] = substitution.replace_strictly(body["when"], scope)
        if not _runs(body):
            return {**body, **hooks}
    body["arguments"] = _with_absent_marked(body.get("arguments") or {}, scope)
    replaced: Json = substitution.replace_strictly(body, scope)
    arguments = replaced["arguments"]
    if arguments.get("artifacts"):
        arguments["artifacts"] = artifacts(arguments["artifacts"], scope)
    return {**replaced, **hooks}


def _runs(task: Json) -> bool:
    try:
        holds: bool = govaluate.holds(task["when"])
    except ExpressionError:
        # The condition may speak of the item, which is not known yet.
        if loops.is_loop(task):
            return True
        raise
    return holds


def _with_absent_marked(arguments: Json, scope: Mapping[str, object]) -> Json:
    """*arguments*, those that are nothing but a reference to an absent output marked, so that an input's default applies."""
    parameters = arguments.get("parameters")
    if not parameters:
        return dict(arguments)
    marked = [
        {**entry, "value": calls.ABSENT} if _is_absent(entry.get("value"), scope) else entry for entry in parameters
    ]
    return {**arguments, "parameters": marked}


def _is_absent(value: object, scope: Mapping[str, object]) -> bool:
    if not isinstance(value, str) or not value.startswith("{{") or not value.endswith("}}"):
        return False
    name = value[2:-2].strip()
    return name in scope and scope[name] is None


def artifacts(given: list[Json], scope: Mapping[str, object]) -> list[Json]:
    """*given*, each as the artifact that it refers to. Raises ExpressionError where one is needed and not there."""
    found = []
    for artifact in given:
        if not artifact.get("from") and not artifact.get("fromExpression"):
            found.append(artifact)
            continue
        source = artifact_of(artifact, scope)
        if source is not None:
            found.append({**source, "name": artifact["name"]})
    return found


def artifact_of(artifact: Mapping[str, Any], scope: Mapping[str, object]) -> Json | None:
    """The artifact that *artifact* takes its content from; None where it is optional and there is none.

    Raises ExpressionError where it is needed and not there.
    """
    try:
        source = _source(artifact, scope)
    except ExpressionError:
        if artifact.get("optional"):
            return None
        raise
    if sub_path := artifact.get("subPath"):
        return {**source, "subPath": _joined(source.get("subPath"), substitution.replace(sub_path, scope))}
    return source


def _joined(outer: str | None, inner: str) -> str:
    return f"{outer}/{inner}" if outer else inner


def _source(artifact: Mapping[str, Any], scope: Mapping[str, object]) -> Json:
    if artifact.get("fromExpression"):
        found = expr.evaluate(artifact["fromExpression"], scope)
        where = artifact["fromExpression"]
    else:
        where = artifact["from"]
        found = variable(where, scope)
    if not isinstance(found, dict):
        raise ExpressionError(f"{where} is not an artifact")
    return found


def variable(tag: str, scope: Mapping[str, object]) -> object:
    """What ``{{name}}`` or ``{{=expression}}`` stands for, of whatever type. Raises ExpressionError where it is unknown."""
    name = tag.strip().removeprefix("{{").removesuffix("}}").strip()
    if name.startswith("="):
        value = expr.evaluate(name[1:], scope)
        if value is None:
            raise ExpressionError(f'Unable to resolve: "{name}"')
        return value
    if name not in scope:
        raise ExpressionError(f'Unable to resolve: "{name}"')
    return scope[name]


def declared_outputs(declared: Mapping[str, Any], scope: Mapping[str, object]) -> Outputs | None:
    """The outputs that a DAG or Steps template takes from its tasks; None where it declares none. Raises ExpressionError."""
    if not declared.get("parameters") and not declared.get("artifacts"):
        return None
    outputs = Outputs()
    for parameter in declared.get("parameters") or []:
        outputs.parameters[parameter["name"]] = _output_value(parameter, scope)
    for artifact in declared.get("artifacts") or []:
        if not artifact.get("from") and not artifact.get("fromExpression"):
            continue
        source = artifact_of(artifact, scope)
        if source is not None:
            outputs.artifacts[artifact["name"]] = {**source, "name": artifact["name"]}
    return outputs


def _output_value(parameter: Mapping[str, Any], scope: Mapping[str, object]) -> str:
    source = parameter.get("valueFrom") or {}
    default = source.get("default")
    try:
        value = _value_of(source, scope)
    except ExpressionError:
        if default is None:
            raise
        value = None
    if value is None and default is None:
        raise ExpressionError(
            f"output parameter {parameter['name']!r}: {source.get('expression') or source.get('parameter')!r} was never produced "
            "(its task was skipped and it has no default)"
        )
    return str(default) if value is None else values.written(value)


def _value_of(source: Mapping[str, Any], scope: Mapping[str, object]) -> object:
    if source.get("expression"):
        return expr.evaluate(source["expression"], scope)
    return variable(source.get("parameter") or "", scope)


def truth(expression: str, scope: Mapping[str, object]) -> bool:
    """The value of a condition in expr's language. Raises ExpressionError where it is not true or false."""
    value = expr.evaluate(expression, scope)
    if not isinstance(value, bool):
        raise ExpressionError(f"{expression!r} is {values.written(value)}, not true or false")
    return value
