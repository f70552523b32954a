"""Manifests that were written to hurt: each ends with one clear error, in bounded time and memory."""

import contextlib
import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from argosy import errors
from argosy.engine import api
from argosy.engine.machine import core
from argosy.engine.options import RunOptions
from kit.manifests import TEMPLATES

SECONDS = 60
"""Wall clock, on a busy machine."""
CPU_SECONDS = 20
MEMORY = 1 << 30
"""Bytes of address space."""

OK = '  - name: ok\n    container: {image: any, command: [sh, -c, "true"]}\n'


def loop(kind: str) -> str:
    """A workflow of one looping task."""
    return f"{TEMPLATES}  - name: main\n    dag: {{tasks: [{{name: t, template: ok, {kind}}}]}}\n{OK}"


def argument(value: str, used: str = "{{inputs.parameters.x}}") -> str:
    """A workflow whose step is given *value*."""
    return (
        f"{TEMPLATES}  - name: main\n    inputs: {{parameters: [{{name: x, value: {value}}}]}}\n"
        f"    container: {{image: any, command: [sh, -c, 'true'], env: [{{name: X, value: '{used}'}}]}}\n"
    )


def laughs() -> str:
    """Anchors that unfold into a billion entries."""
    levels = "".join(
        f"  a{depth}: &a{depth} [{', '.join([f'*a{depth - 1}'] * 10)}]\n" if depth else "  a0: &a0 [x]\n"
        for depth in range(10)
    )
    return f"apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {{name: wf}}\nspec:\n{levels}"


def recursion(more: str = "") -> str:
    """A template that calls itself."""
    return f"{TEMPLATES}  - name: main\n    steps: [[{{name: again, template: main{more}}}]]\n"


