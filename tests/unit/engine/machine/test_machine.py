"""The state machine by itself: a world that answers as it is told, and a clock that is turned by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from argosy.argo import Phase
from argosy.engine import effects
from argosy.engine.effects import PodResult
from argosy.engine.machine.core import Identity
from argosy.engine.machine.workflow import Workflow
from argosy.engine.manifest.catalogue import Catalogue
from argosy.engine.nodes import Ending, Node, Outputs
from kit import quick_yaml

LEAF = {"name": "leaf", "container": {"image": "any", "command": ["x"]}}
Answer = Callable[[str], PodResult | None]


class World:
    """Runs a workflow: *answer* says how a pod ends, None that it goes on running."""

    def __init__(self, spec: dict[str, Any], answer: Answer, history: dict[str, Node] | None = None) -> None:
        self.now = 1000.0
        self.started: list[str] = []
        self.stopped: list[str] = []
        self.answer = answer
        self.workflow = Workflow(
            catalogue=Catalogue({"entrypoint": "main", **spec}),
            identity=Identity("wf", "uid", self.now),
            metadata={},
            arguments={},
            config_maps={},
            clock=lambda: self.now,
            history=history,
        )
        self.machine = self.workflow.machine
        self.workflow.start()
        self.serve()

    def serve(self) -> None:
        """Answer whatever is asked."""
        while self.machine.effects:
            asked, self.machine.effects = self.machine.effects, []
            for effect in asked:
                if isinstance(effect, effects.StartPod):
                    self._start(effect)
                elif isinstance(effect, effects.StopPod):
                    self.stopped.append(effect.name)

    def pass_time(self, seconds: float) -> None:
        """Turn the clock."""
        self.now += seconds
        self.machine.tick()
        self.serve()

    def phases(self) -> dict[str, str]:
        """Every node's phase."""
        return {name: str(node.phase) for name, node in self.machine.nodes.items()}

    def _start(self, request: effects.StartPod) -> None:
        self.started.append(request.name)
        self.machine.pod_started(request.name)
        if result := self.answer(request.name):
            self.machine.pod_finished(request.name, result)


def ok(_: str) -> PodResult:
    """Everything succeeds."""
    return PodResult(Phase.SUCCEEDED, outputs=Outputs(exit_code="0"))


def failed(code: int) -> PodResult:
    """A failure with *code*."""
    return PodResult(Phase.FAILED, f"main: Error (exit code {code})", Outputs(exit_code=str(code)))


def tasks(*given: dict[str, Any]) -> dict[str, Any]:
    """A workflow of one DAG over a leaf."""
    return {"templates": [{"name": "main", "dag": {"tasks": [{"template": "leaf", **task} for task in given]}}, LEAF]}


def said(text: str) -> PodResult:
    """Success, with *text* on standard output."""
    return PodResult(Phase.SUCCEEDED, outputs=Outputs(result=text, exit_code="0"))


def test_results_of_a_loop_that_are_no_json() -> None:
    """The task that asks for them is an error, and the controller gives up the DAG, with the reason."""
    asks = {"arguments": {"parameters": [{"name": "p", "value": "{{tasks.each.outputs.result}}"}]}}
    world = World(
        tasks({"name": "each", "withItems": [1, 2]}, {"name": "see", "depends": "each", **asks}), lambda _: said("a")
    )
    reason = "invalid character 'a' looking for beginning of value"
    assert world.machine.nodes["wf.see"].message == reason
    assert (world.phases()["wf"], world.machine.nodes["wf"].message) == ("Error", reason)
    assert world.workflow.ending == Ending(Phase.ERROR, f"error in entry template execution: {reason}")


