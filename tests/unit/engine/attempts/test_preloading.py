"""What a run will import next."""

from typing import Any

from argosy.engine.attempts import preloading
from argosy.engine.attempts.environment import Sources
from argosy.engine.manifest.catalogue import Catalogue
from argosy.engine.processes import python_program


def leaf(name: str, preload: str = "", **env: str) -> dict[str, Any]:
    """A container template."""
    variables = [{"name": key, "value": value} for key, value in env.items()]
    annotations = {"annotations": {preloading.PRELOAD: preload}} if preload else {}
    return {"name": name, "metadata": annotations, "container": {"image": "any", "env": variables}}


def libraries(spec: dict[str, Any]) -> list[list[str]]:
    """The modules of each, in order."""
    return [
        sorted(warmth.preload - {python_program.__name__}) for warmth in preloading.warmths(Catalogue(spec), Sources())
    ]


def test_the_order_is_that_of_the_run() -> None:
    """Tasks by what they wait for, however they are written down, and through templates that call others; each kind once."""
    tasks = [
        {"name": "last", "template": "d", "depends": "middle"},
        {"name": "middle", "template": "inner", "dependencies": ["first"]},
        {"name": "first", "template": "a"},
    ]
    inner = {
        "name": "inner",
        "steps": [
            [{"name": "x", "template": "none"}, {"name": "y", "template": "b"}],
            [{"name": "z", "template": "a"}],
        ],
    }
    leaves = [leaf("a", "json,csv"), leaf("b", "wave"), leaf("d", "cgi"), leaf("none"), leaf("nobody", "nothing")]
    spec = {"entrypoint": "main", "templates": [{"name": "main", "dag": {"tasks": tasks}}, inner, *leaves]}
    assert libraries(spec) == [["csv", "json"], ["wave"], ["cgi"]]


def test_steps_that_read_other_variables_at_start_are_apart() -> None:
    """As their servers are."""
    steps = [[{"name": "a", "template": "one"}], [{"name": "b", "template": "two"}]]
    leaves = [leaf("one", "json", OMP_NUM_THREADS="1"), leaf("two", "json", OMP_NUM_THREADS="2")]
    found = preloading.warmths(
        Catalogue({"entrypoint": "main", "templates": [{"name": "main", "steps": steps}, *leaves]}), Sources()
    )
    assert [dict(warmth.variables)["OMP_NUM_THREADS"] for warmth in found] == ["1", "2"]


def test_recursion_and_unknown_templates() -> None:
    """Recursion ends, and a template that is nowhere is left to whoever calls it."""
    steps = [
        [{"name": "a", "template": "one"}, {"name": "lost", "template": "nowhere"}],
        [{"name": "again", "template": "main"}],
    ]
    spec = {"entrypoint": "main", "templates": [{"name": "main", "steps": steps}, leaf("one", "json")]}
    assert libraries(spec) == [["json"]]


def test_a_task_that_is_waited_for_by_another_name() -> None:
    """A name that holds a variable is not the one that other tasks give; what cannot be ordered yet is looked at all the same."""
    tasks = [
        {"name": "after", "template": "one", "depends": "load-north"},
        {"name": "load-{{workflow.parameters.region}}", "template": "two"},
    ]
    leaves = [leaf("one", "json"), leaf("two", "csv")]
    spec = {"entrypoint": "main", "templates": [{"name": "main", "dag": {"tasks": tasks}}, *leaves]}
    assert sorted(libraries(spec)) == [["csv"], ["json"]]
