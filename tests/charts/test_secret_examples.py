"""The examples of docs/teams.md: values that the chart takes, Secrets that pipelines name, encrypted and read again by the real program.

The resource types of External Secrets are others': where ARGOSY_EXTERNAL_SECRETS_CRDS names a folder with their definitions, the examples
are held against them.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from argosy.domain import prerequisites
from kit import quick_yaml
from kit.platform_chart import CHART, ROOT, named, render

PAGE = (ROOT / "docs" / "teams.md").read_text(encoding="utf-8")
BLOCKS = [quick_yaml.load_all(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
EXAMPLES: list[dict[str, Any]] = [document for block in BLOCKS for document in block]
EXTERNAL = [one for one in EXAMPLES if str(one.get("apiVersion", "")).startswith("external-secrets.io/")]


def values(start: str) -> dict[str, Any]:
    """The last indented example that begins with the line *start*."""
    lines = PAGE.split("\n")
    first = max(number for number, line in enumerate(lines) if line == start)
    block = []
    for line in lines[first:]:
        if line and not line.startswith("    "):
            break
        block.append(line[4:])
    found: dict[str, Any] = quick_yaml.load("\n".join(block))
    return found


def test_the_values_are_taken() -> None:
    """Those that add a team, and those by which one differs."""
    first = values("    # platform.yaml, the values of charts/platform")
    more = values("    teams:")
    made = render({**first, "teams": [*first["teams"], *more["teams"]]})
    assert named(made, "Namespace", "team-credit")
    assert named(made, "ResourceQuota", "argosy", "ml-growth")["spec"]["hard"]["requests.cpu"] == "64"
    assert named(made, "ValidatingAdmissionPolicy", "ml-models")


def test_each_example_is_a_secret_of_ours() -> None:
    """By the names and keys that the chart's page lists; in the namespace of a team."""
    page = (CHART / "reference.md").read_text(encoding="utf-8")
    assert len(EXTERNAL) == 3
    for one in EXTERNAL:
        spec = one["spec"].get("externalSecretSpec", one["spec"])
        assert f"| `{spec['target']['name']}` |" in page
        assert all(f"`{entry['secretKey']}`" in page for entry in spec.get("data", []))
    kinds = {one["spec"].get("externalSecretSpec", one["spec"])["target"]["name"] for one in EXTERNAL}
    assert kinds <= {f"argosy-{name}" for name in prerequisites.CLASSES}


@pytest.mark.parametrize("example", EXTERNAL, ids=lambda one: one["kind"])
def test_external_secrets_takes_them(example: dict[str, Any]) -> None:
    """Every field is one of its resource type, with its type."""
    folder = os.environ.get("ARGOSY_EXTERNAL_SECRETS_CRDS")
    if not folder:
        pytest.skip("ARGOSY_EXTERNAL_SECRETS_CRDS names no folder with the definitions of External Secrets")
    definitions = [quick_yaml.load(path.read_text(encoding="utf-8")) for path in sorted(Path(folder).glob("*.yaml"))]
    (definition,) = (one for one in definitions if one["spec"]["names"]["kind"] == example["kind"])
    wanted = example["apiVersion"].rpartition("/")[2]
    (version,) = (one for one in definition["spec"]["versions"] if one["name"] == wanted)
    assert version["served"]
    jsonschema.validate(example, _closed(version["schema"]["openAPIV3Schema"]))


def _closed(schema: Any) -> Any:
    """*schema*, in which a field that it does not know is wrong, as an API server that is asked strictly says."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: _closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("x-kubernetes-preserve-unknown-fields") is not True:
        inner["properties"] = {name: _closed(value) for name, value in schema["properties"].items()}
        if "additionalProperties" not in schema:
            known = (
                {"apiVersion": {}, "kind": {}, "metadata": {"type": "object"}} if "spec" in schema["properties"] else {}
            )
            inner["properties"] |= {name: value for name, value in known.items() if name not in inner["properties"]}
            inner["additionalProperties"] = False
    return inner


def test_sops_encrypts_what_is_secret_and_gives_it_back(tmp_path: Path) -> None:
    """Names stay readable, so that a review sees what changes; the values do not."""
    if shutil.which("sops") is None or shutil.which("age-keygen") is None:
        pytest.skip("sops and age-keygen are not installed")
    rules = next(one for one in EXAMPLES if "creation_rules" in one)
    secret = next(one for one in EXAMPLES if one.get("kind") == "Secret")
    key = tmp_path / "key.txt"
    subprocess.run(["age-keygen", "-o", str(key)], check=True, capture_output=True, timeout=30)
    public = re.search(r"public key: (age1\w+)", key.read_text(encoding="utf-8"))
    assert public
    rules["creation_rules"][0]["age"] = public[1]
    (tmp_path / ".sops.yaml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    file = tmp_path / "secrets" / "registry.yaml"
    file.parent.mkdir()
    file.write_text(yaml.safe_dump(secret), encoding="utf-8")
    environment = {**os.environ, "SOPS_AGE_KEY_FILE": str(key)}

    def sops(*words: str) -> str:
        done = subprocess.run(
            ["sops", *words], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True, timeout=60
        )
        return done.stdout

    sops("encrypt", "--in-place", "secrets/registry.yaml")
    text = file.read_text(encoding="utf-8")
    assert "a-password" not in text
    assert quick_yaml.load(text)["metadata"] == secret["metadata"]
    assert quick_yaml.load(sops("decrypt", "secrets/registry.yaml")) == secret
