"""Renders charts/platform with the `helm` that is there. Without one, tests skip by name."""

import functools
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from kit import quick_yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "platform"

Objects = list[dict[str, Any]]


IMAGE = "registry.example/argosy/promote@sha256:" + "e" * 64


def template(values: dict[str, Any]) -> "subprocess.CompletedProcess[str]":
    """Run `helm template` with *values*; skips where there is no helm."""
    helm = shutil.which("helm")
    if helm is None:
        pytest.skip("helm is not installed")
    return _templated(helm, json.dumps({**values, "converge": {"image": IMAGE, **values.get("converge", {})}}))


@functools.cache  # most tests render what others did
def _templated(helm: str, values: str) -> "subprocess.CompletedProcess[str]":
    command = [helm, "template", "argosy", str(CHART), "--namespace", "ml", "--values", "-"]
    return subprocess.run(command, input=values, capture_output=True, text=True, check=False, timeout=60)


def render(values: dict[str, Any] | None = None) -> Objects:
    """The objects that the chart makes of *values*."""
    done = template(values or {})
    assert done.returncode == 0, done.stderr
    return [one for one in quick_yaml.load_all(done.stdout) if one]


def named(objects: Objects, kind: str, name: str, namespace: str | None = None) -> dict[str, Any]:
    """The one object of that kind and name."""
    (found,) = (
        one
        for one in objects
        if (one["kind"], one["metadata"]["name"], one["metadata"].get("namespace")) == (kind, name, namespace)
    )
    return found
