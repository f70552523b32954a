"""`argosy cost`: hours and prices of what runs asked for, here and on a cluster, in Argo's own measure."""

import argparse
import datetime
import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from argosy import errors, wiring
from argosy.cli import cost, main, target
from argosy.domain import bills
from argosy.domain.bills import Prices, Used
from argosy.engine import resource_durations
from argosy.engine.state import runs
from argosy.engine.state.journal import Journal
from argosy.engine.state.runs import RunFolder
from argosy.engine.state.stored_run import StoredRun
from argosy.settings import Settings

NOW = datetime.datetime.now(datetime.UTC)
STEPS = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: steps-, annotations: {argosy.dev/model: toy}}
spec:
  entrypoint: main
  templates:
  - name: main
    container:
      image: argosy/data:dev
      command: [sleep, "0.3"]
      resources: {limits: {cpu: "4"}, requests: {cpu: "2", memory: 1Gi}}
"""


def _workflow(name: str, durations: dict[str, int], *, template: str = "churn", days: int = 1) -> dict[str, Any]:
    began = f"{NOW - datetime.timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"
    return {
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "labels": {"workflows.argoproj.io/workflow-template": template},
        },
        "status": {"startedAt": began, "resourcesDuration": durations},
    }


class _Namespace:
    namespace = "team"

    def newest_first(self) -> list[dict[str, Any]]:
        return [
            _workflow("one", {"cpu": 3600, "memory": 36864, "nvidia.com/gpu": 1800}),
            _workflow("look", {"cpu": 36}, template="churn-watch-drift"),
            _workflow("other", {"cpu": 7200}, template="elsewhere"),
            _workflow("of-last-year", {"cpu": 9999}, days=365),
            {"metadata": {"name": "waits"}, "status": {}},
        ]


class _Archive:
    def since(self, namespace: str, moment: datetime.datetime) -> list[dict[str, Any]]:
        assert (namespace, moment < NOW) == ("team", True)
        return [_workflow("one", {"cpu": 3600}), _workflow("gone", {"cpu": 360, "memory": 0})]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    """A namespace with workflows, and an archive with one of them and one that is gone."""
    monkeypatch.chdir(root)
    monkeypatch.setattr(wiring, "workflows", lambda _namespace, _context: _Namespace())
    monkeypatch.setattr(wiring, "workflow_archive", lambda _settings: _Archive())


def test_a_cluster(cluster: None, capsys: pytest.CaptureFixture[str]) -> None:
    """Each workflow once, whether it is there or archived; a model's looks are its own; 100 MiB for an hour is a tenth of a GiB."""
    assert (
        main.run(["cost", "--namespace", "team", "--by", "model,owner", "--price", "cpu=1,memory=0.1,gpu=10", "--json"])
        == 0
    )
    rows = {row["model"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert rows["churn"]["runs"] == 3
    assert rows["churn"]["owner"] == "retention"
    assert rows["churn"]["cpu_hours"] == pytest.approx(1.11)
    assert rows["churn"]["memory_hours"] == pytest.approx(1.0)
    assert rows["churn"]["gpu_hours"] == pytest.approx(0.5)
    assert rows["churn"]["price"] == pytest.approx(1.11 + 0.1 + 5)
    assert (rows["-"]["runs"], rows["-"]["owner"]) == (1, "-")


def test_a_table(cluster: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With a total; a price is shown where there is one."""
    assert main.run(["cost", "--namespace", "team", "--by", "pipeline"]) == 0
    said = capsys.readouterr().out
    assert "price" in said.splitlines()[-1]
    assert said.splitlines()[0].split() == ["pipeline", "runs", "core", "hours", "GiB", "hours", "GPU", "hours"]
    assert said.splitlines()[-2].split()[:2] == ["total", "4"]
    monkeypatch.setenv("ARGOSY_PRICES", "cpu=2")
    assert main.run(["cost", "--namespace", "team", "--by", "pipeline"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split() == ["total", "4", "3.11", "1.00", "0.50", "6.22"]


def test_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A step's requests, else its limits, for as long as it ran."""
    monkeypatch.chdir(tmp_path)
    Path("steps.yaml").write_text(STEPS)
    assert main.run(["run", "--file", "steps.yaml"]) == 0
    capsys.readouterr()
    assert main.run(["cost", "--json", "--by", "month,model"]) == 0
    [row] = map(json.loads, capsys.readouterr().out.splitlines())
    assert (row["month"], row["model"], row["runs"]) == (f"{NOW:%Y-%m}", "toy", 1)
    assert row["cpu_hours"] > 2 * 0.3 / 3600 * 0.99
    assert row["memory_hours"] == pytest.approx(row["cpu_hours"] / 2, rel=0.05)
    _is_reckoned_without_the_journal(row, monkeypatch, capsys)
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "none"))
    assert main.run(["cost"]) == 0
    assert capsys.readouterr().out == "no runs in that time\n"


def _is_reckoned_without_the_journal(
    row: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once a run is over; where its journal was written to since then, or the record is half of one, from the journal and to the same."""
    [folder] = runs.newest_first(Settings.from_environment().home)
    record, read = folder.path / resource_durations.RECORD, list[Path]()
    whole, state = record.read_text(), RunFolder.state
    monkeypatch.setattr(RunFolder, "state", lambda self: read.append(self.path) or state(self))

    def again() -> tuple[dict[str, Any], int]:
        read.clear()
        assert main.run(["cost", "--json", "--by", "month,model"]) == 0
        return json.loads(capsys.readouterr().out), len(read)

    assert again() == (row, 0)
    record.write_text(whole[: len(whole) // 2])
    assert again() == (row, 1)
    assert again() == (row, 0)
    os.utime(record, ns=(1, folder.written_ns() - 1))
    assert again() == (row, 1)
    assert record.stat().st_mtime_ns == folder.written_ns()  # whatever is written to the journal from now on is newer
    record.unlink()
    assert [again(), again()] == [(row, 1), (row, 0)]  # as of a run by an older version
    record.unlink()
    monkeypatch.setattr(Path, "replace", _no_room)
    resource_durations.keep(
        folder, StoredRun.read(folder), []
    )  # the run has ended, and a full disk changes nothing of that
    assert list(folder.path.glob(".resources*")) == []
    assert again() == (row, 1)


def _no_room(*_: object) -> None:
    raise OSError(errno.ENOSPC, "no space left")


def test_a_run_that_is_over_is_read_once(tmp_path: Path) -> None:
    """Reading a journal leaves an empty log beside it, which is no news of the run."""
    folder = runs.create(tmp_path, "r-1")
    Journal(folder.path / runs.JOURNAL).close()
    before = folder.version()
    folder.state()
    assert (folder.path / f"{runs.JOURNAL}-wal").exists()  # else this test is of nothing
    assert folder.version() == before


@pytest.mark.parametrize(
    ("kind", "name"),
    [("Workflow", "generateName: steps-"), ("Workflow", "name: steps"), ("WorkflowTemplate", "name: steps")],
)
def test_a_pipeline_is_one_whatever_its_runs_are_called(
    kind: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two runs of one manifest are two of one pipeline, as on a cluster."""
    monkeypatch.chdir(tmp_path)
    Path("steps.yaml").write_text(
        STEPS.replace("generateName: steps-", name).replace("kind: Workflow", f"kind: {kind}")
    )
    for _ in range(2):
        assert main.run(["run", "--file", "steps.yaml"]) == 0
    capsys.readouterr()
    assert main.run(["cost", "--json", "--by", "pipeline"]) == 0
    rows = map(json.loads, capsys.readouterr().out.splitlines())
    assert [(row["pipeline"], row["runs"]) for row in rows] == [("steps", 2)]


def test_months_are_in_order() -> None:
    """The oldest first; within one what costs most."""
    month = datetime.timedelta(days=31)
    used = [
        Used("p", model, "o", NOW - number * month, {"cpu": seconds})
        for number, model, seconds in ((0, "a", 3600), (1, "a", 3600), (1, "b", 7200))
    ]
    rows = bills.bill(used, ("month", "model"), Prices({"cpu": 1}))
    assert [row.labels["model"] for row in rows] == ["b", "a", "a"]
    assert bills.total(rows).price == pytest.approx(4)


@pytest.mark.parametrize("text", ["cpu", "cpu=x", "cpu=-1", "disk=1", "cpu=1,cpu=2", "cpu=nan", "cpu=1;memory=2"])
def test_prices_that_are_none(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In one line, with the form that is expected."""
    assert main.run(["cost", "--price", text]) == errors.Misconfigured.exit_code
    assert "expected such as cpu=0.04" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--by", "team"], ["--by", "model,model"], ["--days", "0"]])
def test_wrong_words(words: list[str]) -> None:
    """A slip of the pen is the command line's."""
    with pytest.raises(SystemExit) as left:
        main.main(["cost", *words])
    assert left.value.code == errors.UsageError.exit_code


def test_a_run_that_was_done_again_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept of a run that is over holds until its journal is written to."""
    monkeypatch.chdir(tmp_path)
    Path("steps.yaml").write_text(STEPS)
    assert main.run(["run", "--file", "steps.yaml"]) == 0
    parser = argparse.ArgumentParser()
    target.add_arguments(parser)
    here, known = Settings.from_environment(), dict[str, tuple[cost.RunVersion, Used]]()

    def used() -> Used:
        [found], _ = cost.newest(parser.parse_args([]), here, 500, known)
        return found

    first = used()
    assert used() is first
    assert main.run(["retry", "-", "--restart-successful", "--node-field-selector", "templateName=main"]) == 0
    assert used() is not first


@pytest.mark.usefixtures("cluster")
def test_of_a_cluster_it_is_said_how_many_are_left_out() -> None:
    """So many as there are beyond the newest."""
    parser = argparse.ArgumentParser()
    target.add_arguments(parser)
    arguments, here = parser.parse_args(["--cluster"]), Settings.from_environment()
    every, none = cost.newest(arguments, here, 500, {})
    some, left = cost.newest(arguments, here, 1, {})
    assert (none, len(some), left) == (0, 1, len(every) - 1)
    assert left