def test_results_of_an_inner_loop_that_are_no_json() -> None:
    """A DAG inside another one is a task that errored; the workflow is not given up for it."""
    asks = {"arguments": {"parameters": [{"name": "p", "value": "{{tasks.each.outputs.result}}"}]}}
    inner = tasks({"name": "each", "withItems": [1]}, {"name": "see", "depends": "each", **asks})["templates"][0]
    outer = {"name": "main", "dag": {"tasks": [{"name": "a", "template": "inner"}]}}
    world = World({"templates": [outer, {**inner, "name": "inner"}, LEAF]}, lambda _: said("a"))
    message = "task 'wf.a' errored: invalid character 'a' looking for beginning of value"
    assert (world.phases()["wf.a"], world.machine.nodes["wf.a"].message) == ("Error", message)
    assert world.workflow.ending == Ending(Phase.ERROR, "")


@pytest.mark.parametrize("kind", ["tasks", "steps"])
def test_a_loop_over_nothing_that_was_printed(kind: str) -> None:
    """Standard output that stayed empty is no list: an error of the loop, not of the engine."""
    pair: list[dict[str, Any]] = [
        {"name": "list", "template": "leaf"},
        {"name": "each", "template": "leaf", "withParam": f"{{{{{kind}.list.outputs.result}}}}"},
    ]
    body: dict[str, Any] = {"steps": [[pair[0]], [pair[1]]]}
    if kind == "tasks":
        body = {"dag": {"tasks": [pair[0], {**pair[1], "depends": "list"}]}}
    world = World({"templates": [{"name": "main", **body}, LEAF]}, lambda _: said(""))
    erred = world.machine.nodes["wf[1]" if kind == "steps" else "wf.each"]
    assert erred.message == "withParam value could not be parsed as a JSON list: : unexpected end of JSON input"
    assert erred.phase is Phase.ERROR


NEEDY = {"name": "needy", "inputs": {"artifacts": [{"name": "a", "path": "/a"}]}, "container": LEAF["container"]}
ABSENT = {"artifacts": [{"name": "a", "from": "{{workflow.outputs.artifacts.none}}"}]}


def test_an_exit_handler_of_what_was_never_made() -> None:
    """The handler is the error, with its reason, and the workflow that had succeeded is one."""
    handler = {"template": "needy", "arguments": ABSENT}
    world = World({"templates": [{**LEAF, "name": "main"}, NEEDY], "hooks": {"exit": handler}}, ok)
    reason = 'Unable to resolve: "workflow.outputs.artifacts.none"'
    assert world.phases() == {"wf": "Succeeded", "wf.onExit": "Error"}
    assert world.workflow.ending == Ending(Phase.ERROR, reason)


def test_a_hook_of_the_workflow_of_what_was_never_made() -> None:
    """The hook is the error; the workflow goes on, and its exit handler runs."""
    hook = {"template": "needy", "arguments": ABSENT, "expression": "workflow.status == 'Running'"}
    spec = {"templates": [{**LEAF, "name": "main"}, NEEDY, LEAF], "hooks": {"early": hook}, "onExit": "leaf"}
    world = World(spec, ok)
    assert world.phases() == {"wf.hooks.early": "Error", "wf": "Succeeded", "wf.onExit": "Succeeded"}
    assert world.workflow.ending == Ending(Phase.SUCCEEDED, "")


@pytest.mark.parametrize("kind", ["dag", "steps", "suspend", "container"])
@pytest.mark.parametrize("moment", ["Running", "Succeeded"])
def test_a_hook_of_a_task_of_what_was_never_made(kind: str, moment: str) -> None:
    """The task is the error once it has ended, whatever it calls, and so is the DAG that ends with it."""
    bodies: dict[str, Any] = {
        "dag": {"tasks": [{"name": "in", "template": "leaf"}]},
        "steps": [[{"name": "in", "template": "leaf"}]],
        "suspend": {"duration": "5"},
        "container": LEAF["container"],
    }
    absent = {"artifacts": [{"name": "a", "from": "{{tasks.t.outputs.artifacts.none}}"}]}
    hook = {"template": "needy", "arguments": absent, "expression": f"tasks.t.status == '{moment}'"}
    task = {"name": "t", "template": "sub", "hooks": {"early": hook}}
    main = {"name": "main", "dag": {"tasks": [task]}}
    world = World({"templates": [main, {"name": "sub", kind: bodies[kind]}, NEEDY, LEAF]}, ok)
    world.pass_time(6)
    reason = 'wf.t.hooks.early: Unable to resolve: "tasks.t.outputs.artifacts.none"'
    assert world.machine.nodes["wf.t"].message == reason
    assert (world.phases()["wf.t"], world.phases()["wf"]) == ("Error", "Error")
    assert world.workflow.ending == Ending(Phase.ERROR, "")


