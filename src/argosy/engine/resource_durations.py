"""What a run of this machine asked for over time, reckoned as Argo's controller reckons ``resourcesDuration``.

A container's request, else its limit, else 100m of a core and 100 MiB; over a core, over 100 MiB, over one of anything else; times the
seconds that it ran. What a machine without requests really gave is not known here, and on a cluster neither.
"""

import dataclasses
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from argosy.argo import NodeType
from argosy.engine import quantities
from argosy.engine.nodes import Json, Node
from argosy.engine.state.runs import RunFolder
from argosy.engine.state.stored_run import StoredRun

RECORD = "resources.json"
DEFAULTS = {"cpu": "100m", "memory": "100Mi"}
BASES = {"cpu": "1", "memory": "100Mi", "storage": "10Gi", "ephemeral-storage": "10Gi"}


@dataclass(frozen=True)
class ResourceUse:
    """What one run asked for over time, and what tells whose it is."""

    workflow: str
    metadata: Json
    """Of its manifest."""
    created: float
    """Seconds since 1970."""
    durations: Mapping[str, float]
    """Resources over time by name, as in ``resourcesDuration``."""
    over: bool
    """True where it came to an end, so that this stays until somebody takes it up again."""


def of(folder: RunFolder) -> ResourceUse:
    """What the run in *folder* used, from its record where that is as new as the journal. Raises Misconfigured where it never started.

    A run that is over and has no such record, as those of older versions, gets one: its journal is read once.
    """
    kept = _kept(folder)
    if kept is not None:
        return kept
    written = folder.written_ns()  # asked first: of what is written after it, the record says nothing
    stored, (meta, nodes) = StoredRun.read(folder), folder.state()
    use = _use(stored, nodes.values(), over=bool(meta.get("finished")))
    if use.over:
        _write(folder, use, as_of_ns=written)
    return use


def keep(folder: RunFolder, stored: StoredRun, nodes: Iterable[Node]) -> None:
    """Write beside the journal what *nodes*, all of the run that ended, used: who counts hundreds of runs opens no journal then.

    The journal is closed by now: a record that is older than its journal counts no more. Where there is no room for one, there is none: the
    run has ended as it has, and the journal has it all.
    """
    _write(folder, _use(stored, nodes, over=True))


def _write(folder: RunFolder, use: ResourceUse, as_of_ns: int | None = None) -> None:
    """Write *use* beside the journal of *folder*, as of a moment in nanoseconds since 1970; None: of now."""
    partial = folder.path / f".{RECORD}.{os.getpid()}.partial"
    try:
        # Not synced to the disk: whatever a power loss leaves of it is reckoned anew.
        partial.write_text(json.dumps(dataclasses.asdict(use), default=str), encoding="utf-8")
        if as_of_ns is not None:
            os.utime(partial, ns=(as_of_ns, as_of_ns))
        partial.replace(folder.path / RECORD)
    except OSError:
        partial.unlink(missing_ok=True)


def _kept(folder: RunFolder) -> ResourceUse | None:
    """The record of the run in *folder*; None where there is none that can be read, or the journal was written to after it."""
    path = folder.path / RECORD
    try:
        if path.stat().st_mtime_ns < folder.written_ns():
            return None
        return ResourceUse(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None  # an older version ran it, or it goes on
    except (ValueError, TypeError):
        return None  # half of one, or another version's: the journal has it all


def _use(stored: StoredRun, nodes: Iterable[Node], *, over: bool) -> ResourceUse:
    templates = {
        str(each.get("name")): each
        for spec in (stored.spec, *stored.others.values())
        for each in (spec.get("templates") or ())
    }
    seconds: dict[str, float] = defaultdict(float)
    for node in nodes:
        if node.type is NodeType.POD and node.finished is not None and not node.cached:
            seconds[node.template] += max(0.0, node.finished - node.started)
    found: dict[str, float] = defaultdict(float)
    for template, ran in seconds.items():
        for name, amount in of_template(templates.get(template, {}), ran).items():
            found[name] += amount
    return ResourceUse(stored.workflow, stored.metadata, stored.created, dict(found), over)


def of_template(template: Mapping[str, Any], seconds: float) -> dict[str, float]:
    """What the containers of *template* ask for over *seconds*, by name."""
    found: dict[str, float] = defaultdict(float)
    for container in _containers(template):
        for name, amount in _requests(container).items():
            found[name] += seconds * float(quantities.amount(amount) / quantities.amount(BASES.get(name, "1")))
    return dict(found)


def _containers(template: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    of_set = (template.get("containerSet") or {}).get("containers") or []
    own = template.get("container") or template.get("script") or {}
    return [*of_set, *(template.get("sidecars") or [])] if of_set else [own, *(template.get("sidecars") or [])]


def _requests(container: Mapping[str, Any]) -> dict[str, str]:
    resources = container.get("resources") or {}
    named = {**DEFAULTS, **(resources.get("limits") or {}), **(resources.get("requests") or {})}
    return {name: str(amount) for name, amount in named.items()}
