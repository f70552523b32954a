"""References of a task or step to those before it: values put in place, artifacts looked up, ``when`` decided.

Shared by DAGs and steps, which differ only in what is in scope.
"""

import json
from collections.abc import Mapping

from argosy.engine.expressions import expr, govaluate, values
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.machine import calls, substitution
from argosy.engine.manifest.artifact_model import Artifact
from argosy.engine.manifest.model import Arguments, Parameter, Task
from argosy.engine.nodes import Json, Outputs

_HOOKS = ("hooks", "onExit")
_REFERRING = ("{{", '"from', "xpression")


def refers(task: Task) -> bool:
    """True where *task* can refer to anything at all. What is in scope for a task of a long DAG is much to put together for nothing."""
    written = json.dumps(task.written)
    return any(word in written for word in _REFERRING)


def resolved(task: Task, scope: Mapping[str, object]) -> Task:
    """*task* with its references replaced; only those of its ``when`` where that says already that it does not run.

    Raises ExpressionError or CallError.
    """
    hooks = {key: task.written[key] for key in _HOOKS if key in task.written}
    body = {key: value for key, value in task.written.items() if key not in _HOOKS}
    if task.when:
        body["when"] = substitution.replace_strictly(task.when, scope)
        if not _runs(Task(body)):
            return Task({**body, **hooks})
    body["arguments"] = _with_absent_marked(task.arguments, scope)
    replaced = substitution.replace_strictly(body, scope)
    replaced["arguments"] = _with_artifacts(Arguments(replaced["arguments"]), scope)
    return Task({**replaced, **hooks})


def arguments(given: Arguments, scope: Mapping[str, object]) -> Arguments:
    """*given* with its references replaced. Raises ExpressionError."""
    return Arguments(
        _with_artifacts(Arguments(substitution.replace_strictly(_with_absent_marked(given, scope), scope)), scope)
    )


def _runs(task: Task) -> bool:
    try:
        return govaluate.holds(task.when)
    except ExpressionError:
        # The condition may speak of the item, which is not known yet.
        if task.is_loop:
            return True
        raise


def _with_absent_marked(given: Arguments, scope: Mapping[str, object]) -> Json:
    """*given*, those that are nothing but a reference to an absent output marked, so that an input's default applies."""
    if not given.parameters:
        return dict(given.written)
    marked = [
        {**entry.written, "value": calls.ABSENT} if _is_absent(entry.value, scope) else entry.written
        for entry in given.parameters
    ]
    return {**given.written, "parameters": marked}


def _is_absent(value: object, scope: Mapping[str, object]) -> bool:
    if not isinstance(value, str) or not value.startswith("{{") or not value.endswith("}}"):
        return False
    name = value[2:-2].strip()
    return name in scope and scope[name] is None


def _with_artifacts(given: Arguments, scope: Mapping[str, object]) -> Json:
    return {**given.written, "artifacts": artifacts(given, scope)} if given.artifacts else given.written


def artifacts(given: Arguments, scope: Mapping[str, object]) -> list[Json]:
    """Those of *given*, each as the artifact that it refers to. Raises ExpressionError where one is needed and not there."""
    found = []
    for artifact in given.artifacts:
        if not artifact.refers:
            found.append(artifact.written)
        elif source := artifact_of(artifact, scope):
            found.append({**source, "name": artifact.name})
    return found


def artifact_of(artifact: Artifact, scope: Mapping[str, object]) -> Json | None:
    """The artifact that *artifact* takes its content from; None where it is optional and there is none.

    Raises ExpressionError where it is needed and not there.
    """
    try:
        source = _source(artifact, scope)
    except ExpressionError:
        if artifact.optional:
            return None
        raise
    if artifact.sub_path:
        return {**source, "subPath": _joined(source.get("subPath"), substitution.replace(artifact.sub_path, scope))}
    return source


def _joined(outer: str | None, inner: str) -> str:
    return f"{outer}/{inner}" if outer else inner


def _source(artifact: Artifact, scope: Mapping[str, object]) -> Json:
    where = artifact.source_expression or artifact.source
    found = expr.evaluate(where, scope) if artifact.source_expression else variable(where, scope)
    if not isinstance(found, dict):
        raise ExpressionError(f"{where} is not an artifact")
    return found


def variable(tag: str, scope: Mapping[str, object]) -> object:
    """The value of ``{{name}}`` or ``{{=expression}}``, of whatever type. Raises ExpressionError where it is unknown."""
    name = tag.strip().removeprefix("{{").removesuffix("}}").strip()
    if name.startswith("="):
        value = expr.evaluate(name[1:], scope)
        if value is None:
            raise ExpressionError(f'Unable to resolve: "{name}"')
        return value
    if name not in scope:
        raise ExpressionError(f'Unable to resolve: "{name}"')
    return scope[name]


def declared_outputs(declared: Arguments, scope: Mapping[str, object]) -> Outputs | None:
    """The outputs that a DAG or Steps template takes from its tasks; None where it declares none. Raises ExpressionError."""
    if not declared.parameters and not declared.artifacts:
        return None
    outputs = Outputs({entry.name: _output_value(entry, scope) for entry in declared.parameters})
    for artifact in declared.artifacts:
        if artifact.refers and (source := artifact_of(artifact, scope)):
            outputs.artifacts[artifact.name] = {**source, "name": artifact.name}
    return outputs


def _output_value(parameter: Parameter, scope: Mapping[str, object]) -> str:
    source = parameter.value_from
    try:
        value = expr.evaluate(source.expression, scope) if source.expression else variable(source.parameter, scope)
    except ExpressionError:
        if source.default is None:
            raise
        value = None
    if value is None and source.default is None:
        raise ExpressionError(
            f"output parameter {parameter.name!r}: {source.expression or source.parameter!r} was never produced "
            "(its task was skipped and it has no default)"
        )
    return str(source.default) if value is None else values.written(value)


def truth(expression: str, scope: Mapping[str, object]) -> bool:
    """The value of a condition in expr's language. Raises ExpressionError where it is not true or false."""
    value = expr.evaluate(expression, scope)
    if not isinstance(value, bool):
        raise ExpressionError(f"{expression!r} is {values.written(value)}, not true or false")
    return value
