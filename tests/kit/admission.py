"""Evaluates ValidatingAdmissionPolicies as an API server does, by Google's own CEL runtime.

The functions of ``authorizer``, which only an API server has, are stood in for.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from cel_expr_python import cel
from cel_expr_python.ext import ext_optional, ext_strings

Object = Mapping[str, Any]


def _answer(name: str, *parameters: cel.Type) -> cel.FunctionDecl:
    """A member function of ``authorizer``, which is true where whoever asks may do everything: what is asked for changes nothing."""
    overload = cel.Overload(
        f"{name}_here",
        return_type=cel.Type.BOOL,
        parameters=[cel.Type.BOOL, *parameters],
        is_member=True,
        impl=lambda may, *_: may,
    )
    return cel.FunctionDecl(name, [overload])


_ENVIRONMENT = cel.NewEnv(
    variables={
        **dict.fromkeys(("object", "oldObject", "request", "variables"), cel.Type.DYN),
        "authorizer": cel.Type.BOOL,
    },
    extensions=[ext_optional.ExtOptional(), ext_strings.ExtStrings()],
    functions=[
        *(_answer(name, cel.Type.STRING) for name in ("group", "resource", "namespace", "check")),
        _answer("allowed"),
    ],
)


def refusals(
    policy: Object,
    given: Object,
    *,
    before: Object | None = None,
    namespace: str = "argosy-staging",
    publisher: bool = False,
    user: str = "system:serviceaccount:argo:argo",
) -> list[str]:
    """The messages with which *policy* refuses *given*, which was *before*; empty where it lets it pass.

    *publisher*: whoever asks may install pipelines. *user*: who asks.
    """
    spec = policy["spec"]
    data: dict[str, Any] = {
        "object": given,
        "oldObject": before or {},
        "request": {
            "operation": "UPDATE" if before else "CREATE",
            "namespace": namespace,
            "userInfo": {"username": user},
        },
        "authorizer": publisher,
        "variables": {},
    }
    if not all(_value(one["expression"], data) for one in spec.get("matchConditions", [])):
        return []
    for variable in spec.get("variables", []):
        data["variables"][variable["name"]] = _value(variable["expression"], data)
    return list(_refused(spec["validations"], data))


def _refused(validations: list[Object], data: Mapping[str, Any]) -> Iterator[str]:
    for one in validations:
        if _value(one["expression"], data) is not True:
            yield _value(one["messageExpression"], data) if "messageExpression" in one else one["message"]


def _value(expression: str, data: Mapping[str, Any]) -> Any:
    """The value of *expression*. Raises AssertionError where it has none: an API server would refuse the object with the error's text."""
    found = _ENVIRONMENT.compile(expression).eval(data=data)
    assert found.type() != cel.Type.ERROR, f"{found.plain_value()} in {expression}"
    return found.plain_value()
