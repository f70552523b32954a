"""A run survives whatever ends its engine: ``kill -9`` at any moment, Ctrl-C, a full disk; and two engines never share one."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from argosy.argo import NodeType, Phase
from argosy.engine.options import RunResult
from argosy.engine.state import journal, runs
from kit.manifests import ENTRYPOINT, TEMPLATES

COMMAND = "from argosy.cli.main import main; main()"

# Every step says that it began and, in one write, what it did; its output depends on the outputs before it.
MANIFEST = (
    ENTRYPOINT
    + """\
  arguments: {parameters: [{name: effects, value: EFFECTS}]}
  templates:
    - name: main
      dag:
        tasks:
          - {name: first, template: work, arguments: {parameters: [{name: said, value: begin}]}}
          - name: each
            depends: first
            template: work
            withItems: [1, 2, 3, 4, 5]
            arguments: {parameters: [{name: said, value: "{{tasks.first.outputs.parameters.out}}-{{item}}"}]}
          - {name: flaky, depends: first, template: flaky}
          - name: inner
            depends: each && flaky
            template: inner
            arguments: {parameters: [{name: said, value: "{{tasks.each.outputs.parameters.out}}"}]}
      outputs: {parameters: [{name: out, valueFrom: {parameter: "{{tasks.inner.outputs.parameters.out}}"}}]}
    - name: inner
      inputs: {parameters: [{name: said}]}
      steps:
        - - {name: a, template: work, arguments: {parameters: [{name: said, value: "{{inputs.parameters.said}}"}]}}
        - - {name: b, template: work, arguments: {parameters: [{name: said, value: "{{steps.a.outputs.parameters.out}}"}]}}
      outputs: {parameters: [{name: out, valueFrom: {parameter: "{{steps.b.outputs.parameters.out}}"}}]}
    - name: work
      inputs: {parameters: [{name: said}]}
      container:
        image: any
        command: [sh, -ec]
        args: ['echo "$NODE" >> "$EFFECTS"; sleep 0.04; printf "(%s)" "$SAID" > "$ARGOSY_ROOT/out"']
        env: &env
          - {name: ARGOSY_ROOT, value: /argosy}
          - {name: NODE, value: "{{node.name}}"}
          - {name: SAID, value: "{{inputs.parameters.said}}"}
          - {name: EFFECTS, value: "{{workflow.parameters.effects}}"}
      outputs: {parameters: [{name: out, valueFrom: {path: /argosy/out}}]}
    - name: flaky
      retryStrategy: {limit: 2}
      container:
        image: any
        command: [sh, -ec, 'echo "$NODE($TRY)" >> "$EFFECTS"; sleep 0.03; test $TRY = 1']
        env:
          - {name: TRY, value: "{{retries}}"}
          - {name: NODE, value: "wf.flaky"}
          - {name: EFFECTS, value: "{{workflow.parameters.effects}}"}
