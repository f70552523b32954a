"""What a forecast says of a run is what the run then does, whatever was changed before it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from argosy.engine import api
from argosy.engine.options import Prepared, RunOptions
from argosy.engine.state import runs

MANIFEST = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: made-}
spec:
  entrypoint: main
  arguments:
    parameters: [{name: size, value: "1"}]
    artifacts: [{name: settings, raw: {data: "depth: 3\\nlimit: {low: 1}\\nnote: a\\n"}}]
  templates:
    - name: main
      inputs: {artifacts: [{name: settings}]}
      dag:
        tasks:
          - {name: ingest, template: ingest, arguments: {parameters: [{name: size, value: "{{workflow.parameters.size}}"}]}}
          - name: fit
            template: fit
            depends: ingest
            arguments:
              artifacts:
                - {name: settings, from: "{{inputs.artifacts.settings}}"}
                - {name: rows, from: "{{tasks.ingest.outputs.artifacts.out}}"}
          - name: judge
            template: judge
            depends: fit
            arguments:
              artifacts:
                - {name: settings, from: "{{inputs.artifacts.settings}}"}
                - {name: rows, from: "{{tasks.fit.outputs.artifacts.out}}"}
          - name: register
            template: register
            depends: judge
            arguments: {artifacts: [{name: rows, from: "{{tasks.fit.outputs.artifacts.out}}"}]}
          - {name: tell, template: tell, depends: register}
    - name: ingest
      metadata: {annotations: {argosy.dev/cache: "true", argosy.dev/cache-reads: '["rows.csv"]'}}
      inputs: {parameters: [{name: size}]}
      container:
        image: any
        command: [sh, -c, 'mkdir -p $ARGOSY_ROOT/out; head -n $SIZE rows.csv > $ARGOSY_ROOT/out/f']
        env: [{name: SIZE, value: "{{inputs.parameters.size}}"}, {name: ARGOSY_ROOT, value: /argosy}]
        workingDir: WHERE
      outputs: {artifacts: [{name: out, path: /argosy/out/f}]}
    - name: fit
      metadata: {annotations: {argosy.dev/cache: "true", argosy.dev/cache-parts: '{"settings": ["depth"]}'}}
      inputs: {artifacts: [{name: settings, path: /argosy/in/settings}, {name: rows, path: /argosy/in/rows}]}
      container: &copies
        image: any
        command: [sh, -c, 'mkdir -p $ARGOSY_ROOT/out; cp $ARGOSY_ROOT/in/rows $ARGOSY_ROOT/out/f']
        env: [{name: ARGOSY_ROOT, value: /argosy}]
      outputs: {artifacts: [{name: out, path: /argosy/out/f}]}
    - name: judge
      metadata: {annotations: {argosy.dev/cache: "true", argosy.dev/cache-parts: '{"settings": ["limit.low"]}'}}
      inputs: {artifacts: [{name: settings, path: /argosy/in/settings}, {name: rows, path: /argosy/in/rows}]}
      container: *copies
      outputs: {artifacts: [{name: out, path: /argosy/out/f}]}
    - name: register
      metadata: {annotations: {argosy.dev/cache-observes: '["registry"]'}}
      synchronization: {mutexes: [{name: registry}]}
      inputs: {artifacts: [{name: rows, path: /argosy/in/rows}]}
      container:
        image: any
        command: [sh, -c, 'cp $ARGOSY_ROOT/in/rows WHERE/registry/rows; mkdir -p $ARGOSY_ROOT/out; echo 1 > $ARGOSY_ROOT/out/f']
        env: [{name: ARGOSY_ROOT, value: /argosy}]
      outputs: {artifacts: [{name: out, path: /argosy/out/f}]}
    - name: tell
      container: {image: any, command: ["true"]}
"""

TASKS = ("ingest", "fit", "judge", "register", "tell")
Make = Callable[..., RunOptions]


class RowsAndRegistry:
    """A folder with rows, a registry and a manifest, and the runs made in it."""

    def __init__(self, folder: Path, make: Make) -> None:
        self.folder = folder
        self.manifest = MANIFEST.replace("WHERE", str(folder))
        self.given: dict[str, Any] = {"states": {"registry": (folder / "registry",)}, "code_identity": "one"}
        self._make = make
        (folder / "registry").mkdir()
        self.rows("a\nb\n")

    def rows(self, text: str) -> None:
        """Other data."""
        (self.folder / "rows.csv").write_text(text, encoding="utf-8")

    def settings(self, before: str, after: str) -> None:
        """Another setting."""
        assert before in self.manifest
        self.manifest = self.manifest.replace(before, after)

    def prepared(self) -> tuple[Prepared, RunOptions]:
        """What would run now."""
        path = self.folder / "made.yaml"
        path.write_text(self.manifest, encoding="utf-8")
        options = self._make(**self.given)
        return api.prepare(api.load([path]), options), options

    def run(self) -> dict[str, bool]:
        """Run it; whether each pod came from the cache."""
        prepared, options = self.prepared()
        result = api.run(prepared, options)
        assert result.exit_code == 0, result.message
        return {name: node.cached for name, node in result.nodes.items() if node.type == "Pod"}

    def forecast(self) -> list[api.Foretold]:
        """What is foretold of the next run."""
        prepared, options = self.prepared()
        return api.forecast(prepared, options, runs.newest_first(options.home))