def test_a_daemon_that_ends_makes_room() -> None:
    """Who waits because only so many may run starts when a daemon ends by itself, as when anything else does."""
    steps = [
        [{"name": "lasts", "template": "daemon", "continueOn": {"failed": True}}],
        [{"name": "b", "template": "leaf"}],
    ]
    spec = {"templates": [{"name": "main", "steps": steps}, {**LEAF, "name": "daemon", "daemon": True}, LEAF]}
    world = World({**spec, "parallelism": 1}, lambda name: ok(name) if name == "wf[1].b" else None)
    world.machine.pod_ready("wf[0].lasts")
    world.serve()
    assert world.started == ["wf[0].lasts"]
    world.machine.pod_finished("wf[0].lasts", ok(""))
    world.serve()
    assert world.started == ["wf[0].lasts", "wf[1].b"]
    assert world.phases()["wf"] == "Succeeded"


@pytest.mark.parametrize("first", ["wf.all[0].a", "wf.all[0].b"])
def test_the_phase_does_not_depend_on_who_ends_first(first: str) -> None:
    """Of steps that end apart from each other, the one that was started first says how the DAG round them ended."""
    steps = [[{"name": "a", "template": "leaf"}, {"name": "b", "template": "leaf"}]]
    dag = {"tasks": [{"name": "all", "template": "all"}]}
    world = World({"templates": [{"name": "main", "dag": dag}, {"name": "all", "steps": steps}, LEAF]}, lambda _: None)
    ends = {"wf.all[0].a": PodResult(Phase.ERROR, "lost"), "wf.all[0].b": failed(1)}
    for name in sorted(ends, key=lambda name: name != first):
        world.machine.pod_finished(name, ends[name])
    assert world.phases()["wf"] == "Error"


def test_backoff_waits_and_grows() -> None:
    """duration, factor and cap set the moments of the attempts."""
    retries = {"limit": 3, "backoff": {"duration": "10s", "factor": 3, "cap": "20s"}}
    world = World({"templates": [{**LEAF, "name": "main", "retryStrategy": retries}]}, lambda _: failed(1))
    moments = []
    for second in range(61):
        if len(world.started) > len(moments):
            moments.append(second)
        world.pass_time(1)
    assert moments == [0, 10, 30, 50]
    assert world.machine.nodes["wf"].message == "No more retries left"


PIPELINES = sorted((Path(__file__).parents[4] / "workflows").glob("*/pipeline.yaml"))


def strategies() -> list[dict[str, Any]]:
    """The retry strategies of the committed pipelines, each once."""
    found: list[dict[str, Any]] = []
    for path in PIPELINES:
        for template in quick_yaml.load(path.read_text(encoding="utf-8"))["spec"]["templates"]:
            if (strategy := template.get("retryStrategy")) and strategy not in found:
                found.append(strategy)
    return found


@pytest.mark.parametrize("strategy", strategies(), ids=lambda strategy: strategy["expression"][:20])
def test_what_is_down_for_five_minutes_is_waited_out(strategy: dict[str, Any]) -> None:
    """By every step of the pipelines, whatever the outside world is: exit code 75 while it is down, and it goes on once it is back."""
    world = World({"templates": [{**LEAF, "name": "main", "retryStrategy": strategy}]}, lambda _: failed(75))
    for _ in range(300):
        world.pass_time(1)
    world.answer = ok
    for _ in range(300):
        world.pass_time(1)
    assert world.phases()["wf"] == "Succeeded"
    assert len(world.started) <= 6, "nobody is asked all the time whether he is back"