"""
)
OUTPUT = '((["((begin)-1)","((begin)-2)","((begin)-3)","((begin)-4)","((begin)-5)"]))'


class Place:
    """A home, a manifest, and the engine as a process."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.effects = folder / "effects"
        self.manifest = folder / "manifest.yaml"
        self.manifest.write_text(MANIFEST.replace("EFFECTS}", f"{self.effects}}}", 1), encoding="utf-8")
        self.folder = folder

    def start(self, *arguments: str, **given: Any) -> "subprocess.Popen[str]":
        """Start ``argosy``."""
        return subprocess.Popen(
            [sys.executable, "-c", COMMAND, *arguments, "--local-image", "*", "--json", "--parallelism", "3"],
            env={**os.environ, "ARGOSY_HOME": str(self.home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            **given,
        )

    def run(self, *arguments: str, **given: Any) -> tuple[int, dict[str, Any], str]:
        """Run ``argosy`` to its end: the exit code, what it answered, what it said."""
        with self.start(*arguments, **given) as process:
            answer, said = process.communicate(timeout=60)
        return process.returncode, json.loads(answer) if answer.strip() else {}, said

    def times(self) -> Counter[str]:
        """How often each step began."""
        return Counter(self.effects.read_text(encoding="utf-8").split()) if self.effects.exists() else Counter()

    def succeeded(self) -> set[str]:
        """The steps that the newest run's journal has as succeeded."""
        folder = runs.newest_first(self.home)
        if not folder or not (folder[0].path / runs.JOURNAL).exists():
            return set()
        _, known = journal.read(folder[0].path / runs.JOURNAL)
        return {node.name for node in known.values() if node.type is NodeType.POD and node.phase is Phase.SUCCEEDED}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A place of the test's own."""
    return Place(tmp_path)  # type: ignore[return-value]


def wait_for(place: Place, steps: int) -> None:
    """Wait until *steps* steps have begun."""
    deadline = time.monotonic() + 30
    while sum(place.times().values()) < steps:
        assert time.monotonic() < deadline, "the run does not get going"
        time.sleep(0.005)


def check_whole(place: Place, code: int, answer: dict[str, Any]) -> None:
    """The run ended as an undisturbed one does."""
    assert code == 0
    assert answer["phase"] == "Succeeded"
    assert answer["nodes"]["$"]["outputs"]["parameters"]["out"] == OUTPUT
    assert {name for name in answer["nodes"] if name.startswith("$.flaky")} == {"$.flaky", "$.flaky(0)", "$.flaky(1)"}


@pytest.mark.parametrize("seed", range(8), ids=lambda seed: f"seed-{seed}")
def test_kill_and_resume(seed: int, place: Place) -> None:
    """Killed at a random moment, twice: the outputs are the same, and no step that had succeeded began again."""
    chance = random.Random(seed)
    process = place.start("run", "-f", str(place.manifest))
    wait_for(place, chance.randrange(1, 9))
    time.sleep(chance.random() * 0.05)
    process.kill()
    process.communicate()
    done, times = place.succeeded(), place.times()
    process = place.start("resume")
    time.sleep(0.3 + chance.random() * 0.4)
    process.kill()
    process.communicate()
    assert all(place.times()[name] == times[name] for name in done), "a step that had succeeded began again"
    done, times = place.succeeded(), place.times()
    code, answer, _ = place.run("resume")
    check_whole(place, code, answer)
    assert all(place.times()[name] == times[name] for name in done), "a step that had succeeded began again"


SET = (
    TEMPLATES
    + """\
    - name: main
      volumes: [{name: shared, emptyDir: {}}]
      outputs: {parameters: [{name: out, valueFrom: {path: /data/out}}]}
      containerSet:
        volumeMounts: [{name: shared, mountPath: /data}]
        containers:
          - name: first
            image: any
            command: [sh, -ec, 'echo $NAME >> EFFECTS; printf a >> /data/out']
            env: [{name: NAME, value: first}]
          - name: second
            image: any
            dependencies: [first]
            command: [sh, -ec, 'echo $NAME >> EFFECTS; while [ ! -e FREE ]; do sleep 0.05; done; printf b >> /data/out']
            env: [{name: NAME, value: second}]
          - name: main
            image: any
            dependencies: [first, second]
            command: [sh, -ec, 'echo $NAME >> EFFECTS; printf c >> /data/out']
            env: [{name: NAME, value: main}]
"""
)


def test_killed_between_the_containers_of_a_pod(place: Place) -> None:
    """A pod is done whole or not at all: all of its containers run again, on volumes that are empty again."""
    free = place.folder / "free"
    place.manifest.write_text(SET.replace("EFFECTS", str(place.effects)).replace("FREE", str(free)), encoding="utf-8")
    process = place.start("run", "-f", str(place.manifest))
    wait_for(place, 2)
    process.kill()
    process.communicate()
    assert place.times() == {"first": 1, "second": 1}
    free.touch()
    code, answer, _ = place.run("resume")
    assert (code, answer["phase"]) == (0, "Succeeded")
    assert answer["nodes"]["$"]["outputs"]["parameters"]["out"] == "abc"
    assert place.times() == {"first": 2, "second": 2, "main": 1}
    phases = {name: node["phase"] for name, node in answer["nodes"].items()}
    assert phases == dict.fromkeys(("$", "$.first", "$.second", "$.main"), "Succeeded")


def test_undisturbed(place: Place) -> None:
    """Without a kill every step runs once."""
    code, answer, _ = place.run("run", "-f", str(place.manifest))
    check_whole(place, code, answer)
    assert set(place.times().values()) == {1}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_interrupted(number: signal.Signals, place: Place) -> None:
    """Ctrl-C ends the steps, says how to go on, and leaves 130; the run can be resumed."""
    process = place.start("run", "-f", str(place.manifest))
    wait_for(place, 3)
    process.send_signal(number)
    answer, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert json.loads(answer)["phase"] == "Interrupted"
    assert "argosy resume wf-" in said
    check_whole(place, *place.run("resume")[:2])


def test_nobody_reads(place: Place) -> None:
    """Who stops reading what a run says (`argosy run … | head`) has neither ended it nor made its exit code 0."""
    with place.start("run", "-f", str(place.manifest)) as process:
        assert process.stderr
        assert process.stdout
        process.stderr.close()
        answer = json.loads(process.stdout.read())
    check_whole(place, process.returncode, answer)


def test_two_engines(place: Place) -> None:
    """A run that an engine is at is refused to a second one."""
    held, free = place.manifest.read_text(encoding="utf-8"), place.folder / "free"
    place.manifest.write_text(
        held.replace("sleep 0.04", f"while [ ! -e {free} ]; do sleep 0.1; done"), encoding="utf-8"
    )
    process = place.start("run", "-f", str(place.manifest))
    wait_for(place, 1)
    code, _, said = place.run("resume")
    assert code == 78
    assert "is being run by another argosy process" in said
    free.touch()
    answer, _ = process.communicate(timeout=30)
    check_whole(place, process.returncode, json.loads(answer))


def test_full_disk(place: Place) -> None:
    """A disk that takes no more ends the run with 74 and one line; with room again it goes on."""

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))

    code, answer, said = place.run("run", "-f", str(place.manifest), preexec_fn=small_files)
    assert (code, answer) == (74, {})
    assert said.splitlines()[-2].startswith("error: cannot write the journal of the run")
    assert "argosy resume" in said
    check_whole(place, *place.run("resume")[:2])


