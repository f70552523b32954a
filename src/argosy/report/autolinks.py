"""Text in which GitHub finds nothing to link, to notify or to close: for names, reasons and messages that come from data.

GitHub looks for these in what a reader would see, after Markdown's escapes and entities are gone, so that neither of them helps; in commit
messages it looks too. What it takes for a reference, and where each is broken by a space without width:

- ``@user``, ``@org/team``, ``owner/repo@commit``, mail addresses: after the ``@``;
- ``#12``, ``owner/repo#12``: after the ``#``; ``GH-12``, ``GHSA-…``, a repository's own ``TICKET-12``: after the ``-``;
- ``http://``, ``https://``, ``ftp://`` and every other ``…://``: after the ``:``; ``www.``: before the ``.``;
- ``…/issues/12``, ``…/pull/12``, ``…/commit/…``, ``…/discussions/12``, whatever the host: before the last ``/``;
- a commit, 7 to 40 hexadecimal digits: after every sixth. Whole numbers stay: people copy them.

A closing word (``fixes #12``) closes nothing once its reference is none. Inside code GitHub links nothing; what is to be copied goes there.
"""

import re

BREAK = "\u200b"
BEGINNING = re.compile(
    r"""
      @(?=\S)
    | \#(?=\d)
    | (?<![0-9A-Za-z])[A-Za-z][0-9A-Za-z]*-(?=\d) | GHSA-(?=\w)
    | :(?=//)
    | www(?=\.)
    | /(?:issues?|pulls?|commits?|discussions)(?=/)
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""The text before the place at which a reference is broken."""
COMMIT = re.compile(r"(?<![0-9A-Za-z])(?!\d+(?![0-9A-Za-z]))[0-9a-f]{7,40}(?![0-9A-Za-z])", re.IGNORECASE)
LONGEST_NO_COMMIT = 6


def defused(text: str) -> str:
    """*text* on one line, which reads as before and refers to nothing."""
    line = " ".join(text.replace(BREAK, "").split())
    return BEGINNING.sub(rf"\g<0>{BREAK}", COMMIT.sub(_apart, line))


def _apart(commit: re.Match[str]) -> str:
    return BREAK.join(re.findall(rf".{{1,{LONGEST_NO_COMMIT}}}", commit[0]))
