"""The comment beside a request that says what its checks found: read by people who look at the forge and at nothing else."""

from collections.abc import Sequence

from argosy.domain.merge_checks import Check
from argosy.report import markdown_text


def markdown(checks: Sequence[Check], head: str) -> str:
    """What *checks* found of commit *head*: the red ones first, each with its reason."""
    red = [check for check in checks if not check.passed]
    count = f"**{len(red)} of {len(checks)} checks are red**" if red else f"**All {len(checks)} checks passed**"
    rows = [_row(check) for check in sorted(checks, key=lambda check: check.passed)]
    return "\n".join(
        [f"{count}, of commit {markdown_text.code(head[:12])}.", "", "| | check | |", "|---|---|---|", *rows]
    )


def _row(check: Check) -> str:
    state = "ok" if check.passed else "**red**, for good" if check.final else "**red**"
    return f"| {state} | {markdown_text.code(check.name)} | {markdown_text.escape(check.reason)} |"