@pytest.fixture
def world(tmp_path: Path, options: Make) -> RowsAndRegistry:
    """A world in which one run was made."""
    made = RowsAndRegistry(tmp_path, options)
    made.run()
    return made


def register_elsewhere(world: RowsAndRegistry) -> None:
    """Somebody else's version."""
    (world.folder / "registry" / "other").write_text("x", encoding="utf-8")


CASES = [
    pytest.param(lambda w: None, "cached cached cached cached runs", "", id="nothing"),
    pytest.param(
        lambda w: w.settings("note: a", "note: b"), "cached cached cached cached runs", "", id="a-setting-nobody-reads"
    ),
    pytest.param(
        lambda w: w.settings("low: 1", "low: 2"),
        "cached cached runs cached runs",
        "settings limit.low: 1 -> 2",
        id="setting-of-one",
    ),
    pytest.param(
        lambda w: w.settings("depth: 3", "depth: 4"),
        "cached runs open open runs",
        "settings depth: 3 -> 4",
        id="output-stays",
    ),
    pytest.param(lambda w: w.rows("c\nd\n"), "runs open open open runs", "the data in rows.csv changed", id="data"),
    pytest.param(
        lambda w: w.rows("a\nb\nc\n"),
        "runs open open open runs",
        "the data in rows.csv changed",
        id="data-nobody-takes",
    ),
    pytest.param(
        lambda w: w.settings('value: "1"', 'value: "2"'),
        "runs open open open runs",
        "parameter size: 1 -> 2",
        id="parameter",
    ),
    pytest.param(register_elsewhere, "cached cached cached runs runs", "registry has moved since", id="state"),
    pytest.param(
        lambda w: w.given.update(code_identity="two"),
        "runs runs runs runs runs",
        "the code or a library changed",
        id="code",
    ),
    pytest.param(
        lambda w: w.given.update(states={}),
        "cached cached cached runs runs",
        "it is never taken from the cache",
        id="state-elsewhere",
    ),
]


@pytest.mark.parametrize(("change", "answers", "reason"), CASES)
def test_what_is_foretold_comes_true(
    world: RowsAndRegistry, change: Callable[[RowsAndRegistry], object], answers: str, reason: str
) -> None:
    """What is foretold as cached is, what is foretold to run does; the reason names what was changed, with both values."""
    change(world)
    foretold = world.forecast()
    assert dict(zip(TASKS, answers.split(), strict=True)) == {each.task: each.answer for each in foretold}
    assert reason in " | ".join(text for each in foretold for text in each.reasons)
    cached = world.run()
    for each in foretold:
        assert each.answer == "open" or cached[each.name] == (each.answer == "cached"), each


def test_back_again(world: RowsAndRegistry) -> None:
    """A setting that was changed and changed back is answered from the first run, and so foretold."""
    world.settings("depth: 3", "depth: 4")
    world.run()
    world.settings("depth: 4", "depth: 3")
    assert [each.answer for each in world.forecast()] == ["cached", "cached", "cached", "cached", "runs"]
    assert list(world.run().values()) == [True, True, True, True, False]


def test_of_what_never_ran(tmp_path: Path, options: Make) -> None:
    """Without an earlier run everything runs, and the forecast makes nothing."""
    world = RowsAndRegistry(tmp_path, options)
    foretold = world.forecast()
    assert {each.answer for each in foretold} == {"runs"}
    assert {each.task for each in foretold} == {"ingest", "fit", "judge", "register", "tell"}
    assert not (tmp_path / "home").exists()


def test_what_moved_while_a_step_looked_is_looked_at_again(world: RowsAndRegistry) -> None:
    """A step without a lock changes nothing that it observes: somebody else did, and it may have seen either."""
    world.settings("      synchronization: {mutexes: [{name: registry}]}\n", "")
    world.rows("c\n")
    assert not world.run()["$.register"]
    assert not world.run()["$.register"]
    world.settings(
        "cp $ARGOSY_ROOT/in/rows WHERE".replace("WHERE", str(world.folder)),
        "test -e WHERE".replace("WHERE", str(world.folder)),
    )
    assert [world.run()["$.register"] for _ in range(2)] == [False, True]
