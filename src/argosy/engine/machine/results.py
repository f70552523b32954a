"""References to a task's standard output. The controller keeps ``outputs.result`` only then."""

import json
import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"""(tasks|steps)(?:\.([-\w]+)|\[['"\\]+([-\w]+)['"\\]+\])\.outputs\.result""")


def is_referred_to(template: Mapping[str, object], kind: str, name: str) -> bool:
    """True where the DAG or Steps *template* refers to the result of its own task or step *name*."""
    return (kind, name) in referred_to(template)


def referred_to(template: Mapping[str, object]) -> frozenset[tuple[str, str]]:
    """All tasks or steps of *template* whose result it refers to."""
    key = id(template)
    if key not in _cache or _cache[key][0] is not template:
        _cache.clear()
        text = json.dumps(template)
        _cache[key] = (template, frozenset((match[1], match[2] or match[3]) for match in _REFERENCE.finditer(text)))
    return _cache[key][1]


# The last template asked about: its tasks ask one after the other.
_cache: dict[int, tuple[Mapping[str, object], frozenset[tuple[str, str]]]] = {}
