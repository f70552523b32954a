"""The body of a promotion request: what a reviewer needs to decide, in Markdown, within what forges accept."""

import datetime

from argosy.domain import release
from argosy.domain.markdown_text import code

LIMIT = 65_536 - 4_096
"""Characters that GitHub takes, less the room that a forge may need for marks of its own."""
CUT = "\n\n_Cut here: a request holds no more. The whole report is `evidence/evidence.md` in this request's files._\n"


def markdown(version: release.Version, not_after: datetime.datetime, evidence: str) -> str:
    """The body for *version*, whose release ends *not_after*; *evidence* is the report of the evaluation, already safe Markdown."""
    text = f"{evidence.rstrip()}\n\n{_identity(version, not_after)}\n{_checking()}"
    if len(text) <= LIMIT:
        return text
    rest = f"{CUT}\n{_identity(version, not_after)}\n{_checking()}"
    head = evidence[: LIMIT - len(rest)]
    return head.rpartition("\n")[0] + rest


def _identity(version: release.Version, not_after: datetime.datetime) -> str:
    rows = {
        "model": f"{version.model}, version {version.version}",
        "model digest": version.model_digest,
        "bundle": version.storage_uri,
        "online store": version.online_store.text() if version.online_store else "none",
        "evidence digest": version.evidence_digest,
        "policy digest": version.policy_digest,
        "may be served until": not_after.strftime("%Y-%m-%d"),
    }
    lines = [f"| {name} | {code(value)} |" for name, value in rows.items()]
    return "\n".join(["## What would be served", "", "| | |", "|---|---|", *lines, ""])


def _checking() -> str:
    return (
        "## How to check it\n\n"
        "`argosy pr view` shows this text with the state of every check: the signatures of bundle and evidence, the digests above, and "
        "that main still has the champion and the policy that the evaluation saw. `argosy pr diff` shows what would change. "
        "A merge is refused while a check is red.\n"
    )
