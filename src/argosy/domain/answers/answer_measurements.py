"""The names under which a language model is measured: what its policy may name."""

from argosy.domain.policy import ANSWER_DIMENSIONS, OWN
from argosy.domain.suggestion import choices

COMPARED = ("accepted", "faithfulness", "hit_rate", "mrr", "relevancy")
"""Scores of each question, more being better: by those a candidate is held against the champion, on the same questions."""
NAMES = (
    "cost.per_query",
    "cost.prompt_words",
    "cost.tokens_per_query",
    "faithfulness.mean",
    "faithfulness.unfaithful_rate",
    "judge.disagreements",
    "judge.kappa",
    "judge.kappa_low",
    "judge.labelled",
    "latency.p50_ms",
    "latency.p95_ms",
    "latency.p99_ms",
    "performance.accepted",
    "performance.refused_rightly",
    "performance.refused_wrongly",
    "relevancy.mean",
    "retrieval.hit_rate",
    "retrieval.mrr",
    "toxicity.rate",
    "toxicity.worst",
)


def unknown(metric: str) -> str | None:
    """The error text for a limit on *metric* where no such thing is measured of a language model; None where it is."""
    if metric in NAMES or metric.startswith(f"{OWN}."):
        return None
    dimension = metric.partition(".")[0]
    alike = [name for name in NAMES if name.startswith(f"{dimension}.")] or list(ANSWER_DIMENSIONS)
    return f"nothing is measured under {metric!r} of a language model{choices(metric, alike, 'There is')}"


def not_compared(score: str) -> str | None:
    """The error text for a comparison by *score*; None where the models can be held against each other by it."""
    if score in COMPARED:
        return None
    return f"no question has a score {score!r}{choices(score, COMPARED, 'There is')}"
