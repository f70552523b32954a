"""`argosy report`: what a run left in its folder, as a report needs it."""

import errno
from pathlib import Path
from typing import Any

import pytest

from argosy import errors
from argosy.argo import NodeType, Phase
from argosy.cli import main, report
from argosy.domain.data import SnapshotManifest
from argosy.engine.nodes import Node, Outputs
from argosy.engine.state.journal import Attempt, Journal
from argosy.engine.state.object_store import ObjectStore
from argosy.engine.state.runs import RunFolder
from argosy.report import html
from argosy.templates import folder as folders

START = 1_780_000_000.0
SNAPSHOT = SnapshotManifest(model="vessels", tables=[])


def _manifest(**annotations: str) -> dict[str, Any]:
    """What the engine keeps of a run's manifest, as far as a report reads it."""
    return {
        "workflow": "vessels-x",
        "metadata": {"name": "vessels", "annotations": annotations},
        "spec": {"entrypoint": "main"},
        "arguments": {
            "parameters": [{"name": "data", "value": "data/vessels"}],
            "artifacts": [{"name": "settings", "raw": {"data": "model: Vessels"}}],
        },
    }


def _node(name: str, kind: NodeType, phase: Phase, start: float, end: float | None, **more: Any) -> Node:
    return Node(name, kind, phase, START + start, finished=None if end is None else START + end, **more)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A state folder with one run that failed in its second step."""
    (tmp_path / "made" / "snapshot").mkdir(parents=True)
    SNAPSHOT.write(tmp_path / "made" / "snapshot" / "manifest.json")
    digest = ObjectStore(tmp_path / "objects").take(tmp_path / "made" / "snapshot")
    stored = {"snapshot": {"name": "snapshot", "stored": {"digest": digest}}}
    folder = RunFolder(tmp_path / "runs" / "vessels-260601-100000-ab12")
    folder.path.mkdir(parents=True)
    folder.write_manifest(_manifest(**{folders.MODEL: "vessels"}))
    log = folder.attempt("vessels-x", "vessels-x.validate", 0) / "main.log"
    log.parent.mkdir(parents=True)
    log.write_text("reading\nerror: tenure is missing\n       in vessels\n", encoding="utf-8")
    journal = Journal(folder.path / "journal.sqlite")
    journal.write(
        meta={"phase": "Failed", "started": str(START), "finished": str(START + 9.0), "message": "child failed"},
        nodes=[
            _node("vessels-x", NodeType.DAG, Phase.FAILED, 0.0, 9.0),
            _node(
                "vessels-x.ingest",
                NodeType.POD,
                Phase.SUCCEEDED,
                0.0,
                4.0,
                template="ingest",
                outputs=Outputs({"snapshot-digest": "sha256:1"}, stored),
            ),
            _node("vessels-x.validate", NodeType.POD, Phase.FAILED, 4.0, 9.0, template="validate"),
        ],
        attempts=[
            Attempt("vessels-x.ingest", 0, START + 1.0, 11, 1, START + 4.0, 0),
            Attempt("vessels-x.validate", 0, START + 4.5, 12, 2, START + 9.0, 10),
        ],
    )
    journal.close()
    return tmp_path


def _folder(home: Path) -> RunFolder:
    return RunFolder(next((home / "runs").iterdir()))


def test_a_run_is_read_from_its_journal(home: Path) -> None:
    """Times from the attempts, names as Argo's with the workflow's own left out, only what really ran."""
    found = report.record_of(home, _folder(home))
    assert (found.facts.model, found.facts.phase, found.facts.finished) == ("vessels", "Failed", START + 9.0)
    assert found.facts.parameters == {"data": "data/vessels"}
    assert [(entry.name, entry.ready, entry.started) for entry in found.entries] == [
        ("$.ingest", START, START + 1.0),
        ("$.validate", START + 4.0, START + 4.5),
    ]


def test_documents_come_from_the_object_store(home: Path) -> None:
    """An artifact is found by the step that made it."""
    found = report.record_of(home, _folder(home))
    assert (found.snapshot, found.validation) == (SNAPSHOT, None)
    assert found.results == {"snapshot-digest": "sha256:1"}


def test_a_failed_step_is_quoted_from_its_error_on(home: Path) -> None:
    """The log's other lines are left to `argosy logs`."""
    failure = report.record_of(home, _folder(home)).failure
    assert failure is not None
    assert failure.error == "error: tenure is missing\n       in vessels"


def test_settings_that_are_wrong_do_not_stop_a_report(home: Path) -> None:
    """The run failed because of them; its report is wanted all the more."""
    assert report.record_of(home, _folder(home)).settings is None


def test_the_verb_writes_the_page_and_says_where(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the newest run, unless one is named."""
    monkeypatch.setenv("ARGOSY_HOME", str(home))
    assert main.run(["report"]) == errors.DONE
    page = Path(capsys.readouterr().out.strip())
    assert page == _folder(home).path / report.PAGE
    assert "error: tenure is missing" in page.read_text(encoding="utf-8")


def test_an_unknown_run_is_a_usage_error(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that says which verb lists them."""
    monkeypatch.setenv("ARGOSY_HOME", str(home))
    assert main.run(["report", "nobody"]) == errors.UsageError.exit_code


@pytest.mark.parametrize(
    ("number", "kind", "advice"),
    [
        pytest.param(errno.ENOSPC, errors.LocalDisk, "free space there", id="full"),
        pytest.param(errno.EACCES, errors.Misconfigured, "the right to write there", id="of-others"),
    ],
)
def test_a_page_that_cannot_be_written(
    number: int, kind: type[errors.ArgosyError], advice: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says whose turn it is, not that a disk is full which only is somebody else's."""

    def refuse(*_: object) -> None:
        raise OSError(number, "refused")

    monkeypatch.setattr(html, "write", refuse)
    with pytest.raises(kind, match=advice):
        report.write(home, _folder(home))


def test_a_page_is_written_whole_or_not_at_all(home: Path) -> None:
    """What stands in the way of a part of it is named."""
    page = _folder(home).path / report.PAGE
    page.with_suffix(".partial").mkdir()
    with pytest.raises(errors.Misconfigured, match=r"the report cannot be written to .*: Is a directory"):
        report.write(home, _folder(home))
    assert not page.exists()


def test_after_a_models_run_its_report_is_summed_up(home: Path) -> None:
    """Verdict, time and page in a few lines; the greater peak of a run that was resumed counts."""
    run = _folder(home).run
    report.after_run(home, run, peak_bytes=900_000_000)
    text = report.after_run(home, run, peak_bytes=100)
    assert text.startswith("vessels: The run stopped in validate")
    assert "900 MB at its peak" in text
    assert str(_folder(home).path / report.PAGE) in text
