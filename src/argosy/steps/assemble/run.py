"""The logic of ``assemble``: from settings, prompt and documents to a bundle, the same bytes for the same of those."""

from pathlib import Path
from typing import NoReturn

from argosy import errors
from argosy.domain import bundle as bundles
from argosy.domain.answers import answer_bundle, answer_checks, evaluation_items
from argosy.domain.answers.answer_bundle import AnswerSignature, GoldenQuestion, GoldenQuestions
from argosy.domain.answers.answer_settings import AnswerSettings, Extractive
from argosy.domain.documents import sha256
from argosy.files import markdown_files
from argosy.ml.answers import passages, retrieval
from argosy.ml.answers.assistant import Assistant
from argosy.ml.answers.retrieval import PassageIndex

GOLDEN = 20
"""Questions that are kept in the bundle at most."""


def run(*, settings: AnswerSettings, prompt: str, snapshot: Path, out: Path) -> str:
    """Write the bundle to *out*; its digest. Raises Misconfigured where the prompt has no place for the question or the passages."""
    if problems := list(answer_checks.of_prompt(prompt, "prompt.md")):
        raise errors.Misconfigured(errors.listed(problems))
    signature = AnswerSignature(
        model=settings.model,
        retrieval=settings.retrieval,
        answerer=settings.answerer,
        refusal=settings.refusal,
        judge=settings.judge,
        serving=settings.serving,
        bm25s=retrieval.VERSION,
    )
    found = passages.of_documents(markdown_files.read(snapshot, settings.documents), settings.retrieval.words)
    out.mkdir(parents=True)
    signature.write(out / answer_bundle.SIGNATURE)
    (out / answer_bundle.PROMPT).write_text(prompt, encoding="utf-8")
    (out / answer_bundle.PASSAGES).write_text(evaluation_items.lines(found), encoding="utf-8")
    asked = evaluation_items.questions(
        (snapshot / evaluation_items.QUESTIONS).read_text(encoding="utf-8"), evaluation_items.QUESTIONS
    )[:GOLDEN]
    assistant = Assistant("", signature, prompt, PassageIndex(found, settings.retrieval), complete=_nothing)
    golden = [_golden(assistant, each.question) for each in asked]
    GoldenQuestions(rows=golden).write(out / answer_bundle.GOLDEN)
    return bundles.digest(out)


def _golden(assistant: Assistant, question: str) -> GoldenQuestion:
    found = assistant.find(question)
    return GoldenQuestion(
        question=question,
        sections=[each.passage.section for each in found],
        prompt_digest=sha256(assistant.prompt(question, found).encode()),
        answer=assistant.answer(question).text if isinstance(assistant.signature.answerer, Extractive) else None,
    )


def _nothing(_prompt: str) -> NoReturn:
    raise LookupError("no endpoint is asked where a bundle is made")
