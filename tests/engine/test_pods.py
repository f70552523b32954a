"""Pods of several containers on one machine: what is on record of each, what they share, and whose place they take."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy.argo import NodeType, Phase
from argosy.engine.options import RunResult
from argosy.engine.processes import isolation
from argosy.engine.state import journal, runs
from argosy.engine.stored_logs import StoredLogs
from kit.manifests import TEMPLATES

Run = Callable[..., RunResult]

SET = """
  - name: main
    containerSet:
      containers:
      - {name: one, image: any, command: [sh, -c, "echo of one"]}
      - {name: main, image: any, command: [sh, -c, "echo of main; exit 3"], dependencies: [one]}
"""
SHARED_TMP = """
  - name: main
    volumes: [{name: shared, emptyDir: {}}]
    container:
      image: any
      command: [sh, -ec, "until test -e /tmp/said; do sleep 0.02; done; cat /tmp/said"]
      volumeMounts: [{name: shared, mountPath: /tmp}]
    sidecars:
    - name: beside
      image: any
      command: [sh, -ec, "echo hello > /tmp/said.new; mv /tmp/said.new /tmp/said; sleep 100"]
      volumeMounts: [{name: shared, mountPath: /tmp}]
"""
MOUNTED_IN_SHARED_TMP = """
  - name: main
    volumes: [{name: shared, emptyDir: {}}, {name: inner, emptyDir: {}}]
    containerSet:
      volumeMounts: [{name: shared, mountPath: /tmp}, {name: inner, mountPath: /tmp/inner}]
      containers:
      - name: brief
        image: any
        command: [sh, -ec, "until test -e /tmp/inner/begun; do sleep 0.02; done; touch /tmp/inner/seen"]
      - name: waits
        image: any
        command: [sh, -ec, "touch /tmp/inner/begun; until test -e /tmp/over; do sleep 0.02; done; ls /tmp/inner/seen"]
      - {name: main, image: any, command: [touch, /tmp/over], dependencies: [brief]}
"""
DAEMON = """
  - name: main
    dag:
      tasks:
      - {name: serve, template: serve}
      - {name: first, template: ok, depends: serve}
      - {name: second, template: ok, depends: serve}
  - {name: serve, daemon: true, container: {image: any, command: [sleep, "100"]}}
  - {name: ok, container: {image: any, command: ["true"]}}
"""
DIES = """
  - name: main
    dag:
      tasks:
      - {name: serve, template: serve}
      - {name: waits, template: waits, depends: serve}
  - {name: serve, daemon: true, container: {image: any, command: [sh, -c, "until test -e FOLDER/begun; do sleep 0.02; done; exit 7"]}}
  - {name: waits, container: {image: any, command: [sh, -c, "touch FOLDER/begun; until test -e FOLDER/known; do sleep 0.02; done"]}}
"""
NEIGHBOURS = """
  - name: main
    script:
      image: any
      command: [python]
      source: |
        import socket
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.settimeout(10)
            open("/shared/port.new", "w").write(str(listening.getsockname()[1]))
            __import__("os").rename("/shared/port.new", "/shared/port")
            print(listening.accept()[0].recv(100).decode())
      volumeMounts: [{name: shared, mountPath: /shared}]
    volumes: [{name: shared, emptyDir: {}}]
    sidecars:
    - name: calls
      image: any
      mirrorVolumeMounts: true
      command: [sh, -c, 'echo calls; until test -e /shared/port; do sleep 0.05; done; python3 -c "$CALL"']
      env:
      - name: CALL
        value: "import socket; socket.create_connection((\\"127.0.0.1\\", int(open(\\"/shared/port\\").read()))).sendall(b\\"hello\\")"
