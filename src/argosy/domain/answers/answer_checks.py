"""What is wrong in the folder of a language model, and can be known before it runs."""

from collections.abc import Iterator
from pathlib import Path

from argosy.domain.answers import answer_measurements
from argosy.domain.answers.answer_bundle import CONTEXT, QUESTION
from argosy.domain.policy import Policy
from argosy.domain.setting_problems import SettingProblem


def of_prompt(prompt: str, place: str | Path) -> Iterator[str]:
    """Places that the *prompt*, which lies at *place*, needs and has not just once."""
    for mark in (QUESTION, CONTEXT):
        if (count := prompt.count(mark)) != 1:
            yield f"{place}: the prompt has {mark} {count} times; it is filled in at one place"


def of_policy(policy: Policy) -> Iterator[SettingProblem]:
    """Limits and comparisons of *policy* over what is not measured of a language model."""
    if policy.judges != "answers":
        yield SettingProblem(
            ("judges",), f"the policy judges {policy.judges}; of a language model it says `judges: answers`"
        )
        return
    for name in ("limits", "deviations"):
        for index, bound in enumerate(getattr(policy, name)):
            if (text := answer_measurements.unknown(bound.metric)) is not None:
                yield SettingProblem((name, index, "metric"), text)
    for field, scores in (("metric", [policy.comparison.metric]), ("beside", policy.comparison.beside)):
        for score in scores:
            if (text := answer_measurements.not_compared(score)) is not None:
                yield SettingProblem(("comparison", field), text)
    if policy.comparison.margins:
        yield SettingProblem(
            ("comparison", "margins"), "a language model is compared by `metric` and `beside` alone; leave them out"
        )
