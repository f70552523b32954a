"""The locks a manifest asks for. Taking them is the runner's business."""

from collections.abc import Mapping
from typing import Any

from argosy.engine.machine import substitution


def locks_of(wish: Mapping[str, Any] | None, variables: Mapping[str, object]) -> tuple[str, ...]:
    """The names of the mutexes of a ``synchronization`` field, sorted, so that two runs never wait for each other."""
    mutexes = (wish or {}).get("mutexes") or []
    names = {
        f"{mutex.get('namespace') or variables['workflow.namespace']}/Mutex/{substitution.replace(mutex['name'], variables)}"
        for mutex in mutexes
    }
    return tuple(sorted(names))
