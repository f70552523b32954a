"""One rule of Argo's a case: a small manifest, and beside it the nodes that the controller leaves.

``<case>.json``, where it is there, is what the real controller was recorded doing (`make conformance`).
``<case>.expected.yaml`` holds the rule in words, the workflow's phase, optionally its message, the exit code, ``order`` (nodes that run one
after the other), and every node as ``Type Phase [exit code]``, or as an object with ``is``, ``parameters`` and ``result``.
"""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy.engine import nodes
from argosy.engine.options import RunResult
from conformance import comparison

Run = Callable[..., RunResult]

CASES = sorted(path for path in (Path(__file__).parent / "cases").glob("*.yaml") if ".expected" not in path.name)


def test_each_case_says_what_is_right() -> None:
    """A manifest with neither a recording nor an expectation tests nothing."""
    assert [
        case.stem
        for case in CASES
        if not (case.with_suffix(".json").exists() or case.with_suffix(".expected.yaml").exists())
    ] == []


def test_there_are_cases() -> None:
    """A folder that went missing is not a pass."""
    assert len(CASES) >= 40


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.with_suffix(".expected.yaml").exists()], ids=lambda path: path.stem
)
def test_case(case: Path, run: Run, tmp_path: Path) -> None:
    """The nodes, their types, phases and outputs are those of the controller."""
    expected = yaml.safe_load(case.with_suffix(".expected.yaml").read_text(encoding="utf-8"))
    manifest = (
        case.read_text(encoding="utf-8")
        .replace("value: SHARED", f"value: {tmp_path}")
        .replace("value: LIMIT", "value: 1")
    )
    result = run(
        manifest, config_maps={"colours": {"colour": "blue"}}, secrets={"key": {"word": "hidden"}}, parallelism=4
    )
    assert {name: _without_message(node) for name, node in result.nodes.items()} == _nodes(expected["nodes"])
    assert result.phase == expected["phase"]
    assert result.exit_code == expected.get("exit", 0)
    if "message" in expected:
        assert result.message == expected["message"]
    _check_order(result, expected.get("order", []))


RECORDED = [path for path in CASES if path.with_suffix(".json").exists()]


@pytest.mark.parametrize("case", RECORDED, ids=lambda path: path.stem)
def test_as_recorded(case: Path, tmp_path: Path) -> None:
    """Phases, types, messages and outputs are those that the real controller was recorded leaving."""
    recording = json.loads(case.with_suffix(".json").read_text(encoding="utf-8"))
    assert list(comparison.differences(comparison.run(case, f"c-{case.stem}", tmp_path), recording)) == []


def _without_message(node: nodes.Node) -> dict[str, Any]:
    # What recordings are compared in, and these cases leave open.
    return {key: value for key, value in node.seen().as_status().items() if key != "message"}


def _nodes(written: dict[str, Any]) -> dict[str, Any]:
    return {name: _status({"is": node} if isinstance(node, str) else node) for name, node in written.items()}


def _status(written: dict[str, Any]) -> dict[str, Any]:
    kind, phase, *code = written["is"].split()
    outputs = {key: written[key] for key in ("parameters", "result") if key in written}
    if code:
        outputs["exitCode"] = code[0]
    return {"type": kind, "phase": phase} | ({"outputs": outputs} if outputs else {})


def _check_order(result: RunResult, order: list[str]) -> None:
    for before, after in itertools.pairwise(order):
        assert (result.nodes[before].finished or 0) <= result.nodes[after].started, (
            f"{after} began before {before} ended"
        )
