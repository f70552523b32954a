"""The steps of a run that failed, read from what Argo hands to exit handlers as ``{{workflow.failures}}``.

It is JSON in a quoted string, which a manifest may have cut short: an environment variable has a longest size, and a fan-out of hundreds of
tasks exceeds it. Its texts come from steps, so they are data and nothing else.
"""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 32_000
"""Characters that a manifest hands over."""
_EXIT_CODE = re.compile(r"exit code (\d{1,3})\b")
_OF_ANOTHER = re.compile(r"(?:child '.*|No more retries left\b.*|)", re.DOTALL)
"""Messages with which a DAG, a loop or the sum of a step's attempts says that something in it failed."""
_ATTEMPT = re.compile(r"\(\d+(?::[^()]*)?\)$")


@dataclass(frozen=True)
class FailedStep:
    """One task whose last attempt failed."""

    name: str
    """As a person sees it, without the number of the attempt."""
    message: str
    """Argo's words, such as ``Error (exit code 10)``."""

    @property
    def exit_code(self) -> int | None:
        """The code that its container ended with; None where it did not get so far."""
        found = _EXIT_CODE.search(self.message)
        return int(found[1]) if found else None


def parse(text: str) -> list[FailedStep]:
    """The tasks that failed, in the order in which they are named, once each, by the text *text*.

    What only says that something in it failed is left out, unless nothing else is there: a failure is never silent.
    """
    entries = [entry for entry in _entries(_unquoted(text)) if isinstance(entry, dict)]
    causes = [entry for entry in entries if not _OF_ANOTHER.fullmatch(str(entry.get("message") or ""))]
    found: dict[str, FailedStep] = {}
    for entry in causes or entries:
        step = _step(entry)
        known = found.get(step.name)
        # A step that is tried again has a node a try, and one for all of them that says that no more are left.
        if known is None or (known.exit_code is None and step.exit_code is not None):
            found[step.name] = step
    return list(found.values())


def _step(entry: dict[object, object]) -> FailedStep:
    name = _ATTEMPT.sub("", str(entry.get("displayName") or "a step"))
    return FailedStep(name, " ".join(str(entry.get("message") or "").split()))


def _unquoted(text: str) -> str:
    """What stands in the quoted string that *text* is, as Go quotes: Python reads the same escapes. Cut short, as far as it goes."""
    text = text.strip()
    if not text.startswith('"'):
        return text
    closed = (text, *(f'{text[: len(text) - cut]}"' for cut in range(11)))  # the longest escape has ten characters
    for candidate in closed:
        try:
            return str(ast.literal_eval(candidate))
        except (ValueError, SyntaxError):
            continue
    return ""


def _entries(text: str) -> Iterator[object]:
    """The elements of the JSON list that *text* is, up to where it was cut."""
    decoder = json.JSONDecoder()
    at = text.find("[") + 1
    while 0 < at < len(text):
        try:
            value, end = decoder.raw_decode(text, at + len(text[at:]) - len(text[at:].lstrip(" ,\n")))
        except (ValueError, RecursionError):
            return
        yield value
        at = end
