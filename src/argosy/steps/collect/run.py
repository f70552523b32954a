"""The logic of ``collect``: documents and items in, an immutable snapshot out, with where it came from.

A label is about what a section said when somebody read it: one of a section that is gone counts no more, and is said. A question about
one is refused, because nothing could be found right for it.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.domain import suggestion
from argosy.domain.answers import evaluation_items
from argosy.domain.answers.answer_settings import AnswerSettings
from argosy.domain.answers.evaluation_items import LABELLED, MANIFEST, QUESTIONS, EvaluationQuestion, LabelledAnswer
from argosy.domain.data import Lineage, SnapshotManifest, SourceLineage, TableManifest
from argosy.domain.documents import sha256
from argosy.files import markdown_files
from argosy.ml.answers import passages


@dataclass(frozen=True)
class Items:
    """The files of the evaluation set."""

    questions: Path
    labelled: Path


@dataclass(frozen=True)
class CollectOutputs:
    """The places that snapshot and lineage are written to."""

    snapshot: Path
    lineage: Path


def run(
    *,
    settings: AnswerSettings,
    location: Path,
    origin: str,
    given: Items,
    code_version: str,
    now: Callable[[], str],
    report: Callable[[str], None],
    outputs: CollectOutputs,
) -> str:
    """Read the documents at *location*, which *origin* names for the lineage, and write the outputs; returns the snapshot's digest.

    Raises Misconfigured, with all that is wrong, where a document cannot be read or a question is about a section that is not there.
    """
    began = time.perf_counter()
    documents = markdown_files.read(location, settings.documents)
    sections = {each.section for each in passages.of_documents(documents, settings.retrieval.words)}
    asked, labels = _items(given, sections, report)
    contents = {
        **{name: text.encode() for name, text in documents.items()},
        QUESTIONS: _lines(asked),
        LABELLED: _lines(labels),
    }
    counts = {QUESTIONS: len(asked), LABELLED: len(labels)}
    tables = [_written(outputs.snapshot, name, content, counts.get(name)) for name, content in contents.items()]
    manifest = SnapshotManifest(model=settings.model, tables=tables)
    manifest.write(outputs.snapshot / MANIFEST)
    digest = manifest.content_digest()
    seconds = time.perf_counter() - began
    Lineage(
        snapshot_digest=digest,
        ingested_at=now(),
        code_version=code_version,
        sources=[_lineage(table, origin, seconds / len(tables)) for table in tables],
    ).write(outputs.lineage)
    return digest


def _items(
    given: Items, sections: set[str], report: Callable[[str], None]
) -> tuple[list[EvaluationQuestion], list[LabelledAnswer]]:
    asked = evaluation_items.questions(given.questions.read_text(encoding="utf-8"), QUESTIONS)
    problems = [
        f"{QUESTIONS}:{number}: {question.id} is answered by {section!r}, which no document has"
        f"{suggestion.did_you_mean(section, sections)}"
        for number, question in enumerate(asked, 1)
        for section in question.sections
        if section not in sections
    ]
    if problems:
        raise errors.Misconfigured(errors.listed(problems))
    labels = evaluation_items.labelled(given.labelled.read_text(encoding="utf-8"), LABELLED, asked)
    kept = [each for each in labels if sections.issuperset(each.sections)]
    if len(kept) < len(labels):
        report(f"{len(labels) - len(kept)} of {len(labels)} labels are about sections that are gone, and count no more")
    return asked, kept


def _lines(found: Sequence[EvaluationQuestion] | Sequence[LabelledAnswer]) -> bytes:
    return evaluation_items.lines(list(found)).encode()


def _written(snapshot: Path, name: str, content: bytes, count: int | None) -> TableManifest:
    snapshot.mkdir(parents=True, exist_ok=True)
    (snapshot / name).write_bytes(content)
    rows = count if count is not None else content.count(b"\n")
    return TableManifest(source=name, path=name, digest=sha256(content), rows=rows, bytes=len(content), columns={})


def _lineage(table: TableManifest, origin: str, seconds: float) -> SourceLineage:
    of_folder: Mapping[str, str] = {QUESTIONS: "the model's folder", LABELLED: "the model's folder"}
    return SourceLineage(
        source=table.source,
        location=of_folder.get(table.source, f"{origin.rstrip('/')}/{table.source}"),
        location_digest=table.digest,
        rows_read=table.rows,
        rows_kept=table.rows,
        rows_rejected=0,
        rejected_by_reason={},
        bytes_read=table.bytes,
        seconds=seconds,
    )
