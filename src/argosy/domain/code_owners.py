"""The owners of files, by the file CODEOWNERS as GitHub reads it: the last line whose pattern fits a path says who owns it.

Left to others: whether an owner exists and may be asked. Mail addresses are owners too, but nobody can ask them on a forge.
"""

import re
from collections.abc import Callable, Iterable

from argosy.domain import environment_layout
from argosy.domain.promotion_requests import Subject

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""The files that are looked for, in this order; the first that is there counts, alone."""


def of_request(subject: Subject, read: Callable[[str], bytes | None]) -> list[str]:
    """Who has to review a request about *subject*; empty where nobody is named. *read*: the file of main at a path, None for none."""
    text = next((content for content in map(read, PLACES) if content is not None), b"")
    path = environment_layout.second_path if subject.tries else environment_layout.version_path
    return owners(text.decode(errors="replace"), [path(subject.model, subject.environment)])


def owners(text: str, paths: Iterable[str]) -> list[str]:
    """Those who own one of *paths* at least, without the ``@``: ``ada``, ``acme/team``."""
    rules = [(_pattern(words[0]), words[1:]) for line in text.splitlines() if (words := line.partition("#")[0].split())]
    found = {name for path in paths for name in _of(path, rules)}
    return sorted(name[1:] for name in found if re.fullmatch(r"@[\w.-]+(/[\w.-]+)?", name))


def _of(path: str, rules: list[tuple[re.Pattern[str], list[str]]]) -> list[str]:
    return next((names for pattern, names in reversed(rules) if pattern.fullmatch(path)), [])


def _pattern(written: str) -> re.Pattern[str]:
    """The paths that a pattern fits: below it where it names a folder, anywhere where it has no slash but at its end."""
    anchored = "/" in written.rstrip("/")
    words = re.split(r"(\*\*/|\*\*|\*|\?)", written.strip("/"))
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    text = "".join(meaning.get(word, re.escape(word)) for word in words)
    # `docs/*` names the files of a folder, and none below one of them; any other name may be a folder's.
    below = "/.*" if written.endswith("/") else "" if written.endswith("/*") else "(?:/.*)?"
    return re.compile(f"{'' if anchored else '(?:.*/)?'}{text}{below}", re.DOTALL)
