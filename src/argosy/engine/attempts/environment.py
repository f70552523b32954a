"""The environment variables of a step's process: what the manifest gives it and, beside that, almost nothing of this machine's.

``PATH`` (this Python's programs first), ``LANG``, ``TZ``, ``HOME`` (a folder of the attempt) and, where it is set here, ``PYTHONHASHSEED``;
and the way out of this machine's network: proxies and certificates. These may hold a password: they are in no journal and no cache key.
"""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from argosy import network
from argosy.engine.attempts import fields
from argosy.engine.manifest.pod_model import Container, EnvFromSource, EnvVar, FieldRef, KeySelector, LocalRef

Values = Mapping[str, Mapping[str, str]]

INDEXES = ("PIP_", "UV_DEFAULT_INDEX", "UV_INDEX", "NPM_CONFIG_REGISTRY")
"""The beginnings of the variables that say where packages come from."""


class EnvironmentFailure(Exception):
    """The manifest asks for a value that this machine does not have."""


@dataclass(frozen=True)
class Sources:
    """The sources of values. *secrets* reach processes only: they are never journaled, printed, or part of a cache key."""

    config_maps: Values = field(default_factory=dict)
    secrets: Values = field(default_factory=dict)


@dataclass(frozen=True)
class Environment:
    """A container's variables. *open*: those that do not come from a secret."""

    variables: dict[str, str]
    open: dict[str, str]


def of_container(container: Container, sources: Sources, facts: Mapping[str, str]) -> Environment:
    """The variables that the manifest gives *container*. *facts*: the downward fields (``metadata.name``) that are known here.

    Raises EnvironmentFailure where a reference that is not optional leads nowhere.
    """
    variables: dict[str, str] = {}
    hidden: set[str] = set()
    for source in container.env_from:
        found = _all_of(source, sources)
        variables |= found
        hidden = hidden | set(found) if source.secret else hidden - set(found)
    for entry in container.env:
        if (value := _value_of(entry, sources, facts, variables)) is None:
            continue
        variables[entry.name] = value
        (hidden.add if entry.value_from and entry.value_from.secret else hidden.discard)(entry.name)
    return Environment(variables, {name: value for name, value in variables.items() if name not in hidden})


def of_machine() -> dict[str, str]:
    """The variables that every step has of this machine, beside the ``HOME`` of its own."""
    programs = str(Path(sys.executable).parent)
    variables = {
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH') or os.defpath}",
        "LANG": os.environ.get("LANG") or "C.UTF-8",
    }
    return variables | {name: os.environ[name] for name in ("TZ", "PYTHONHASHSEED") if name in os.environ} | _network()


def certificates() -> list[Path]:
    """The files and folders that variables of :func:`of_machine` name: without them the variables break every connection."""
    named = (os.environ[name] for name in network.CERTIFICATES if os.environ.get(name))
    return [Path(path).absolute() for names in named for path in names.split(os.pathsep)]


def _network() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name in network.PROXIES or name in network.CERTIFICATES or name.startswith(INDEXES)
    }


def expand(value: str, variables: Mapping[str, str]) -> str:
    """Kubernetes' ``$(NAME)`` replaced; ``$$(NAME)`` is the escaped form, an unknown name stays as it is."""

    def replaced(match: re.Match[str]) -> str:
        if match[0].startswith("$$"):
            return match[0][1:]
        return variables.get(match[1], match[0])

    return _REFERENCE.sub(replaced, value)


_REFERENCE = re.compile(r"\$?\$\(([^()]*)\)")


def _all_of(source: EnvFromSource, sources: Sources) -> dict[str, str]:
    reference = source.secret or source.config_map or LocalRef({})
    values = (sources.secrets if source.secret else sources.config_maps).get(reference.name)
    if values is None and not reference.optional:
        kind = "Secret" if source.secret else "ConfigMap"
        raise EnvironmentFailure(f"{kind} {reference.name!r} is not known on this machine")
    return {source.prefix + name: value for name, value in (values or {}).items()}


def field_of(reference: FieldRef, facts: Mapping[str, str]) -> str:
    """The value of a ``fieldRef``. Raises EnvironmentFailure."""
    value = fields.value_of(reference.path, facts)
    if value is None:
        raise EnvironmentFailure(f"the field {reference.path!r} of a pod has no meaning on this machine")
    return value


def _value_of(entry: EnvVar, sources: Sources, facts: Mapping[str, str], variables: Mapping[str, str]) -> str | None:
    source = entry.value_from
    if source is None:
        return expand(entry.value, variables)
    if source.field:
        return field_of(source.field, facts)
    reference = source.secret or source.config_map or KeySelector({})
    known = sources.secrets if source.secret else sources.config_maps
    value = known.get(reference.name, {}).get(reference.key)
    if value is None and not reference.optional:
        kind = "Secret" if source.secret else "ConfigMap"
        raise EnvironmentFailure(f"{kind} {reference.name!r} has no key {reference.key!r} on this machine")
    return value