def test_failed_run_is_tried_again(place: Place) -> None:
    """Resuming a run that failed does its failed steps again, and not the others."""
    text = place.manifest.read_text(encoding="utf-8").replace("test $TRY = 1", f"test -e {place.folder}/mended")
    place.manifest.write_text(text, encoding="utf-8")
    code, answer, _ = place.run("run", "-f", str(place.manifest))
    assert (code, answer["phase"]) == (1, "Failed")
    (place.folder / "mended").touch()
    before = place.times()
    code, answer, _ = place.run("resume")
    assert (code, answer["phase"]) == (0, "Succeeded")
    assert all(place.times()[name] == 1 for name in before if "flaky" not in name)


@pytest.mark.parametrize("jump", [-3600.0, 3600.0], ids=["back", "ahead"])
def test_a_clock_that_jumps(jump: float, place: Place) -> None:
    """An hour back or ahead at every look at the clock changes what times are shown, and neither order nor outputs."""
    jumping = (
        "import itertools, time; real, count = time.time, itertools.count(); "
        f"time.time = lambda: real() + (next(count) % 2) * {jump}; "
    )
    command = [
        sys.executable,
        "-c",
        jumping + COMMAND,
        "run",
        "-f",
        str(place.manifest),
        "--local-image",
        "*",
        "--json",
    ]
    environment = {**os.environ, "ARGOSY_HOME": str(place.home)}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False, cwd=place.folder
    )
    assert done.returncode == 0, done.stderr
    check_whole(place, done.returncode, json.loads(done.stdout))
    assert set(place.times().values()) == {1}


def test_newer_state_is_refused(place: Place) -> None:
    """A run that another version of Argosy wrote is refused by name, and left as it is."""
    assert place.run("run", "-f", str(place.manifest))[0] == 0
    path = runs.newest_first(place.home)[0].path / runs.JOURNAL
    book = journal.Journal(path)
    book.write(meta={"schema": "2"})
    book.close()
    before = path.read_bytes()
    code, _, said = place.run("resume")
    assert code == 78
    assert "has schema 2; this version of argosy reads 1" in said
    assert path.read_bytes() == before


WAITS = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: waits-}
spec:
  entrypoint: main
  templates:
    - name: main
      steps: [[{name: a, template: wait}], [{name: b, template: wait}], [{name: c, template: wait}]]
    - name: wait
      suspend: {duration: "0"}
"""


def test_what_ended_reaches_the_disk(run: Callable[..., RunResult]) -> None:
    """Each round in which a step ended is put on the disk: a loss of power does not let hours of steps be done again."""
    assert run(WAITS).fsyncs >= 3
