"""Writes the files of an evaluation: evidence, report, model card, and the pictures that the report shows; of every kind of model."""

from pathlib import Path

from argosy.domain.evidence import Evidence
from argosy.domain.model_settings import CommonSettings
from argosy.report import evidence_markdown, pictures

EVIDENCE = "evidence.json"


def write(evidence: Evidence, settings: CommonSettings, out: Path) -> None:
    """Write *evidence* into the folder *out*, with the names of the pictures that there are to draw of it."""
    drawn = pictures.of(evidence)
    evidence = evidence.model_copy(update={"pictures": list(drawn)})
    evidence.write(out / EVIDENCE)
    for name, picture in drawn.items():
        (out / name).write_text(picture.svg, encoding="utf-8")
    (out / "evidence.md").write_text(evidence_markdown.report(evidence), encoding="utf-8")
    (out / "model-card.md").write_text(evidence_markdown.model_card(evidence, settings), encoding="utf-8")
