"""Writes YAML that Kubernetes reads as it was meant: what is text to Python is quoted where it would be a number or a boolean there.

PyYAML quotes what PyYAML itself would take for something else. Kubernetes, Argo and Helm read more forms of numbers: to them ``1234e56``, a
short commit, is one, and ``1e3``, ``08`` and ``0o17`` are. How they read is told by ``argosy.engine.manifest.kubernetes_yaml``.
"""

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:  # hera takes most of a second, and a stream of manifests needs none of it
    from hera.workflows import Workflow


def of(workflow: "Workflow") -> str:
    """The manifest of *workflow*, or of a template of it, as YAML."""
    text: str = workflow.to_yaml(Dumper=ManifestDumper)
    return text


def stream(manifests: Iterable[Mapping[str, Any]]) -> str:
    """*manifests* as documents of one YAML stream."""
    text: str = yaml.dump_all(manifests, Dumper=ManifestDumper, sort_keys=False, allow_unicode=True, width=140)
    return text


class ManifestDumper(yaml.SafeDumper):
    """PyYAML's dumper of plain values, for manifests."""


for _tag, _pattern, _first in (
    ("bool", r"[yYnN]", "yYnN"),
    ("int", r"[-+]?0[oO]?[0-7_]+", "-+0"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?_*[0-9][0-9_]*)?", "-+.0123456789"),
):
    ManifestDumper.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first))
