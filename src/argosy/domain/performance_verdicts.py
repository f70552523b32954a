"""Holds real performance against the gates of the policy, and says in a sentence what follows.

Decisions only. A metric is below its gate where all of its interval breaks it: a few unlucky rows alarm nobody, and a policy's limit on a
slice that is small is broken by chance every other day.
"""

from collections.abc import Iterator, Sequence

from argosy.domain import figures
from argosy.domain.gates import holds
from argosy.domain.performance_report import LabelCounts, MeasuredScore, PerformanceWord, Standing
from argosy.domain.policy import Limit, Policy

DIMENSION = "performance."


def held(score: MeasuredScore, policy: Policy | None) -> MeasuredScore:
    """*score* with the limit that *policy* has on it, and its standing against that."""
    limit = next((each for each in _limits(policy) if each.metric == DIMENSION + score.metric), None)
    if limit is None:
        return score
    bound = {"at_least": limit.at_least, "at_most": limit.at_most}
    return score.model_copy(update={**bound, "standing": _standing(score, limit)})


def _limits(policy: Policy | None) -> Sequence[Limit]:
    return policy.limits if policy else ()


def _standing(score: MeasuredScore, limit: Limit) -> Standing | None:
    if score.value is None:
        return None
    ends = [
        holds(end, at_least=limit.at_least, at_most=limit.at_most) for end in (score.low, score.high) if end is not None
    ]
    if holds(score.value, at_least=limit.at_least, at_most=limit.at_most):
        return "holds" if all(ends) else "unclear"
    return "unclear" if any(ends) else "below"


def verdict(
    labels: LabelCounts, answered: int, labelled: int, scores: Sequence[MeasuredScore], minimum: int
) -> tuple[PerformanceWord, str]:
    """The verdict on the version that serves, which *answered* so many rows, of which *labelled* have a label that is due; and why."""
    if not answered:
        return "no data", "nothing was logged of this version; this says nothing about its performance"
    if not labelled:
        return "no labels", f"none of the {answered:,} logged predictions has a label yet; {_whose(labels)}"
    if labelled < minimum:
        return "too few", f"{labelled:,} predictions have a label, {minimum:,} are needed; this says nothing"
    gated = [score for score in scores if score.standing]
    for word in ("below", "unclear"):
        if found := [_sentence(score) for score in gated if score.standing == word]:
            why = (
                "all of its interval breaks the gate"
                if word == "below"
                else "its interval holds values on both sides of the gate"
            )
            return word, f"{'; '.join(found)}: {why}"
    if not gated:
        return "no gate", "the policy has no limit on what was measured"
    return "holds", "; ".join(map(_sentence, gated))


def _whose(labels: LabelCounts) -> str:
    if not labels.rows:
        return "the label source has no rows"
    told = f"the label source has {labels.rows:,} rows"
    if labels.unmatched:
        return f"{told}, {labels.unmatched:,} of them of no prediction of this window"
    if labels.future or labels.undefined or labels.contradicting or labels.ambiguous:
        return told
    return f"{told}, none of them of one of these: are ids written there as in requests?"


def _sentence(score: MeasuredScore) -> str:
    limit = (
        f"at least {figures.number(score.at_least)}"
        if score.at_least is not None
        else f"at most {figures.number(score.at_most)}"
    )
    interval = f"{figures.number(score.low)} to {figures.number(score.high)}"
    return f"{score.metric} is {figures.number(score.value)} ({interval}), the policy asks for {limit}"


def problems(labels: LabelCounts, source: str, by: str) -> Iterator[str]:
    """One line for each kind of bad input among *labels*, which came from *source* and join *by* request or entity."""
    told = (
        (
            labels.unmatched,
            f"of no prediction in the window: never made, made outside of it, or the {'request ids' if by == 'request' else 'ids'} are "
            "written otherwise than in requests; left out",
        ),
        (labels.future, "known, or of outcomes, later than now: not counted yet; if the source's clock is right, mend `known` or its zone"),
        (labels.undefined, "without a value, or of a class that the model does not have; left out"),
        (labels.ambiguous, "of a request with several rows, without saying of which; left out: name the column of the place in `row`"),
    )  # fmt: skip
    for count, what in told:
        if count:
            yield f"source {source!r}: {count:,} label{'s' * (count > 1)} {what}"
    if labels.contradicting:
        yield (
            f"source {source!r}: {labels.contradicting:,} prediction{'s have' if labels.contradicting > 1 else ' has'} different labels "
            "known at one moment; none of them counts: mend the source, or say with `known` which came last"
        )
    if labels.nameless:
        yield (
            f"{labels.nameless:,} prediction{'s were' if labels.nameless > 1 else ' was'} asked for without an id, so no label can be of "
            f"{'them' if labels.nameless > 1 else 'it'}: send the model's entity with the features"
        )
    if labels.early:
        yield (
            f"source {source!r}: {labels.early:,} prediction{'s' * (labels.early > 1)} had a label that was known before it was made; they "
            "count: look at the clocks of server and source, and at `before` and `after`"
        )