"""


def log_of(result: RunResult, node: str) -> str:
    """What the node *node* wrote."""
    folder = runs.RunFolder(result.folder).attempt(result.workflow, node, 0)
    return (folder / "main.log").read_text(encoding="utf-8")


def test_each_container_is_on_record(run: Run) -> None:
    """A container of a set has a log and a row in the journal of its own; the set's exit code is that of ``main``."""
    result = run(TEMPLATES + SET)
    assert (log_of(result, "wf.one"), log_of(result, "wf.main")) == ("of one\n", "of main\n")
    attempts = {attempt.node: attempt for attempt in journal.read_attempts(result.folder / runs.JOURNAL)}
    assert {name: attempt.code for name, attempt in attempts.items()} == {"wf": 3, "wf.one": 0, "wf.main": 3}
    assert attempts["wf.one"].pid
    assert attempts["wf.main"].pid
    assert result.exit_code == 3


def test_a_daemon_takes_nobodys_place(run: Run) -> None:
    """With room for one process, what needs a daemon runs beside it, and the daemon ends last."""
    result = run(TEMPLATES + DAEMON, parallelism=1)
    assert result.phase == "Succeeded"
    attempts = {attempt.node: attempt for attempt in journal.read_attempts(result.folder / runs.JOURNAL)}
    serve = attempts["wf.serve"]
    assert serve.finished is not None
    assert serve.finished >= (attempts["wf.second"].finished or 0)


def test_a_daemon_that_ends_by_itself_has_failed(run: Run, tmp_path: Path) -> None:
    """What follows goes on: here until the journal has it that the daemon failed."""

    def tell() -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and Phase.FAILED not in _phases(tmp_path / "home"):
            time.sleep(0.02)
        (tmp_path / "known").touch()

    telling = threading.Thread(target=tell)
    telling.start()
    result = run(TEMPLATES + DIES.replace("FOLDER", str(tmp_path)))
    telling.join()
    assert result.nodes["$.serve"].phase is Phase.FAILED
    assert result.nodes["$.serve"].message == "main: Error (exit code 7)"
    assert result.nodes["$.waits"].phase is Phase.SUCCEEDED


def _phases(home: Path) -> set[Phase]:
    """The phases of the nodes of the newest run, by now."""
    known = runs.newest_first(home)
    begun = bool(known) and (known[0].path / runs.JOURNAL).exists()
    return {node.phase for node in known[0].state()[1].values()} if begun else set()


@pytest.mark.skipif(not isolation.here().private_files, reason="no view of the file system of a process's own here")
def test_containers_of_a_pod_share_the_network(run: Run) -> None:
    """What listens on the local address is reached from the container beside it."""
    result = run(TEMPLATES + NEIGHBOURS)
    assert result.phase == "Succeeded"
    assert log_of(result, "wf") == "hello\n"
    found = StoredLogs(runs.RunFolder(result.folder), result.workflow, step=None).lines(follow=False)
    assert [(line.step, line.text) for line in found] == [("$", "hello"), ("$.calls", "calls")]
    assert [node.type for node in result.nodes.values()] == [NodeType.POD]


@pytest.mark.skipif(not isolation.here().private_files, reason="no view of the file system of a process's own here")
def test_containers_of_a_pod_can_share_their_tmp(run: Run) -> None:
    """A volume that both mount at /tmp is what either has there; with the attempt it goes, and no later step is handed it."""
    result = run(TEMPLATES + SHARED_TMP)
    assert result.phase == "Succeeded"
    assert log_of(result, "wf") == "hello\n"
    attempt = runs.RunFolder(result.folder).attempt(result.workflow, "wf", 0)
    assert [entry.name for entry in attempt.iterdir()] == ["main.log"]


@pytest.mark.skipif(not isolation.here().private_files, reason="no view of the file system of a process's own here")
def test_what_is_mounted_in_a_shared_tmp_outlasts_the_first_to_end(run: Run) -> None:
    """A volume below a /tmp that containers share is there for the others when one of them has ended."""
    result = run(TEMPLATES + MOUNTED_IN_SHARED_TMP)
    assert result.phase == "Succeeded", result.message
