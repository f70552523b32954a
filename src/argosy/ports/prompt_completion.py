"""The port of what completes a prompt: an endpoint that a language model answers at."""

from typing import Protocol

from argosy.domain.answers.judged import Completed


class Completion(Protocol):
    """Completes prompts."""

    def complete(self, prompt: str) -> Completed:
        """The completion of *prompt*. Raises TryAgain where the endpoint does not answer, Misconfigured where it refuses."""
