"""Reads the documents that a language model answers from."""

from collections.abc import Sequence
from pathlib import Path

from argosy import errors

MOST_BYTES = 16 * 2**20
"""Of one document: a page of a help centre is a thousandth of it."""


def read(location: Path, names: Sequence[str]) -> dict[str, str]:
    """The documents *names* in the folder *location*. Raises Misconfigured with all that cannot be read."""
    found: dict[str, str] = {}
    problems: list[str] = []
    for name in names:
        path = location / name
        try:
            if path.stat().st_size > MOST_BYTES:
                problems.append(
                    f"{path} is larger than {MOST_BYTES >> 20} MiB; no page is: leave it out of `documents`"
                )
                continue
            found[name] = path.read_text(encoding="utf-8")
        except OSError as error:
            problems.append(f"{path} cannot be read: {error.strerror}; `documents` of model.yaml names it")
        except UnicodeDecodeError as error:
            problems.append(f"{path} is not UTF-8 (byte {error.start:,}); save it as UTF-8")
    if problems:
        raise errors.Misconfigured(errors.listed(problems))
    return found
