"""What is written for Kubernetes is read there as what it was."""

from pathlib import Path

import pytest

from argosy.engine.manifest import kubernetes_yaml
from argosy.templates import compiler, folder, manifest_yaml

SHORT_COMMIT = "1234e56"

TEXTS = [
    "1234e56", "123456e7", "1e3", "1E5", "1e-3", "+1", ".5", "5.", "1_000", "1__0.5_", "08", "007", "0o17", "-0o7", "+0x1f", "0b11",
    "12:30", "12:30:00", "2020-01-01", "y", "n", "Y", "N", "yes", "on", "Off", "true", "null", "~", "", ".inf", "-.INF", ".NaN",
    "<<", "=", "text", "1.2.3",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_text_stays_text(text: str) -> None:
    """As a value, a key and an entry, whatever numbers and booleans it looks like."""
    body = {"value": text, f"{text} ": [text], text or "none": {"deep": text}}
    assert kubernetes_yaml.read(manifest_yaml.stream([body])) == [body]


@pytest.mark.parametrize("value", [0, 8, -17, 2**53 + 1, 0.1, 1e-7, 1e16, 1.5e300, -0.5, True, False, None], ids=repr)
def test_numbers_stay_numbers(value: float | None) -> None:
    """No number, boolean or null is quoted."""
    text = manifest_yaml.stream([{"value": value}])
    assert "'" not in text
    assert kubernetes_yaml.read(text) == [{"value": value}]


def test_a_short_commit_is_no_number(model: Path) -> None:
    """A default and a label that Kubernetes would read as 1.234e+59 are quoted."""
    path = model / folder.PIPELINE
    added = (
        "\nfrom argosy.templates import pipeline as made\nfrom hera.workflows import Parameter\n"
        f"made.compiled[0].arguments.append(Parameter(name='built-from', value='{SHORT_COMMIT}'))\n"
        f"made.compiled[0].labels['built-from'] = '{SHORT_COMMIT}'\n"
    )
    path.write_text(path.read_text(encoding="utf-8") + added, encoding="utf-8")
    (manifest,) = kubernetes_yaml.read(compiler.compile_folder(model))
    parameters = {each["name"]: each.get("value") for each in manifest["spec"]["arguments"]["parameters"]}
    assert parameters["built-from"] == SHORT_COMMIT
    assert manifest["metadata"]["labels"]["built-from"] == SHORT_COMMIT
