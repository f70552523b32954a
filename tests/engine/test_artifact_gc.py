"""``artifactGC``: what goes when a run ends, when it is deleted, and what stays because others have it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from argosy import errors
from argosy.cli import main
from argosy.engine import api
from argosy.engine.options import RunOptions, RunResult
from argosy.engine.state import runs
from kit.manifests import ENTRYPOINT

Options = Callable[..., RunOptions]

MANIFEST = (
    ENTRYPOINT
    + """\
  artifactGC: {strategy: OnWorkflowDeletion}
  templates:
    - name: main
      container: {image: any, command: [sh, -ec, "echo a > /tmp/a; echo b > /tmp/b; echo c > /tmp/c; echo d > /tmp/d"]}
      outputs:
        artifacts:
          - {name: ended, path: /tmp/a, artifactGC: {strategy: OnWorkflowCompletion}}
          - {name: keyed, path: /tmp/b, s3: {key: "{{workflow.name}}/b"}, artifactGC: {strategy: OnWorkflowCompletion}}
          - {name: deleted, path: /tmp/c, s3: {key: "{{workflow.name}}/c"}}
          - {name: never, path: /tmp/d, s3: {key: "{{workflow.name}}/d"}, artifactGC: {strategy: Never}}
"""
)


def _run(options: Options, tmp_path: Path, name: str = "wf", text: str = MANIFEST) -> RunResult:
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(text, encoding="utf-8")
    chosen = options(name=name, working_folder=tmp_path)
    return api.run(api.prepare(api.load([manifest]), chosen), chosen)


def _there(result: RunResult, home: Path) -> dict[str, bool]:
    """Which artifacts of the run can be had, and which keys are in the bucket."""
    (node,) = runs.find(home, result.run).state()[1].values()
    found = {name: runs.artifact(home, node, name) for name in ("ended", "keyed", "deleted", "never")}
    keys = {key: (home / "bucket" / result.workflow / key).exists() for key in ("b", "c", "d")}
    return {name: path is not None and path.exists() for name, path in found.items()} | keys


def test_what_goes_when_the_run_ends(options: Options, tmp_path: Path) -> None:
    """An artifact's own strategy comes before the workflow's."""
    result = _run(options, tmp_path)
    assert _there(result, tmp_path / "home") == {
        "ended": False, "keyed": False, "deleted": True, "never": True, "b": False, "c": True, "d": True,
    }  # fmt: skip


def test_what_goes_when_the_run_is_deleted(options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys and content; what is never to go stays in the bucket."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "home"))
    result = _run(options, tmp_path)
    assert main.run(["delete", result.run]) == 0
    assert [path.name for path in (tmp_path / "home" / "bucket" / "wf").iterdir()] == ["d"]
    kept = [path.read_text("utf-8") for path in (tmp_path / "home" / "objects").rglob("*") if path.is_file()]
    assert kept == ["d\n"]


def test_content_that_another_run_has_stays(options: Options, tmp_path: Path) -> None:
    """Equal content is kept once; it goes with the last run that has it."""
    text = MANIFEST.replace("OnWorkflowCompletion", "Never")
    first = _run(options, tmp_path, "first", text)
    _run(options, tmp_path, "second")
    assert _there(first, tmp_path / "home")["ended"]


def test_what_cannot_be_deleted_is_told(options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run stays what it is; its deletion waits, unless the manifest has it go all the same."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "home"))
    text = MANIFEST.replace(
        "{strategy: OnWorkflowDeletion}", "{strategy: OnWorkflowDeletion, forceFinalizerRemoval: FORCED}"
    )
    result = _run(options, tmp_path, text=text.replace("FORCED", "false"))
    forced = _run(options, tmp_path, "forced", text=text.replace("FORCED", "true"))
    for folder in (tmp_path / "home" / "runs").iterdir():
        _break_keys(folder)
    assert main.run(["delete", result.run]) == errors.TryAgain.exit_code
    assert main.run(["delete", forced.run]) == 0
    assert [folder.run for folder in runs.newest_first(tmp_path / "home")] == [result.run]


def _break_keys(run: Path) -> None:
    """Have the run's keys lie where nothing answers."""
    from argosy.engine.state.journal import Journal

    journal = Journal(run / runs.JOURNAL)
    (node,) = journal.nodes().values()
    assert node.outputs is not None
    node.outputs.artifacts["deleted"]["s3"] = {
        "endpoint": "127.0.0.1:1",
        "bucket": "none",
        "key": "../c",
        "accessKeySecret": {"name": "a", "key": "b"},
    }
    journal.write(nodes=[node])
    journal.close()


def test_an_unknown_strategy_is_refused(options: Options, tmp_path: Path) -> None:
    """With its path."""
    with pytest.raises(errors.Misconfigured, match=r"artifacts\[0\].artifactGC.strategy: 'Soon' is not one of"):
        _run(options, tmp_path, text=MANIFEST.replace("OnWorkflowCompletion", "Soon", 1))
