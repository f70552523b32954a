"""The port to the ledgers of retrainings, one a model.

Many decide at once: every alert that comes is a process of its own. So a ledger is read, judged and written in one turn, which no other
turn of that model overlaps. What is judged is ``argosy.domain.retraining_admission``'s business.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from argosy.domain.retraining_admission import RetrainingLedger

Answer = TypeVar("Answer")
Turn = Callable[[RetrainingLedger], tuple[Answer, RetrainingLedger]]
"""What is done with a ledger in one turn: an answer, and the ledger to keep. It has no effects elsewhere: it may be done again."""


class AdmissionState(Protocol):
    """The ledgers. All methods raise TryAgain when the store fails, Misconfigured when somebody has to mend it first."""

    def take_turn(self, model: str, turn: Turn[Answer]) -> Answer:
        """The answer of *turn* on the ledger of *model*, whose next state is durable on return; an empty ledger where there was none.

        No two turns of one model overlap, in whatever processes they are. What *turn* raises leaves the ledger as it was.
        Raises LocalDisk where the store is a file on a disk that is full.
        """

    def ledger(self, model: str) -> RetrainingLedger:
        """The ledger of *model* as it is; an empty one where there is none."""

    def models(self) -> Sequence[str]:
        """The models that have a ledger, by name."""
