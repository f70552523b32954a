"""What is counted of a language model beside what is of every model: outcomes, tokens, and an endpoint that does not answer."""

from prometheus_client import CollectorRegistry, Counter

from argosy.domain.answers.judged import GivenAnswer
from argosy.serving.prometheus import SECONDS

ANSWER_SECONDS = (*SECONDS, 5.0, 10.0, 20.0, 40.0, 80.0)
"""Bins of the time that an answer takes: those of every model, and what an endpoint may take."""
OUTCOMES = ("answered", "refused")
FAILURES = ("busy", "late", "left alone", "refuses", "request late")
"""Of an endpoint: it asks to come later, or is not there; took longer than a question may; was not asked, as it had failed several times in
a row; wants something else, such as another key. Of a request: its budget was used up by its other questions, and those of others."""


class AnswerMetrics:
    """The counters of one model's answers."""

    def __init__(self, registry: CollectorRegistry) -> None:
        answers = Counter("argosy_answers", "Questions answered, by outcome.", ["outcome"], registry=registry)
        self._answers = {outcome: answers.labels(outcome) for outcome in OUTCOMES}
        tokens = Counter("argosy_answer_tokens", "Tokens as the endpoint counts them.", ["kind"], registry=registry)
        self._input, self._output = tokens.labels("input"), tokens.labels("output")
        failures = Counter(
            "argosy_answer_endpoint_failures",
            "Questions without an answer, by why.",
            ["why"],
            registry=registry,
        )
        self._failures = {why: failures.labels(why) for why in FAILURES}

    def answered(self, answer: GivenAnswer) -> None:
        """Count *answer*, which came in time."""
        self._answers["refused" if answer.refused else "answered"].inc()

    def paid(self, answer: GivenAnswer) -> None:
        """Count the tokens of *answer*, in time or not. Safe in a thread."""
        self._input.inc(answer.input_tokens)
        self._output.inc(answer.output_tokens)

    def failed(self, why: str, questions: int = 1) -> None:
        """Count *questions* without answer; *why* is one of ``FAILURES``."""
        self._failures[why].inc(questions)
