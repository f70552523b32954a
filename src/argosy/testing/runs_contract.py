"""The contract suite of runs, on this machine and on a cluster."""

import time
from collections.abc import Callable
from typing import Protocol

import pytest

from argosy import errors
from argosy.argo import Phase
from argosy.ports.runs import NEWEST, SUSPENDED, Run, Runs

EXAMPLE = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: example-}
spec:
  entrypoint: main
  templates:
    - name: main
      steps:
        - - {name: ask, template: ask}
        - - {name: use, template: use, arguments: {parameters: [{name: code, value: "{{steps.ask.outputs.parameters.code}}"}]}}
    - name: ask
      suspend: {}
      outputs:
        parameters:
          - {name: code, valueFrom: {supplied: {}}}
          - {name: why, valueFrom: {supplied: {}, default: none}}
    - name: use
      inputs: {parameters: [{name: code}]}
      container:
        image: any
        command: [sh, -c, 'echo "ends by $CODE"; exit $CODE']
        env: [{name: CODE, value: "{{inputs.parameters.code}}"}]
"""
"""It waits for an exit code, and ends by it."""

PATIENCE_SECONDS = 60


class RunsHost(Protocol):
    """The machine or cluster on which the contract is tried."""

    @property
    def runs(self) -> Runs:
        """The runs there: none yet."""

    def begin(self) -> str:
        """Begin a run of the example; returns its name once it waits for an answer."""


def until(runs: Runs, name: str, holds: Callable[[Run], bool]) -> Run:
    """The run *name*, once it is as it should come to be."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds(run := runs.get(name)):
        assert time.monotonic() < deadline, f"it does not come to that: {run}"
        time.sleep(0.02)
    return run


def is_over(run: Run) -> bool:
    """True where nobody is at the run any more."""
    return not run.under_way


class RunsContract:
    """Inherit, and provide a fixture ``place``."""

    def test_none_yet(self, place: RunsHost) -> None:
        """Nothing is listed, nothing is found, and what makes a run is said."""
        assert list(place.runs.newest_first()) == []
        assert "`argosy" in place.runs.none_yet
        with pytest.raises(errors.UsageError):
            place.runs.find(NEWEST)

    def test_a_run_that_waits(self, place: RunsHost) -> None:
        """It is under way, and the node that waits says what it asks for; its names are Argo's."""
        name = place.begin()
        run = place.runs.get(name)
        assert (run.name, run.phase, run.under_way, run.over, run.finished) == (name, "Running", True, False, None)
        (node,) = run.waiting
        assert (run.local(node), node.phase, node.asks) == ("$[0].ask", Phase.RUNNING, {"code": None, "why": "none"})
        assert node.as_status()["type"] == "Suspend"

    def test_names(self, place: RunsHost) -> None:
        """The whole name, a beginning that only one run has, and the newest; no other."""
        older, newer = place.begin(), place.begin()
        runs = place.runs
        assert [run.name for run in runs.newest_first()] == [newer, older]
        assert [[run.name for run in runs.newest_first(skipped)] for skipped in (1, 2)] == [[older], []]
        assert runs.find(NEWEST) == newer
        assert runs.find(older) == older
        assert runs.find(older[:-1]) == older
        for name in ("example-", "nothing"):
            with pytest.raises(errors.UsageError):
                runs.find(name)

    def test_an_answer_goes_on(self, place: RunsHost) -> None:
        """The node ends with what it was given, defaults for the rest and the message; the run goes on to its end."""
        name = place.begin()
        place.runs.approve(name, self._waiting(place, name), {"code": "0"}, "approved by me")
        run = until(place.runs, name, is_over)
        assert (run.phase, run.over, run.waiting) == ("Succeeded", True, [])
        assert run.finished is not None
        nodes = {run.local(node): node for node in run.nodes.values()}
        assert nodes["$[0].ask"].outputs.parameters == {"code": "0", "why": "none"}
        assert nodes["$[0].ask"].message == "approved by me"
        assert (nodes["$[1].use"].template, nodes["$[1].use"].boundary) == ("use", run.root)
        assert [line.text for line in place.runs.log(name, "use", follow=False)] == ["ends by 0"]

    def test_what_failed_is_tried_again(self, place: RunsHost) -> None:
        """A step's exit code is told; the retry does the step again and nothing that succeeded, and tells the code if it ran here."""
        name = place.begin()
        place.runs.approve(name, self._waiting(place, name), {"code": "10"}, "")
        run = until(place.runs, name, is_over)
        assert run.phase == "Failed"
        (use,) = [node for node in run.nodes.values() if node.display_name == "use"]
        assert (use.phase, use.outputs.exit_code) == (Phase.FAILED, "10")
        assert place.runs.retry(name) in (None, 10)
        again = until(place.runs, name, is_over)
        assert (again.phase, again.waiting) == ("Failed", [])
        (later,) = [node for node in again.nodes.values() if node.display_name == "use"]
        assert (later.finished or 0) > (use.finished or 0)

    def test_a_pause(self, place: RunsHost) -> None:
        """A suspended run says so until it goes on, and does not end meanwhile."""
        name = place.begin()
        place.runs.suspend(name)
        assert until(place.runs, name, lambda run: run.phase == SUSPENDED).under_way
        assert place.runs.resume(name) is None
        until(place.runs, name, lambda run: run.phase != SUSPENDED)

    @pytest.mark.parametrize("verb", ["stop", "terminate"])
    def test_an_end(self, place: RunsHost, verb: str) -> None:
        """The run fails, saying why. Then nothing can be asked of it."""
        name = place.begin()
        getattr(place.runs, verb)(name)
        run = until(place.runs, name, is_over)
        assert (run.phase, run.message) == ("Failed", f"Stopped with strategy '{verb.title()}'")
        for ask in (place.runs.stop, place.runs.terminate, place.runs.suspend):
            with pytest.raises(errors.UsageError, match=f"run {name} does not run now .it is Failed.; it is over"):
                ask(name)

    def test_the_logs_of_nobody(self, place: RunsHost) -> None:
        """A step that is not there is named, with those that are."""
        name = place.begin()
        with pytest.raises(errors.UsageError, match=f"run {name} has no step 'nobody'; it has none yet"):
            list(place.runs.log(name, "nobody", follow=False))

    def test_what_is_deleted_is_gone(self, place: RunsHost) -> None:
        """It is listed no more, and nothing can be asked of it; the others stay."""
        name, other = place.begin(), place.begin()
        place.runs.terminate(name)
        until(place.runs, name, is_over)
        place.runs.delete(name)
        assert [run.name for run in place.runs.newest_first()] == [other]
        for ask in (place.runs.get, place.runs.stop, place.runs.resume, place.runs.retry, place.runs.delete):
            with pytest.raises(errors.UsageError):
                ask(name)

    @staticmethod
    def _waiting(place: RunsHost, name: str) -> str:
        (node,) = place.runs.get(name).waiting
        return node.name
