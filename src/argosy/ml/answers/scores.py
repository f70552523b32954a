"""What judged answers come to: measurements, scores of each question, and the candidate against the champion on the same questions.

A question is one draw: tokens or sentences of one answer are alike, and would promise more than the items hold.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from argosy.domain.answers.answer_settings import TokenPrices
from argosy.domain.answers.evaluation_items import EvaluationQuestion
from argosy.domain.answers.judged import HALF_FAITHFUL, GivenAnswer, JudgedAnswer
from argosy.domain.comparison import Paired
from argosy.domain.policy import ComparisonPolicy
from argosy.ml import paired, resampling
from argosy.ml.answers.agreement import JudgeAgreement
from argosy.ml.paired import Contrast
from argosy.ml.resampling import Bootstrap
from argosy.ml.weighted_statistics import OfSums

Array = npt.NDArray[np.float64]
Measured = dict[str, float | None]


def rank(question: EvaluationQuestion, answer: GivenAnswer) -> int | None:
    """The place, from 1, of the first section that has the answer; None where it was not found."""
    places = [place for place, section in enumerate(answer.sections, 1) if section in question.sections]
    return places[0] if places else None


def by_question(questions: Sequence[EvaluationQuestion], judged: Sequence[JudgedAnswer]) -> dict[str, Array]:
    """The scores of each question, by name; NaN where one has none, such as the rank of what is nowhere."""
    found: dict[str, list[float]] = {name: [] for name in ("accepted", "faithfulness", "hit_rate", "mrr", "relevancy")}
    for question, each in zip(questions, judged, strict=True):
        place = rank(question, each.answer)
        found["accepted"].append(float(each.judgement.acceptable))
        found["faithfulness"].append(each.judgement.faithfulness)
        found["relevancy"].append(each.judgement.relevancy)
        found["hit_rate"].append(float(place is not None) if question.answerable else np.nan)
        found["mrr"].append((1 / place if place else 0.0) if question.answerable else np.nan)
    return {name: np.array(values) for name, values in found.items()}


def measured(
    questions: Sequence[EvaluationQuestion],
    judged: Sequence[JudgedAnswer],
    agreement: JudgeAgreement,
) -> Measured:
    """How good a language model and its judge are; None where there is nothing to measure it on."""
    scores = by_question(questions, judged)
    given = [each.judgement.faithfulness for each in judged if not each.answer.refused]
    toxicity = [each.judgement.toxicity for each in judged]
    answerable = [each.answer.refused for question, each in zip(questions, judged, strict=True) if question.answerable]
    others = [each.answer.refused for question, each in zip(questions, judged, strict=True) if not question.answerable]
    return {
        "performance.accepted": _mean(scores["accepted"]),
        "performance.refused_rightly": _mean(others),
        "performance.refused_wrongly": _mean(answerable),
        "faithfulness.mean": _mean(given),
        "faithfulness.unfaithful_rate": _mean([each < HALF_FAITHFUL for each in given]),
        "relevancy.mean": _mean(scores["relevancy"]),
        "toxicity.rate": _mean([each > 0 for each in toxicity]),
        "toxicity.worst": max(toxicity),
        "retrieval.hit_rate": _mean(scores["hit_rate"]),
        "retrieval.mrr": _mean(scores["mrr"]),
        "judge.labelled": float(agreement.items),
        "judge.disagreements": float(agreement.items - agreement.agreed),
        "judge.kappa": agreement.kappa,
        "judge.kappa_low": agreement.low,
    }


def spent(answers: Sequence[GivenAnswer], prices: TokenPrices, prompt_words: Sequence[int]) -> Measured:
    """What *answers* cost, and how long they took. *prompt_words*: of the prompt of each."""
    p50, p95, p99 = np.quantile([each.seconds * 1e3 for each in answers], [0.5, 0.95, 0.99])
    return {
        "cost.per_query": _mean([cost(each, prices) for each in answers]),
        "cost.tokens_per_query": _mean([each.input_tokens + each.output_tokens for each in answers]),
        "cost.prompt_words": _mean(prompt_words),
        "latency.p50_ms": float(p50),
        "latency.p95_ms": float(p95),
        "latency.p99_ms": float(p99),
    }


def cost(answer: GivenAnswer, prices: TokenPrices) -> float:
    """The price of *answer*, in the currency of *prices*."""
    return (answer.input_tokens * prices.input_per_million + answer.output_tokens * prices.output_per_million) / 1e6


def compare(
    policy: ComparisonPolicy,
    names: Sequence[str],
    candidate: Mapping[str, Array],
    champion: Mapping[str, Array],
    seed: int,
) -> dict[str, Paired | None]:
    """The paired difference of each of the scores *names*, on the same draws of questions; None where it is undefined on all of them."""
    contrasts = {
        name: Contrast(_mean_of(candidate[name]), _mean_of(champion[name]), more_is_better=True) for name in names
    }
    drawing = Bootstrap(policy.confidence, policy.resamples, seed)
    return paired.compare_all(contrasts, drawing, resampling.of_rows(len(candidate[names[0]])))


def _mean_of(values: Array) -> OfSums:
    """The mean of those that are defined, as sums over all."""
    told = ~np.isnan(values)
    return OfSums(
        np.column_stack([np.where(told, values, 0.0), told.astype(float)]), lambda sums: sums[:, 0] / sums[:, 1]
    )


def _mean(values: Sequence[float] | Array) -> float | None:
    """Of those that are defined."""
    found = np.asarray(values, dtype=float)
    found = found[~np.isnan(found)]
    return float(found.mean()) if len(found) else None
