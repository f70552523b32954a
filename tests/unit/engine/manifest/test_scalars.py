"""Scalars of a manifest, as they reach the controller.

``scalars.json`` holds what a program on the modules of Argo 4.1.2 answered (its strict reading of a manifest, the JSON an API server writes
of it, and the types ``AnyString`` and ``Item``): what is written, and what a parameter, ``{{item}}`` and ``{{item.key}}`` are then, or null
where the manifest is refused.
"""

import json
from pathlib import Path

import pytest
import yaml

from argosy.engine.machine import items
from argosy.engine.manifest import kubernetes_yaml, texts

ANSWERS = json.loads((Path(__file__).parent / "scalars.json").read_text(encoding="utf-8"))


def test_there_are_answers() -> None:
    """A file that went missing is not a pass."""
    assert len(ANSWERS) > 150


@pytest.mark.parametrize(("written", "answer"), ANSWERS, ids=[written for written, _ in ANSWERS])
def test_scalar(written: str, answer: dict[str, str | None] | None) -> None:
    """A parameter is the float's digits without an exponent, an item is JSON's, and what JSON has not is refused."""
    if answer is None:
        with pytest.raises(yaml.YAMLError, match="JSON"):
            _read(written)
        return
    value = _read(written)
    item = items.of_value(value)
    assert {
        "parameter": texts.text(value),
        "item": item.shown(),
        "member": items.of_value({"k": value}).members()["k"],
    } == answer


def _read(written: str) -> object:
    return yaml.load(f"value: {written}\n", Loader=kubernetes_yaml.Loader)["value"]  # noqa: S506 - it is a safe one


@pytest.mark.parametrize(
    ("written", "read"),
    [
        pytest.param("a: &x {b: 1}\nc: {<<: *x, d: 2}", {"a": {"b": 1}, "c": {"b": 1, "d": 2}}, id="merged"),
        pytest.param("c: {<<: [{a: 1}, {b: 2}]}", {"c": {"a": 1, "b": 2}}, id="several-merged"),
        pytest.param("a: !!set {b, c}", {"a": {"b": None, "c": None}}, id="set"),
        pytest.param("a: !!omap [b: 1]", {"a": [{"b": 1}]}, id="ordered-map"),
        pytest.param("a: !local {b: !other yes}", {"a": {"b": "yes"}}, id="tags-of-others"),
        pytest.param("a: !!map [1]", {"a": [1]}, id="wrong-kind-for-the-tag"),
        pytest.param("0x1F: v\n1e21: w", {"31": "v", "1e+21": "w"}, id="numbers-as-keys"),
    ],
)
def test_structure(written: str, read: object) -> None:
    """Merges and tags mean what they mean to Go's YAML."""
    assert yaml.load(written, Loader=kubernetes_yaml.Loader) == read  # noqa: S506


@pytest.mark.parametrize(
    ("written", "message"),
    [
        pytest.param("a: &x {b: 1}\nc: {<<: *x, b: 2}", "the key 'b' is there twice", id="merged-over"),
        pytest.param("c: {<<: 1}", "merges an object", id="nothing-to-merge"),
        pytest.param("~: 1", "not null", id="null-as-key"),
        pytest.param("a: !!bool x", "'x' is no boolean", id="no-boolean"),
        pytest.param("a: !!int x", "x", id="no-integer"),
        pytest.param("a: !!binary '!'", "is not base64", id="no-base64"),
    ],
)
def test_refused(written: str, message: str) -> None:
    """What argo and kubectl do not read is refused with its line, never a traceback."""
    with pytest.raises(yaml.MarkedYAMLError, match=message):
        yaml.load(written, Loader=kubernetes_yaml.Loader)  # noqa: S506
