"""The locks a manifest asks for. Taking them is the runner's business."""

from collections.abc import Iterator, Mapping
from typing import Any

from argosy.engine.machine import substitution
from argosy.engine.machine.calls import CallError, config_map_value

ConfigMaps = Mapping[str, Mapping[str, str]]


def locks_of(
    wish: Mapping[str, Any] | None, variables: Mapping[str, object], config_maps: ConfigMaps
) -> dict[str, int]:
    """The locks of a ``synchronization`` field, each with how many may hold it at once.

    In the order of their names, so that two runs never wait for each other. Raises CallError where a semaphore's size is not to be had.
    """
    wish = wish or {}
    found = dict(_mutexes(wish, variables)) | dict(_semaphores(wish, variables, config_maps))
    return dict(sorted(found.items()))


def _mutexes(wish: Mapping[str, Any], variables: Mapping[str, object]) -> Iterator[tuple[str, int]]:
    for mutex in wish.get("mutexes") or []:
        name = substitution.replace(mutex["name"], variables)
        kind = "Database" if mutex.get("database") else "Mutex"  # two mutexes of one name, to the controller
        yield f"{mutex.get('namespace') or variables['workflow.namespace']}/{kind}/{name}", 1


def _semaphores(
    wish: Mapping[str, Any], variables: Mapping[str, object], config_maps: ConfigMaps
) -> Iterator[tuple[str, int]]:
    for semaphore in wish.get("semaphores") or []:
        reference = substitution.replace(semaphore["configMapKeyRef"], variables)
        name = f"{semaphore.get('namespace') or variables['workflow.namespace']}/ConfigMap/{reference['name']}/{reference['key']}"
        size = config_map_value(reference, config_maps, None, "synchronization.semaphores")
        if not size.isdecimal() or int(size) < 1:
            raise CallError(f"synchronization.semaphores: {name} is {size!r}; its size is a whole number from 1 on")
        yield name, int(size)