@pytest.mark.parametrize("strategy", strategies(), ids=lambda strategy: strategy["expression"][:20])
def test_what_was_evicted_after_hours_is_tried_again(strategy: dict[str, Any]) -> None:
    """However long an attempt took: what it was doing is lost, the step is not."""
    world = World({"templates": [{**LEAF, "name": "main", "retryStrategy": strategy}]}, lambda _: None)
    world.pass_time(3 * 3600)
    world.answer = ok
    world.machine.pod_finished("wf(0)", PodResult(Phase.FAILED, "The node was low on resource: memory."))
    world.serve()
    for _ in range(10):
        world.pass_time(1)
    assert world.phases()["wf"] == "Succeeded"


def test_max_duration_ends_the_retries() -> None:
    """No attempt begins after maxDuration."""
    retries = {"limit": 9, "backoff": {"duration": "10s", "maxDuration": "15s"}}
    world = World({"templates": [{**LEAF, "name": "main", "retryStrategy": retries}]}, lambda _: failed(1))
    world.pass_time(10)
    assert world.started == ["wf(0)", "wf(1)"]
    assert world.machine.nodes["wf"].message == "Backoff would exceed max duration limit"


def test_deadline_stops_what_runs() -> None:
    """At the workflow's deadline running pods are stopped, and nothing new begins."""
    spec = tasks({"name": "a"}, {"name": "b", "depends": "a.Failed"})
    world = World({**spec, "activeDeadlineSeconds": 5}, lambda name: None if name == "wf.a" else ok(name))
    world.pass_time(6)
    assert world.stopped == ["wf.a"]
    assert world.phases() == {"wf": "Failed", "wf.a": "Failed", "wf.b": "Failed"}
    assert world.started == ["wf.a"]


def test_nothing_fulfilled_is_done_again() -> None:
    """Given the nodes of a journal, the machine takes up where it was."""
    spec = tasks({"name": "a"}, {"name": "b", "depends": "a"}, {"name": "c", "depends": "b", "withItems": [1, 2]})
    first = World(spec, lambda name: None if name == "wf.c(1:2)" else ok(name))
    assert first.started == ["wf.a", "wf.b", "wf.c(0:1)", "wf.c(1:2)"]
    history = {name: Node.from_json(node.to_json()) for name, node in first.machine.nodes.items()}
    second = World(spec, ok, history)
    assert second.started == ["wf.c(1:2)"]
    assert second.workflow.ending is not None
    assert second.workflow.ending.phase is Phase.SUCCEEDED


@pytest.mark.parametrize("killed_at", range(1, 9))
def test_any_history_leads_to_the_same_end(killed_at: int) -> None:
    """Wherever the first engine stopped, the second comes to the same nodes."""
    spec = {
        "templates": [
            {
                "name": "main",
                "steps": [
                    [{"name": "a", "template": "again"}, {"name": "l", "template": "leaf", "withItems": ["x", "y"]}],
                    [
                        {"name": "never", "template": "leaf", "when": "1 > 2"},
                        {"name": "b", "template": "leaf", "onExit": "leaf"},
                    ],
                ],
            },
            {**LEAF, "name": "again", "retryStrategy": {"limit": 2}},
            LEAF,
        ]
    }

    def answer(name: str) -> PodResult:
        return failed(1) if name == "wf[0].a(0)" else ok(name)

    whole = World(spec, answer).phases()
    count = 0

    def until(name: str) -> PodResult | None:
        nonlocal count
        count += 1
        return answer(name) if count < killed_at else None

    stopped = World(spec, until).machine.nodes
    history = {name: Node.from_json(node.to_json()) for name, node in stopped.items()}
    resumed = World(spec, answer, history)
    assert resumed.phases() == whole
    assert not {name for name, node in stopped.items() if node.fulfilled} & set(resumed.started)


