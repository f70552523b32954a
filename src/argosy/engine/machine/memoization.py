"""``memoize``: a call whose key was met before succeeds at once with what the earlier one gave. The runner knows where that lies."""

import re

from argosy.argo import NodeType, Phase
from argosy.engine import durations, effects
from argosy.engine.machine.calls import Call
from argosy.engine.machine.core import Machine
from argosy.engine.manifest.model import Template
from argosy.engine.nodes import Node, Outputs, is_resource_name

_KEY = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]*")
LONGEST_KEY = 253
"""Characters. What a ConfigMap takes."""


def carry_out(machine: Machine, call: Call, template: Template) -> None:
    """The body of a memoized template: what is remembered under its key; where nothing is, it runs, and what comes of it is remembered."""
    wish = template.memoize
    key, cache = wish.key, wish.cache.config_map.name
    if not _KEY.fullmatch(key) or len(key) > LONGEST_KEY:
        machine.refuse(call, f"invalid cache key: {key}")
        return
    if not is_resource_name(cache):
        machine.refuse(call, f"{cache!r} is no name of a ConfigMap")
        return
    try:
        limit = durations.seconds(wish.max_age) if wish.max_age else None
    except ValueError as error:
        machine.refuse(call, f"invalid maxAge: {error}")
        return

    def recalled(found: Outputs | None) -> None:
        call.memo = {"hit": found is not None, "key": key, "cacheName": cache}
        if found is None:
            _remember(machine, call, cache, key)
            machine.carry_out_body(call, template)
            return
        node = machine.create(call, machine.type_of(template), Phase.PENDING)
        node.cached = True
        machine.export(node, template, found)
        machine.finish(call, node, Phase.SUCCEEDED, outputs=found)

    machine.recall(effects.Recall(call.name, cache, key, limit), recalled)


def _remember(machine: Machine, call: Call, cache: str, key: str) -> None:
    done = call.done

    def ended(node: Node) -> None:
        if node.phase is Phase.SUCCEEDED and node.type is not NodeType.SUSPEND:
            machine.effects.append(effects.Remember(node.name, cache, key, node.outputs or Outputs()))
        done(node)

    call.done = ended
