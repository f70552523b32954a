"""What ``argosy pr view`` shows of a request: its evidence, whether the signature is right, whether the request's text says the same.

The text of a request is anybody's who may edit it. It is shown as it is only where it is asked for, and where there is nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from argosy import errors
from argosy.domain.merge_checks import Check
from argosy.domain.promotion import Request
from argosy.report import request_body


@dataclass(frozen=True)
class Shown:
    """Markdown for a reviewer, and in one line each what stands behind it."""

    markdown: str
    evidence: str
    text: str

    def facts(self) -> dict[str, str]:
        """The lines, by name."""
        return {"evidence": self.evidence, "text": self.text}


def shown(request: Request, files: Mapping[str, bytes], signatures: Check) -> Shown:
    """What to show of *request*, which proposes *files*; *signatures* is the check of them."""
    signed = ("signature verified: " if signatures.passed else "SIGNATURE NOT VERIFIED: ") + signatures.reason
    if request.subject.reverts:
        return Shown(request.body, signed, "the request's own: nobody signs why a version is taken out")
    try:
        rendered = request_body.of_files(request.subject, files)
        same = request_body.is_of_files(request.body, request.subject, files)
    except errors.Misconfigured as error:
        return Shown("", f"CANNOT BE SHOWN: {error}", "the request's own, not shown beside nothing (--raw)")
    said = (
        "as the evidence has it" if same else "DIFFERS from the evidence, which is shown instead (--raw shows the text)"
    )
    return Shown(rendered, signed, said)
