"""Documents of a run, found and read; a broken one does not spoil the rest."""

from pathlib import Path

from argosy.report import html, record
from argosy.report.record import Facts, RunReport
from kit import answers_kit

FACTS = Facts("vessels-1", "vessels", "Failed", started=0.0)


def test_documents_are_read_from_files_and_folders(report: RunReport, tmp_path: Path) -> None:
    """An output that is a file is the document; in one that is a folder the document has its own name."""
    assert report.lineage is not None
    assert report.evidence is not None
    report.lineage.write(tmp_path / "lineage")
    report.evidence.write(tmp_path / "evidence" / "evidence.json")
    assert report.training is not None
    report.training.write(tmp_path / "training" / "training.json")
    found = record.collect(_under(tmp_path), facts=FACTS)
    assert (found.lineage, found.evidence) == (report.lineage, report.evidence)
    assert found.training == report.training
    assert found.unreadable == ()


def test_what_a_run_did_not_reach_is_none(tmp_path: Path) -> None:
    """A run that stopped at once still has a record."""
    found = record.collect(_under(tmp_path), facts=FACTS)
    assert (found.lineage, found.evidence, found.history, found.unreadable) == (None, None, None, ())


def test_a_document_that_cannot_be_read_is_named(report: RunReport, tmp_path: Path) -> None:
    """Half a file: the report says which one and shows the others."""
    assert report.lineage is not None
    report.lineage.write(tmp_path / "lineage")
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "evidence.json").write_text('{"model": "ves', encoding="utf-8")
    found = record.collect(_under(tmp_path), facts=FACTS)
    assert found.lineage is not None
    assert found.evidence is None
    assert [text.partition(":")[0] for text in found.unreadable] == ["evidence.json of step evaluate"]


def _under(folder: Path) -> record.FindArtifact:
    def find(template: str, output: str) -> Path | None:
        path = folder / output
        return path if path.exists() and not template.endswith("-answers") else None

    return find


def test_the_settings_of_a_language_model_are_apart() -> None:
    """Pages ask a model of tables for its sources and its label; one that answers in words has neither, and has a page all the same."""
    facts = Facts("help-1", "help", "Succeeded", 0.0)
    found = record.collect(lambda _template, _name: None, facts=facts, settings=answers_kit.settings())
    assert found.settings is None
    assert found.answer_settings == answers_kit.settings()
    assert "help-1" in html.render(found)
