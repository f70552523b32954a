"""Loads a language model's bundle and answers questions by it: in the evaluation as in the server.

Prompt and retrieval are the bundle's; what completes a prompt is handed in, and needed by bundles that ask an endpoint only.
"""

import time
from collections.abc import Callable
from pathlib import Path

from argosy import errors
from argosy.domain import bundle as bundles
from argosy.domain.answers import answer_bundle
from argosy.domain.answers.answer_bundle import (
    CONTEXT,
    LONGEST_QUESTION,
    QUESTION,
    REFUSAL,
    AnswerSignature,
    GoldenQuestions,
)
from argosy.domain.answers.answer_settings import Extractive
from argosy.domain.answers.judged import Completed, GivenAnswer, refuses
from argosy.domain.documents import sha256
from argosy.ml.answers import extractive, retrieval
from argosy.ml.answers.retrieval import FoundPassage, PassageIndex

Complete = Callable[[str], Completed]
"""Completes a prompt; see ``ports.prompt_completion``."""


class Assistant:
    """One bundle, ready to answer."""

    def __init__(
        self, digest: str, signature: AnswerSignature, prompt: str, index: PassageIndex, complete: Complete | None
    ) -> None:
        if complete is None and not isinstance(signature.answerer, Extractive):
            raise errors.Misconfigured(
                f"the model asks {signature.answerer.endpoint}, and nothing here may: give the step the Secret of its key"
            )
        self.digest = digest
        self.signature = signature
        self._prompt = prompt
        self._index = index
        self._complete = complete

    @classmethod
    def load(
        cls, folder: Path, digest: str, completing: Callable[[AnswerSignature], Complete | None] = lambda _: None
    ) -> "Assistant":
        """The bundle in *folder*, read once it is proven. *completing*: gives what completes the prompts of a bundle.

        Raises Misconfigured where its content is not *digest*, was ranked by another release of bm25s, or needs what completes prompts.
        """
        found = bundles.digest(folder)
        if found != digest:
            raise errors.Misconfigured(
                f"the bundle in {folder} is {found}, and was to be {digest}: it was changed; fetch it again"
            )
        signature = AnswerSignature.read(folder / answer_bundle.SIGNATURE)
        if _minor(signature.bm25s) != _minor(retrieval.VERSION):
            raise errors.Misconfigured(
                f"the model was measured with bm25s {signature.bm25s}, and here is {retrieval.VERSION}: use the image of its release, or "
                "run its pipeline again"
            )
        passages = answer_bundle.passages(folder / answer_bundle.PASSAGES)
        prompt = (folder / answer_bundle.PROMPT).read_text(encoding="utf-8")
        return cls(digest, signature, prompt, PassageIndex(passages, signature.retrieval), completing(signature))

    def find(self, question: str) -> list[FoundPassage]:
        """The passages that *question* is answered from, best first."""
        return self._index.find(question[:LONGEST_QUESTION])

    def prompt(self, question: str, found: list[FoundPassage]) -> str:
        """What a model is asked; the question last filled in, so that what it says fills in nothing."""
        context = "\n\n".join(f"[{each.passage.section}] {each.passage.title}\n{each.passage.text}" for each in found)
        head, mark, tail = self._prompt.replace(REFUSAL, self.signature.refusal).partition(QUESTION)
        return f"{head.replace(CONTEXT, context)}{question if mark else ''}{tail.replace(CONTEXT, context)}"

    def answer(self, question: str) -> GivenAnswer:
        """The answer to *question*, and what it took."""
        began = time.perf_counter()
        found = self.find(question)
        retrieving = time.perf_counter() - began
        completed = self._completed(question, found)
        text = completed.text.strip() or self.signature.refusal
        return GivenAnswer(
            text=text,
            sections=[each.passage.section for each in found],
            passages=[each.passage.text for each in found],
            refused=refuses(text, self.signature.refusal),
            input_tokens=completed.input_tokens,
            output_tokens=completed.output_tokens,
            seconds=retrieving + completed.seconds,
            score=found[0].score if found else 0.0,
            cover=self._index.cover(question, found),
        )

    def replay_difference(self, golden: GoldenQuestions) -> str | None:
        """What of *golden* is found, asked or answered otherwise than where it was measured; None where nothing is."""
        for row in golden.rows:
            found = self.find(row.question)
            if (sections := [each.passage.section for each in found]) != row.sections:
                return f"{row.question!r} finds {', '.join(sections) or 'nothing'}, and found {', '.join(row.sections) or 'nothing'}"
            if sha256(self.prompt(row.question, found).encode()) != row.prompt_digest:
                return f"{row.question!r} is asked with another prompt"
            if row.answer is not None and self.answer(row.question).text != row.answer:
                return f"{row.question!r} is answered otherwise"
        return None

    def _completed(self, question: str, found: list[FoundPassage]) -> Completed:
        answerer = self.signature.answerer
        if isinstance(answerer, Extractive):
            began = time.perf_counter()
            text = extractive.answer(answerer, self._index, question, found)
            seconds = time.perf_counter() - began
            return Completed(text=text or self.signature.refusal, input_tokens=0, output_tokens=0, seconds=seconds)
        if self._complete is None:
            raise LookupError("refused when it was made")
        return self._complete(self.prompt(question, found))


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])
