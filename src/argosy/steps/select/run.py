"""The logic of ``select``: the last round's trials join the history, the best one is chosen."""

from pathlib import Path

from argosy.domain.search import SearchHistory
from argosy.ml import rounds


def run(*, finished: str, history: Path, out_history: Path, out_choice: Path) -> None:
    """Write the whole history and the choice. Raises Rejected where no trial came to a score."""
    whole = rounds.merged(SearchHistory.read(history), rounds.finished(finished))
    choice = rounds.choose(whole)
    whole.write(out_history)
    choice.write(out_choice)
