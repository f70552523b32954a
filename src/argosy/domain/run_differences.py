"""The differences between two runs of one model, as values: settings, parameters, features, data, measurements. Nothing is read here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

PROMPT, EVALUATION_SET = "prompt", "evaluation set"
SAME_QUESTIONS, FLIPS = "both models on the same questions", "answers that flip"
"""Sections that two runs of a language model have besides."""


# By their names: the modules that have them load what whoever runs a manifest does without.
UNSAID = ("provenance", "asked-by")
"""Parameters that nobody chooses: where the run's code is from, and who asked for it."""


@dataclass(frozen=True)
class RunDifference:
    """One thing that is otherwise."""

    section: str
    name: str
    before: str
    after: str


LEAST = 1e-3
"""The share of a measurement by which it differs at least, to be told as other."""


def matters(one: float | None, other: float | None) -> bool:
    """True where two measurements differ by more than :data:`LEAST` of the larger, or there is only one."""
    return one is None or other is None or abs(one - other) > LEAST * max(abs(one), abs(other))


def of_values(section: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[RunDifference]:
    """Each name of *before* or *after* whose value is another, or is only in one of them; nested ones by their path."""
    one, other = dict(_flat(before)), dict(_flat(after))
    for name in dict.fromkeys([*one, *other]):
        if one.get(name, "-") != other.get(name, "-"):
            yield RunDifference(section, name, one.get(name, "-"), other.get(name, "-"))


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The leaves of *value*, each with its path; entries of a list that have a name go by that."""
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _flat(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and value and all(isinstance(each, Mapping) and "name" in each for each in value):
        for each in value:
            yield from _flat({name: inner for name, inner in each.items() if name != "name"}, f"{path}.{each['name']}")
    else:
        yield path, _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "-"}[value]
    if isinstance(value, float):
        return f"{value:.6g}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
