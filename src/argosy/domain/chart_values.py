"""Merges values over a chart's defaults as Helm does: what Helm would refuse at a sync is found in the file that a repository holds."""

from collections.abc import Mapping
from typing import Any


def coalesced(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """*given* over *defaults*. ``null`` takes a value away that has a default, as Helm does it; without a default it stays ``null``."""
    merged = {name: value for name, value in defaults.items() if given.get(name, value) is not None}
    for name, value in given.items():
        if isinstance(value, Mapping) and isinstance(defaults.get(name), Mapping):
            merged[name] = coalesced(defaults[name], value)
        elif value is not None or name not in defaults:
            merged[name] = value
    return merged
