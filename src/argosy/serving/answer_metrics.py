"""What is counted of a language model beside what is of every model: outcomes, tokens, and an endpoint that does not answer."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter

from argosy.domain.answers.judged import GivenAnswer
from argosy.serving.prometheus import SECONDS

ANSWER_SECONDS = (*SECONDS, 5.0, 10.0, 20.0, 40.0, 80.0)
"""Bins of the time that an answer takes: those of every model, and what an endpoint may take."""
OUTCOMES = ("answered", "refused")
FAILURES = ("busy", "late", "left alone", "refuses")
"""Of an endpoint: it asks to come later, or is not there; took longer than the budget; was not asked, as it had failed several times in a
row; wants something else, such as another key."""


class AnswerMetrics:
    """The counters of one model's answers."""

    def __init__(self, registry: CollectorRegistry) -> None:
        answers = Counter("argosy_answers", "Questions answered, by outcome.", ["outcome"], registry=registry)
        self._answers = {outcome: answers.labels(outcome) for outcome in OUTCOMES}
        tokens = Counter("argosy_answer_tokens", "Tokens as the endpoint counts them.", ["kind"], registry=registry)
        self._input, self._output = tokens.labels("input"), tokens.labels("output")
        failures = Counter(
            "argosy_answer_endpoint_failures",
            "Questions that the endpoint left without answer.",
            ["why"],
            registry=registry,
        )
        self._failures = {why: failures.labels(why) for why in FAILURES}

    def answered(self, answers: Sequence[GivenAnswer]) -> None:
        """Count *answers*."""
        for answer in answers:
            self._answers["refused" if answer.refused else "answered"].inc()
            self._input.inc(answer.input_tokens)
            self._output.inc(answer.output_tokens)

    def failed(self, why: str) -> None:
        """Count a question without answer; *why* is one of ``FAILURES``."""
        self._failures[why].inc()
