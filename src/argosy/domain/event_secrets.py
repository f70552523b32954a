"""The keys of Secrets that Argo Events' sources name: whether each is there and holds something.

A source that checks who sent an event does so with such a key. Argo Events takes a key that holds nothing, or a line's end alone, for none:
its sources of GitHub and of GitLab then take events that nobody signed, and its webhooks take none at all.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from argosy.domain.diagnosis import CheckResult, CheckState
from argosy.domain.prerequisites import SECRET_FIX, Held

NAME = "event sources"
NOT_KINDS = frozenset({"eventBusName", "filter", "replicas", "service", "template"})
"""Fields of an EventSource's spec that are no kind of source."""
SIGNATURE = frozenset({"webhookSecret", "secretToken"})
"""Fields whose key is what an event is signed with: without it everything passes."""
CONFIG_MAPS = "ConfigMapKeyRef"
FIX = f"{SECRET_FIX}, then delete the pods of that EventSource: it reads its keys when it starts"


@dataclass(frozen=True)
class NamedKey:
    """A key of a Secret that a source names."""

    source: str
    kind: str
    """Such as ``github``."""
    field: str
    secret: str
    key: str


def keys(sources: Sequence[Mapping[str, Any]]) -> Iterator[NamedKey]:
    """The keys that *sources* (EventSources) name, each once for each kind and field."""
    found = {
        NamedKey(source["metadata"]["name"], kind, *selector)
        for source in sources
        for kind, events in (source.get("spec") or {}).items()
        if kind not in NOT_KINDS
        for selector in _selectors(kind, events)
    }
    yield from sorted(found, key=lambda one: (one.source, one.kind, one.field, one.secret, one.key))


def _selectors(field: str, value: Any) -> Iterator[tuple[str, str, str]]:
    """The field, Secret and key of each selector in *value*, which stands under *field*."""
    if isinstance(value, Mapping):
        if {"name", "key"} <= value.keys() <= {"name", "key", "optional"} and not field.endswith(CONFIG_MAPS):
            yield field, str(value["name"]), str(value["key"])
        else:
            for name, inner in value.items():
                yield from _selectors(name, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _selectors(field, inner)


def results(sources: Sequence[Mapping[str, Any]] | None, held: Held) -> list[CheckResult]:
    """Check the keys that *sources* name; None: they may not be listed. Empty where there is no source."""
    if sources is None:
        return [CheckResult(NAME, CheckState.UNKNOWN, "EventSources may not be listed")]
    if not sources:
        return []
    named = list(keys(sources))
    wrong = [CheckResult(NAME, CheckState.WRONG, said, FIX) for one in named if (said := _said(one, held(one.secret)))]
    return wrong or [CheckResult(NAME, CheckState.OK, f"each key that they name holds something ({_listed(named)})")]


def _said(named: NamedKey, found: Sequence[str] | None) -> str:
    """What is wrong with a key; empty where it is one of *found*, the keys that hold something."""
    if found is None:
        return f"{named.source} names the Secret {named.secret}, which is not there: its pod does not start"
    if named.key in found:
        return ""
    what = f"{named.source} names the key {named.key} of the Secret {named.secret}, which is missing or empty"
    if named.field in SIGNATURE:
        return (
            f"{what}: if it is empty, signatures are not checked, and whoever reaches the source may start a retraining"
        )
    return f"{what}: nothing that it sends or asks is let through"


def _listed(named: Sequence[NamedKey]) -> str:
    secrets = sorted({f"{one.secret}/{one.key}" for one in named})
    return ", ".join(secrets) or "they name none"
