"""The runs of this machine and those of a cluster's namespace hold one contract; what only one of them has is below."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from kubernetes import client

from argosy import errors
from argosy.adapters.cluster import workflows
from argosy.adapters.cluster.runs import ClusterRuns
from argosy.adapters.cluster.workflows import ClusterWorkflows
from argosy.engine import api
from argosy.engine.options import RunOptions
from argosy.engine.state.runs import RunFolder
from argosy.engine.stored_runs import StoredRuns
from argosy.ports.runs import KILLED, Run
from argosy.testing.runs_contract import EXAMPLE, RunsContract, is_over, until
from kit.argo_server import Argo, argo_server

RUN = "from argosy.cli.main import main; main()"


@dataclass
class Machine:
    """Runs of this machine, each with an engine of its own."""

    folder: Path
    stack: contextlib.ExitStack
    engines: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def runs(self) -> StoredRuns:
        """See the contract."""
        options = RunOptions(home=self.folder / "home", process_images=("*",), working_folder=self.folder)

        def carry_out(folder: RunFolder, again: object) -> int:
            assert not again
            return api.resume(options.home, folder.run, options).exit_code

        return StoredRuns(options.home, carry_out, lambda folder: api.forget_artifacts(folder, options))

    def begin(self) -> str:
        """See the contract."""
        known = {run.name for run in self.runs.newest_first()}
        manifest = self.folder / "example.yaml"
        manifest.write_text(EXAMPLE, encoding="utf-8")
        command = [sys.executable, "-c", RUN, "run", "-f", str(manifest), "--local-image", "*"]
        environment = {**os.environ, "ARGOSY_HOME": str(self.folder / "home")}
        with (self.folder / "engine.log").open("ab") as log:
            engine = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=self.folder)
        self.stack.callback(engine.wait)
        self.stack.callback(engine.kill)
        self.engines.append(engine)
        return self._waiting(engine, known)

    def _waiting(self, engine: "subprocess.Popen[bytes]", known: set[str]) -> str:
        """The name of the run that is not among the *known*, once it waits."""
        while True:
            for run in self.runs.newest_first():
                if run.name not in known and run.phase == "Running" and self.runs.get(run.name).waiting:
                    return run.name
            assert engine.poll() is None, (self.folder / "engine.log").read_text(encoding="utf-8")
            time.sleep(0.02)


@dataclass
class Namespace:
    """Runs of a namespace of a cluster, through its API server."""

    cluster: Argo

    @property
    def runs(self) -> ClusterRuns:
        """See the contract."""
        configuration = client.Configuration(host=self.cluster.url)
        return ClusterRuns(ClusterWorkflows("team", api=client.ApiClient(configuration)))

    def begin(self) -> str:
        """See the contract."""
        return self.cluster.begin()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A state folder without runs."""
    with contextlib.ExitStack() as stack:
        yield Machine(tmp_path, stack)


@pytest.fixture
def namespace(monkeypatch: pytest.MonkeyPatch) -> Iterator[Namespace]:
    """A namespace without workflows, and an ``argo`` that has its controller retry."""
    with argo_server() as cluster:

        def retry(command: list[str], **_more: object) -> "subprocess.CompletedProcess[str]":
            name = command[command.index("retry") + 1]
            if name not in cluster.workflows:
                return subprocess.CompletedProcess(command, 1, stdout="", stderr=f"workflow {name} not found")
            cluster.retry(name)
            return subprocess.CompletedProcess(command, 0, stdout="", stderr="")

        monkeypatch.setattr(workflows.shutil, "which", lambda _name: "argo")
        monkeypatch.setattr(workflows.subprocess, "run", retry)
        yield Namespace(cluster)


class TestMachine(RunsContract):
    """What the engine stored."""

    @pytest.fixture
    def place(self, machine: Machine) -> Machine:
        """This machine."""
        return machine


class TestCluster(RunsContract):
    """What Argo keeps."""

    @pytest.fixture
    def place(self, namespace: Namespace) -> Namespace:
        """A cluster."""
        return namespace


def test_a_run_whose_engine_was_killed(machine: Machine) -> None:
    """Nobody is at it, and that is said; whoever goes on with it here carries it out."""
    name = machine.begin()
    machine.engines[0].kill()
    machine.engines[0].wait()
    run = machine.runs.get(name)
    assert (run.phase, run.under_way, run.over, run.finished) == (KILLED, False, False, None)
    with pytest.raises(errors.UsageError, match=f"it is Killed.; `argosy resume {name}` goes on with it"):
        machine.runs.stop(name)


def test_a_run_that_is_under_way_is_not_deleted(machine: Machine) -> None:
    """It has to be stopped first."""
    name = machine.begin()
    with pytest.raises(errors.UsageError, match=f"run {name} is under way; stop it first"):
        machine.runs.delete(name)
    assert machine.runs.get(name).waiting


def test_a_run_that_waits_for_nobody_is_not_taken_from_its_engine(machine: Machine) -> None:
    """To resume it means to carry it out, and it is carried out already."""
    name = machine.begin()
    with pytest.raises(errors.Misconfigured, match=f"run {name} is being run by another argosy process"):
        machine.runs.resume(name)


def test_a_workflow_that_is_over_does_not_go_on(namespace: Namespace) -> None:
    """What helps instead is named where something failed."""
    name = namespace.begin()
    namespace.runs.stop(name)
    with pytest.raises(errors.UsageError, match=f"nothing to go on with; `argosy retry {name}` does again what failed"):
        namespace.runs.resume(name)


def test_a_workflow_that_changes_while_it_is_answered(namespace: Namespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the controller wrote meanwhile is kept: the answer is given to what is there now."""
    name = namespace.begin()
    found = namespace.cluster.workflows[name]
    answered = workflows._answered

    def late(*given: object) -> object:
        if namespace.cluster.changes == 1:
            namespace.cluster.change(name, {**found, "status": {**found["status"], "progress": "1/2"}})
        return answered(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(workflows, "_answered", late)
    (node,) = namespace.runs.get(name).waiting
    namespace.runs.approve(name, node.name, {"code": "0"}, "")
    run: Run = until(namespace.runs, name, is_over)
    assert run.phase == "Succeeded"
    assert namespace.cluster.workflows[name]["status"]["progress"] == "1/2"
