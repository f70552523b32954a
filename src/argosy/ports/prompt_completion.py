"""The port of what completes a prompt: an endpoint that a language model answers at."""

from typing import Protocol

from argosy import errors
from argosy.domain.answers.judged import Completed


class EndpointBusy(errors.TryAgain):
    """An endpoint does not answer now; *seconds*: when it asks to be tried again, None where it says nothing."""

    def __init__(self, message: str, seconds: float | None) -> None:
        super().__init__(message)
        self.seconds = seconds


class Completion(Protocol):
    """Completes prompts."""

    def complete(self, prompt: str) -> Completed:
        """The completion of *prompt*. Raises EndpointBusy where the endpoint does not answer, Misconfigured where it refuses."""
