"""From flat names (``tasks.a.outputs.result``) to the nested maps that expressions look into."""

from collections.abc import Mapping
from typing import Any


def nested(flat: Mapping[str, object]) -> dict[str, object]:
    """*flat* with each dotted name as a map of maps. Where a name is another's beginning, the longer one stays."""
    root: dict[str, Any] = {}
    names = sorted(flat)
    for position, name in enumerate(names):
        if position + 1 < len(names) and names[position + 1].startswith(f"{name}."):
            continue
        _put(root, name.split("."), flat[name])
    return root


def _put(root: dict[str, Any], path: list[str], value: object) -> None:
    place = root
    for part in path[:-1]:
        following = place.get(part)
        if not isinstance(following, dict):
            following = place[part] = {}
        place = following
    place[path[-1]] = value


def has(flat: Mapping[str, object], path: str) -> bool:
    """True where *path* leads somewhere in *flat*, whose values may be maps."""
    if path in flat:
        return True
    parts = path.split(".")
    place: object = nested(flat)
    for part in parts:
        if not isinstance(place, Mapping) or part not in place:
            return False
        place = place[part]
    return True