def test_long_chains_use_no_stack() -> None:
    """A thousand skipped tasks in a row are not a thousand calls deep."""
    chain = [{"name": f"t{n}", "when": "false", **({"depends": f"t{n - 1}"} if n else {})} for n in range(1000)]
    world = World(tasks(*chain), ok)
    assert set(world.phases().values()) == {"Succeeded", "Skipped"}


def test_endless_recursion_ends() -> None:
    """A template that calls itself for ever is an error, not a full memory."""
    world = World({"templates": [{"name": "main", "steps": [[{"name": "again", "template": "main"}]]}]}, ok)
    assert world.workflow.ending is not None
    assert world.workflow.ending.phase is Phase.FAILED
    assert any("max depth exceeded" in node.message for node in world.machine.nodes.values())


def test_an_entrypoint_that_cannot_be_called() -> None:
    """The workflow errs, and its exit handler does not run."""
    inputs = {"parameters": [{"name": "p", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "k"}}}]}
    world = World({"onExit": "leaf", "templates": [{**LEAF, "name": "main", "inputs": inputs}, LEAF]}, ok)
    assert world.workflow.ending is not None
    assert world.workflow.ending.phase is Phase.ERROR
    assert world.workflow.ending.message.startswith("error in entry template execution: inputs.parameters.p")
    assert world.phases() == {"wf": "Error"}


def test_a_step_that_cannot_be_called_fails_its_group_at_once() -> None:
    """Without waiting for the steps beside it."""
    inputs = {"parameters": [{"name": "p", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "k"}}}]}
    steps = [[{"name": "slow", "template": "leaf"}, {"name": "broken", "template": "needy"}]]
    world = World(
        {"templates": [{"name": "main", "steps": steps}, {**LEAF, "name": "needy", "inputs": inputs}, LEAF]},
        lambda _: None,
    )
    assert world.phases() == {"wf": "Failed", "wf[0]": "Error", "wf[0].slow": "Running", "wf[0].broken": "Error"}
    assert world.machine.nodes["wf[0]"].message.startswith("step group deemed errored due to child wf[0].broken error")


def test_a_wrong_answer_is_final_at_once() -> None:
    """Where the expression says no, nobody waits for the backoff."""
    retries = {"limit": 3, "expression": "asInt(lastRetry.exitCode) == 75", "backoff": {"duration": "1h"}}
    world = World({"templates": [{**LEAF, "name": "main", "retryStrategy": retries}]}, lambda _: failed(10))
    assert world.phases() == {"wf": "Failed", "wf(0)": "Failed"}
    assert world.machine.nodes["wf"].message == "retryStrategy.expression evaluated to false"


def test_a_run_that_is_taken_up_has_what_was_exported_before() -> None:
    """Also by nodes within one that is over, which nobody visits again; of two with one name the later, and none of what is done again."""
    exported = {"parameters": [{"name": "own", "globalName": "shared", "valueFrom": {"path": "/x"}}]}
    tasks = [{"name": "first", "template": "leaf"}, {"name": "second", "template": "leaf", "depends": "first"}]
    spec = {
        "templates": [
            {"name": "main", "dag": {"tasks": [{"name": "inner", "template": "inner"}]}},
            {"name": "inner", "dag": {"tasks": tasks}},
            {**LEAF, "outputs": exported},
        ]
    }
    world = World(
        spec, lambda name: PodResult(Phase.SUCCEEDED, outputs=Outputs({"own": name.rpartition(".")[2]}, exit_code="0"))
    )
    nodes = {name: Node.from_json(node.to_json()) for name, node in world.machine.nodes.items()}
    nodes["wf.inner.second"].finished = 2000.0
    taken_up = World(spec, failed, dict(reversed(nodes.items()))).machine  # type: ignore[arg-type]
    assert taken_up.outputs.parameters == world.machine.outputs.parameters == {"shared": "second"}
    assert taken_up.variables["workflow.outputs.parameters.shared"] == "second"
    for again in ("wf", "wf.inner", "wf.inner.second"):
        del nodes[again]
    assert World(spec, lambda _: None, nodes).machine.outputs.parameters == {"shared": "first"}
