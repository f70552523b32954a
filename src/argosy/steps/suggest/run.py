"""The logic of ``suggest``: the last round's trials join the history, the sampler answers with the next points."""

from pathlib import Path

from argosy.domain.model_settings import ModelSettings
from argosy.domain.search import SearchHistory
from argosy.ml import rounds, sampling


def run(*, settings: ModelSettings, round_number: int, finished: str, history: Path | None, out: Path) -> str:
    """Write the history with *finished* in it to *out*; return the next round's batches as JSON text.

    *finished*: what the last round's tasks handed over. *history*: the history before them; None in round 0.
    Raises Misconfigured where the search space or the score is none, or a round was left out.
    """
    before = SearchHistory.read(history) if history else rounds.empty(settings)
    so_far = rounds.merged(before, rounds.finished(finished))
    asked = [] if rounds.is_over(so_far, settings) else sampling.ask(settings, so_far, round_number=round_number)
    so_far.write(out)
    return rounds.batches(asked, settings.search.per_task)
