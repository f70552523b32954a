"""The locks a manifest asks for. Taking them is the runner's business."""

from collections.abc import Iterator, Mapping

from argosy.engine.machine import substitution
from argosy.engine.machine.calls import CallError, config_map_value
from argosy.engine.manifest.model import Synchronization
from argosy.engine.manifest.pod_model import KeySelector

ConfigMaps = Mapping[str, Mapping[str, str]]


def locks_of(wish: Synchronization, variables: Mapping[str, object], config_maps: ConfigMaps) -> dict[str, int]:
    """The locks of a ``synchronization`` field, each with how many may hold it at once.

    In the order of their names, so that two runs never wait for each other. Raises CallError where a semaphore's size is not to be had.
    """
    found = dict(_mutexes(wish, variables)) | dict(_semaphores(wish, variables, config_maps))
    return dict(sorted(found.items()))


def _mutexes(wish: Synchronization, variables: Mapping[str, object]) -> Iterator[tuple[str, int]]:
    for mutex in wish.mutexes:
        name = substitution.replace(mutex.name, variables)
        kind = "Database" if mutex.database else "Mutex"  # two mutexes of one name, to the controller
        yield f"{mutex.namespace or variables['workflow.namespace']}/{kind}/{name}", 1


def _semaphores(
    wish: Synchronization, variables: Mapping[str, object], config_maps: ConfigMaps
) -> Iterator[tuple[str, int]]:
    for semaphore in wish.semaphores:
        reference = KeySelector(substitution.replace(semaphore.size.written, variables))
        name = f"{semaphore.namespace or variables['workflow.namespace']}/ConfigMap/{reference.name}/{reference.key}"
        size = config_map_value(reference, config_maps, None, "synchronization.semaphores")
        if not size.isdecimal() or int(size) < 1:
            raise CallError(f"synchronization.semaphores: {name} is {size!r}; its size is a whole number from 1 on")
        yield name, int(size)
