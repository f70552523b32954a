"""A run is killed at every point at which something reaches the disk, one after the other; resumed, it ends as if nothing had been."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from argosy import errors
from argosy.argo import NodeType, Phase
from argosy.engine import api
from argosy.engine.options import RunOptions, RunResult
from argosy.engine.state import disk, journal, object_store, runs
from kit.manifests import TEMPLATES

MANIFEST = (
    TEMPLATES
    + """\
    - name: main
      dag:
        tasks:
          - {name: make, template: make}
          - name: use
            depends: make
            template: use
            withItems: [1, 2]
            arguments:
              parameters: [{name: item, value: "{{item}}"}]
              artifacts: [{name: made, from: "{{tasks.make.outputs.artifacts.made}}"}]
      outputs: {parameters: [{name: out, valueFrom: {parameter: "{{tasks.use.outputs.parameters.out}}"}}]}
    - name: make
      metadata: {annotations: {argosy.dev/cache: "true"}}
      container: {image: any, command: [sh, -ec, 'echo make >> EFFECTS; mkdir /tmp/made; echo 1 > /tmp/made/one']}
      outputs: {artifacts: [{name: made, path: /tmp/made}]}
    - name: use
      inputs: {parameters: [{name: item}], artifacts: [{name: made, path: /tmp/made}]}
      container:
        image: any
        command: [sh, -ec, 'echo use$ITEM >> EFFECTS; echo "$(cat /tmp/made/one)-$ITEM" > /tmp/out']
        env: [{name: ITEM, value: "{{inputs.parameters.item}}"}]
      outputs: {parameters: [{name: out, valueFrom: {path: /tmp/out}}]}
"""
)
MAKERS = {"make": "wf.make", "use1": "wf.use(0:1)", "use2": "wf.use(1:2)"}


class Points:
    """Counts what reaches the disk: each commit, just before and just after it, each sync, each name. Kills at number *fatal*."""

    def __init__(self, fatal: int | None = None) -> None:
        self.fatal = fatal
        self.passed = 0

    def reach(self) -> None:
        """One more point."""
        self.passed += 1
        if self.passed == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def watched(points: Points, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have *points* told of each."""

    def around(owner: object, name: str) -> None:
        real = getattr(owner, name)

        def wrapped(*given: object, **named: object) -> object:
            points.reach()
            answer = real(*given, **named)
            points.reach()
            return answer

        patched.setattr(owner, name, wrapped)

    with monkeypatch.context() as patched:
        around(journal.Journal, "write")
        around(journal.Journal, "_write_rows")  # inside the transaction
        around(disk, "sync")
        around(object_store, "_write_protect")
        around(Path, "rename")
        around(Path, "replace")
        yield


@pytest.fixture
def start(tmp_path: Path, options: Callable[..., RunOptions]) -> Callable[[], RunResult]:
    """Run the manifest as a new run."""
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(MANIFEST.replace("EFFECTS", str(tmp_path / "effects")), encoding="utf-8")
    chosen = options(parallelism=1)
    return lambda: api.run(api.prepare(api.load([manifest]), chosen), chosen)


def resumed(options: RunOptions) -> RunResult:
    """Resume the newest run; a process of the dead engine may need a moment to follow it."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return api.resume(options.home, None, options)
        except errors.Misconfigured as error:
            if "still runs as process" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def killed_at(number: int, start: Callable[[], RunResult], monkeypatch: pytest.MonkeyPatch) -> bool:
    """Start a run in a child that is killed at point *number*; whether it came to that."""
    child = os.fork()
    if child == 0:
        try:
            with watched(Points(number), monkeypatch):
                start()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def test_every_point(
    start: Callable[[], RunResult],
    options: Callable[..., RunOptions],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Same outputs; what the journal has as succeeded is not begun again; there are as many points as the enumeration expects at least."""
    number, effects, home = 0, tmp_path / "effects", tmp_path / "home"
    while killed_at(number := number + 1, start, monkeypatch):
        known = runs.newest_first(home)
        if not known or not (known[0].path / runs.MANIFEST).exists():
            assert not effects.exists(), "a step began before the run was on the disk"
            clear(home, effects)
            continue
        before = Counter(effects.read_text(encoding="utf-8").split()) if effects.exists() else Counter[str]()
        done = {node.name for node in known[0].state()[1].values() if is_done_step(node.type, node.phase)}
        result = resumed(options(parallelism=1))
        assert (result.phase, result.nodes["$"].outputs and result.nodes["$"].outputs.parameters) == (
            "Succeeded",
            {"out": '["1-1","1-2"]'},
        ), f"killed at point {number}"
        after = Counter(effects.read_text(encoding="utf-8").split())
        for word, name in MAKERS.items():
            assert after[word] >= 1
            if name in done:
                assert after[word] == before[word], f"{name} began again after a kill at point {number}"
        clear(home, effects)
    assert number > 50


def is_done_step(kind: NodeType, phase: Phase) -> bool:
    """Whether a node is a step that succeeded."""
    return kind is NodeType.POD and phase is Phase.SUCCEEDED


def clear(home: Path, effects: Path) -> None:
    """Begin afresh, the next number on."""
    home.rename(home.with_name(f"home-{time.monotonic_ns()}"))
    effects.unlink(missing_ok=True)