MANIFESTS = {
    "million-items-by-sequence": (loop("withSequence: {count: 1000000}"), "1000000 items; at most 100000"),
    "endless-sequence": (loop("withSequence: {start: 0, end: '99999999999999999999'}"), "items; at most 100000"),
    "sequence-beyond-64-bits": (
        loop("withSequence: {start: 0, end: 99999999999999999999}"),
        "expected integer or text",
    ),
    "sequence-beyond-32-bits": (loop("withSequence: {start: 0, end: 2147483648}"), "out of range"),
    "million-items-by-parameter": (
        loop(f"withParam: '[{'1,' * 400_000}1]'"),
        "items; at most 100000|more than|at most",
    ),
    "million-items-by-format": (loop("withSequence: {count: 3, format: '%099999999d'}"), "format"),
    "recursion": (recursion(), "max depth exceeded"),
    "large-manifest": (argument("'" + "x" * 50_000_000 + "'"), "a cluster takes at most"),
    "nested-tags": (argument("a", "{{" * 1000 + "x" + "}}" * 1000), ""),
    "nested-expression-tags": (argument("a", "{{=" * 1000 + "x" + "}}" * 1000), ""),
    "deep-parentheses": (argument("a", "{{=" + "(" * 5000 + "1" + ")" * 5000 + "}}"), ""),
    "endless-expression": (
        argument("a", "{{=len(map(1..100000, {map(1..100000, {map(1..100000, {# * #})})}))}}"),
        "",
    ),
    "huge-range": (argument("a", "{{=len(1..1000000000000)}}"), ""),
    "huge-repeat": (argument("a", '{{=repeat("x", 1000000000000)}}'), ""),
    "huge-power": (argument("a", "{{=9 ** 9 ** 9}}"), ""),
    "catastrophic-pattern": (argument("a", f'{{{{="{"a" * 40}b" matches "^(a+)+$"}}}}'), ""),
    "duplicate-keys": (TEMPLATES.replace("metadata:", "metadata: {name: x}\nmetadata:"), "is there twice"),
    "billion-laughs": (laughs(), "unfolds into more than"),
    "anchor-in-itself": ("&a [*a]\n", "an anchor contains itself|expected a Kubernetes resource"),
    "deep-yaml": ("[" * 200_000, "nested too deeply|line 1"),
    "deep-yaml-object": ("{a: " * 100_000 + "}" * 100_000, "nested too deeply|line 1"),
    "artifact-path-with-dots": (
        f"{TEMPLATES}  - name: main\n    container: {{image: any, command: [sh, -c, 'true']}}\n"
        "    outputs: {artifacts: [{name: a, path: /tmp/../../etc/passwd}]}\n",
        r"contains '\.\.'",
    ),
    "parameter-path-with-dots": (
        f"{TEMPLATES}  - name: main\n    container: {{image: any, command: [sh, -c, 'true']}}\n"
        "    outputs: {parameters: [{name: a, valueFrom: {path: /tmp/../../etc/passwd}}]}\n",
        r"\.\.",
    ),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_hostile_manifest(name: str, tmp_path: Path) -> None:
    """One error that says what is wrong, or a run that ends; never a traceback, never the machine's time and memory."""
    text, message = MANIFESTS[name]
    (tmp_path / "manifest.yaml").write_text(text, encoding="utf-8")
    code, said = run_limited(tmp_path)
    assert "Traceback" not in said, said[-2000:]
    assert code in (0, 1, 2, 10, 78), f"{code}: {said[-500:]}"
    if message:
        assert code != 0, said[-500:]
        assert re.search(message, said), said[-1000:]
    assert len(said.splitlines()[-1]) < 2000, "an error is a few words"


def test_recursion_that_branches(
    tmp_path: Path, options: Callable[..., RunOptions], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends when there are too many nodes: 2 to the power of 99 would come before it is too deep."""
    monkeypatch.setattr(core, "MAX_NODES", 2000)
    both = f"{TEMPLATES}  - name: main\n    steps: [[{{name: a, template: main}}, {{name: b, template: main}}]]\n"
    (tmp_path / "manifest.yaml").write_text(both, encoding="utf-8")
    chosen = options()
    result = api.run(api.prepare(api.load([tmp_path / "manifest.yaml"]), chosen), chosen)
    assert result.phase == "Failed"
    assert any("the workflow has more than 2000 nodes" in node.message for node in result.nodes.values())
    assert len(result.nodes) < 10_000


TAR = f"""{TEMPLATES}  - name: main
    container:
      image: any
      command: [sh, -ec, 'mkdir -p /tmp/out; ln -s /etc/passwd /tmp/out/secret; ln -s ../../../../.. /tmp/out/up; echo x > /tmp/out/x']
    outputs: {{artifacts: [{{name: a, path: LINK}}]}}
"""


@pytest.mark.parametrize(
    ("path", "phase"),
    [
        pytest.param("/tmp/out/secret", "Error", id="a-link-as-artifact"),
        pytest.param("/tmp/out", "Succeeded", id="links-in-it"),
    ],
)
def test_links_that_leave_the_step(path: str, phase: str, tmp_path: Path, options: Callable[..., RunOptions]) -> None:
    """A link to a file of this machine is never followed: as an artifact it is an error, inside one it stays a link."""
    (tmp_path / "manifest.yaml").write_text(TAR.replace("LINK", path), encoding="utf-8")
    chosen = options()
    result = api.run(api.prepare(api.load([tmp_path / "manifest.yaml"]), chosen), chosen)
    assert result.phase == phase, result.message
    kept = [entry for entry in (chosen.home / "objects").rglob("*") if entry.is_file() and not entry.is_symlink()]
    assert all(b"root:" not in entry.read_bytes() for entry in kept)


def test_large_output_parameter(tmp_path: Path, options: Callable[..., RunOptions]) -> None:
    """An output parameter of 50 MB is an error that names the way out, and is never read into memory."""
    text = TEMPLATES + (
        "  - name: main\n    container: {image: any, command: [sh, -c, 'head -c 50000000 /dev/zero > /tmp/out']}\n"
        "    outputs: {parameters: [{name: big, valueFrom: {path: /tmp/out}}]}\n"
    )
    (tmp_path / "manifest.yaml").write_text(text, encoding="utf-8")
    chosen = options()
    result = api.run(api.prepare(api.load([tmp_path / "manifest.yaml"]), chosen), chosen)
    assert result.phase == "Error"
    assert (
        "'big' has 50000000 bytes; a cluster keeps at most 262144: hand it on as an artifact"
        in result.nodes["$"].message
    )


PIECES = st.sampled_from(
    [
        "{{",
        "}}",
        "{{=",
        "inputs.parameters.x",
        "item",
        "(",
        ")",
        "[",
        "]",
        "'",
        '"',
        "\\",
        "1..9",
        "|",
        "?",
        ":",
        "&a ",
        "*a",
        "- ",
        "\n",
        " ",
        "x",
        "#",
        "!!python/object",
        "\x00",
        "\u2028",
    ]
)


@settings(max_examples=150, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PIECES, max_size=30).map("".join), st.lists(PIECES, max_size=30).map("".join))
def test_any_text_is_answered(tmp_path: Path, value: str, raw: str) -> None:
    """Whatever stands in a parameter, a command, or anywhere in the file: it is fit to run, or there is one error of ours."""
    chosen = RunOptions(home=tmp_path / "home", process_images=("*",))
    for text in (
        argument(json.dumps(value), "x").replace("'true'", json.dumps(value)),
        f"{TEMPLATES}  - name: main\n    {raw}\n{OK}",
    ):
        (tmp_path / "manifest.yaml").write_text(text, encoding="utf-8")
        with contextlib.suppress(errors.Misconfigured, errors.UsageError):
            api.prepare(api.load([tmp_path / "manifest.yaml"]), chosen)


def run_limited(folder: Path, *more: str) -> tuple[int, str]:
    """``argosy run`` of the manifest in *folder*, under limits on its memory, processor time and wall clock."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))

    command = [sys.executable, "-c", "from argosy.cli.main import main; main()", "run", "-f", "manifest.yaml"]
    done = subprocess.run(
        [*command, "--local-image", "*", *more],
        env={**os.environ, "ARGOSY_HOME": str(folder / "home")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        timeout=SECONDS,
        check=False,
        preexec_fn=limit,
    )
    return done.returncode, done.stdout
