"""Who may ask the models of tests: one key that their callers have, and the Secret by which servers know it."""

import yaml

from argosy.domain import access_rules
from argosy.domain.access_rules import EVERY_MODEL, AccessKey
from e2e.cluster import Object

KEY, RULE = access_rules.new_key("callers", [EVERY_MODEL])
"""The key of these tests' callers, and what servers keep of it."""


def secret(namespace: str, *keys: AccessKey) -> Object:
    """The Secret that the chart mounts, with the rules of *keys*; where none are given, of the callers' own."""
    text = yaml.safe_dump({"keys": [key.model_dump(mode="json", exclude_none=True) for key in keys or (RULE,)]})
    metadata = {"name": "argosy-access", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"access.yaml": text}}
