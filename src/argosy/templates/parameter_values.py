"""Values of a workflow's parameters, checked against injection: data, never code.

Our own manifests hand values over in the environment, where shell code does nothing. But a controller evaluates expressions inside
values, other people's templates paste them into scripts, and no parameter of a pipeline needs either.
"""

import re
from collections.abc import Iterator

LONGEST = 64 * 1024
"""Bytes of one value. The environment of a process has its limits, and so has an object of the API server."""
SHELL = re.compile(r"[;|&`\n\r\0]|\$\(|\$\{|<\(|>\(")


def problems(name: str, value: str) -> Iterator[str]:
    """Problems of *value* as the parameter *name* on a cluster, a sentence each. The value, which may be a secret, is not repeated."""
    yield from expressions(name, value)
    if found := SHELL.search(value):
        yield f"parameter {name}: it holds shell code ({found[0]!r}); a parameter is a value, put code into a step"
    if len(value.encode()) > LONGEST:
        yield f"parameter {name}: it is longer than {LONGEST:,} bytes; put it into a file or a bucket, and name that"


def expressions(name: str, value: str) -> Iterator[str]:
    """The one problem that *value* has wherever a workflow runs: an expression in it would be evaluated on its way to a step."""
    if "{{" in value:
        yield f"parameter {name}: it holds an expression ({{{{…}}}}), which the controller would evaluate; give the value itself"
