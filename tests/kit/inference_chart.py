"""Renders charts/inference with the `helm` that is there. Without one, tests skip by name; what was rendered is committed beside them."""

import functools
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from kit import quick_yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "inference"

VERSION: dict[str, Any] = {
    "model": "churn",
    "version": 3,
    "modelDigest": "sha256:" + "a" * 64,
    "storageUri": "s3://models/churn/aaaa/",
    "onlineStore": {"uri": "s3://models/churn/online/bbbb/", "digest": "sha256:" + "b" * 64},
    "evidenceDigest": "sha256:" + "c" * 64,
    "policyDigest": "sha256:" + "d" * 64,
}
"""A version.yaml as the pipeline proposes it."""
IMAGE = "registry.example/argosy/serve@sha256:" + "e" * 64
PASSED = {"environment": "staging", "signature": '{"signed": "by us"}', "verifyingKey": "-----BEGIN PUBLIC KEY-----\n"}
"""What Argo CD passes beside it."""

Objects = list[dict[str, Any]]


def values(over: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the chart gets for churn in staging, with *over* laid over it."""
    shared = quick_yaml.load((ROOT / "gitops-env" / "models" / "churn" / "values.yaml").read_text(encoding="utf-8"))
    return merged({**shared, "server": {"image": IMAGE}, **VERSION, **PASSED}, over or {})


def template(given: dict[str, Any]) -> "subprocess.CompletedProcess[str]":
    """Run `helm template` with *given*; skips where there is no helm."""
    helm = shutil.which("helm")
    if helm is None:
        pytest.skip("helm is not installed")
    return _templated(helm, json.dumps(given))


@functools.cache  # most tests render what others did
def _templated(helm: str, given: str) -> "subprocess.CompletedProcess[str]":
    command = [helm, "template", "release", str(CHART), "--namespace", "argosy-staging", "--kube-version", "1.34.0"]
    return subprocess.run(
        [*command, "--values", "-"], input=given, capture_output=True, text=True, check=False, timeout=60
    )


def render(over: dict[str, Any] | None = None) -> Objects:
    """The objects that the chart makes of churn's values with *over* laid over them."""
    done = template(values(over))
    assert done.returncode == 0, done.stderr
    return parsed(done.stdout)


def refusal(over: dict[str, Any]) -> str:
    """What helm says of values that it refuses."""
    done = template(values(over))
    assert done.returncode != 0, "these values were taken"
    return done.stderr


def parsed(text: str) -> Objects:
    """The objects in *text*."""
    return [each for each in quick_yaml.load_all(text) if each]


def only(objects: Objects, kind: str, name: str | None = None) -> dict[str, Any]:
    """The one object of *kind* (and *name*)."""
    found = [each for each in objects if each["kind"] == kind and name in {None, each["metadata"]["name"]}]
    assert len(found) == 1, f"{len(found)} of {kind} {name or ''}"
    return found[0]


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """*base* with *over* laid over it, as Helm merges values."""
    found = dict(base)
    for key, value in over.items():
        inner = found.get(key)
        found[key] = merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return found
