"""Patches of pods: a run takes those that touch only what changes nothing on one machine."""

import re
from collections.abc import Mapping

import yaml

from argosy.engine.manifest import schema

_VARIABLE = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def is_late(text: str) -> bool:
    """True where the patch *text* is nothing but variables: what it patches is known only when its step runs."""
    return "{{" in text and not _VARIABLE.sub("", text).strip()


def lack_of(text: str) -> str | None:
    """The reason why no run takes the patch *text*, YAML or JSON; None where it is one. A variable in it stands for a value."""
    try:
        patch = yaml.safe_load(_VARIABLE.sub("0", text))
    except yaml.YAMLError as error:
        return f"is neither YAML nor JSON: {error}"
    lack = _lack_of(patch, schema.PATCHED_POD)
    for kind in schema.PATCHED_POD.runs if lack is None else ():
        found = patch.get(kind) or []
        for container in found if isinstance(found, list) else [found]:
            lack = lack or _lack_of(container, schema.PATCHED_CONTAINER)
    return lack


def _lack_of(patch: object, known: schema.Type) -> str | None:
    if not isinstance(patch, Mapping):
        return f"expected an object in the patch, found {patch!r}"
    for name in patch:
        if name not in known.runs and name not in known.ignored:
            return f"patches {name!r}, which is not supported by argosy run; say it in the template's own fields"
    return None
