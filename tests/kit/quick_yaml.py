"""YAML as `yaml.safe_load` reads it, by libyaml where PyYAML has it: a rendered chart or a compiled pipeline takes Python a second."""

from collections.abc import Iterator
from typing import Any

import yaml

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(text: str | bytes) -> Any:
    """The one document in *text*."""
    return yaml.load(text, Loader=LOADER)  # noqa: S506 - it is a safe one


def load_all(text: str | bytes) -> Iterator[Any]:
    """The documents in *text*."""
    return iter(yaml.load_all(text, Loader=LOADER))
