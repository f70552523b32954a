"""The body of a promotion request: what a reviewer needs to decide, in Markdown, within what forges accept."""

import datetime
import itertools
import re
from collections.abc import Mapping

from pydantic import ValidationError

from argosy import errors
from argosy.domain import circumstances, environment_layout, promotion_requests, release, version_file
from argosy.domain.circumstances import Circumstances
from argosy.domain.evidence import Evidence
from argosy.report import circumstances_markdown, evidence_markdown
from argosy.report.markdown_text import code

LIMIT = 65_536 - 4_096 - 1_024
"""Characters that GitHub takes, less the room that a forge may need for marks of its own, and for the addresses of pictures."""
SERVED = "## What would be served"
UNTIL = "may be served until"
CUT = "\n\n_Cut here: a request holds no more. The whole report is `evidence/evidence.md` in this request's files._\n"


def markdown(
    version: release.Version, not_after: datetime.date | None, evidence: str, how: Circumstances | None = None
) -> str:
    """The body for *version*, whose release ends *not_after*; *evidence* is the report of the evaluation, already safe Markdown; *how* it
    came to be, None where nobody wrote that down."""
    after = f"{_how(how)}{_identity(version, not_after)}\n{_checking(version.model, version.version)}"
    text = f"{evidence.rstrip()}\n\n{after}"
    if len(text) <= LIMIT:
        return text
    rest = f"{CUT}\n{after}"
    head = evidence[: LIMIT - len(rest)]
    return head.rpartition("\n")[0] + rest


def of_files(
    subject: promotion_requests.Subject, files: Mapping[str, bytes], not_after: datetime.date | None = None
) -> str:
    """The body that version.yaml and evidence.json among a request's *files* make, whatever anybody wrote into the request.

    Raises Misconfigured where one of them is missing or cannot be read.
    """
    beside = environment_layout.evidence_path(subject.model, subject.environment)
    version = _version(subject, files)
    try:
        evidence = Evidence.model_validate_json(files.get(beside, b""))
    except ValidationError as error:
        raise errors.Misconfigured(f"{beside} is missing or no evidence: {error.errors()[0]['msg']}") from None
    return markdown(version, not_after, evidence_markdown.report(evidence), _circumstances(subject, files))


def is_of_files(body: str, subject: promotion_requests.Subject, files: Mapping[str, bytes]) -> bool:
    """True where *body* says what the *files* do: evidence.json as it is rendered now, or evidence.md as it was signed with it."""
    until = not_after(body)
    signed, how = _signed_report(subject, files), _circumstances(subject, files)
    known = of_files(subject, files, until), markdown(_version(subject, files), until, signed, how)
    return _plain(body) in {text.strip() for text in known}


def differs_below_evidence(body: str, subject: promotion_requests.Subject, files: Mapping[str, bytes]) -> bool:
    """True where *body* has the report that was signed, and beside it digests of the *files* only, but below them other words than ours.

    Another version of Argosy has such words. Whether they are its, or somebody's who may edit the request, nobody can tell.
    """
    report, table, below = _plain(body).partition(f"\n\n{SERVED}\n\n")
    rows = list(itertools.takewhile(lambda line: line.startswith("|"), below.splitlines()))
    identity = _identity(_version(subject, files), not_after(body)).splitlines()
    needed = [row for row in identity if row.startswith(("| model |", "| model digest |", "| evidence digest |"))]
    signed = f"{_signed_report(subject, files).rstrip()}\n\n{_how(_circumstances(subject, files))}"
    return bool(table) and report == signed.strip() and set(needed) <= set(rows) <= set(identity)


def _plain(body: str) -> str:
    return body.replace("\r\n", "\n").strip()


def _version(subject: promotion_requests.Subject, files: Mapping[str, bytes]) -> release.Version:
    path = environment_layout.version_path(subject.model, subject.environment)
    return version_file.parse(files.get(path, b""), path)


def _signed_report(subject: promotion_requests.Subject, files: Mapping[str, bytes]) -> str:
    folder = environment_layout.evidence_folder(subject.model, subject.environment)
    return files.get(f"{folder}/evidence.md", b"").decode(errors="replace")


def _circumstances(subject: promotion_requests.Subject, files: Mapping[str, bytes]) -> Circumstances | None:
    """Those among *files*; None where there are none, as of earlier Argosys. Raises Misconfigured where they cannot be read."""
    path = f"{environment_layout.evidence_folder(subject.model, subject.environment)}/{circumstances.FILE}"
    return circumstances.parse(files[path], path) if path in files else None


def _how(how: Circumstances | None) -> str:
    return f"{circumstances_markdown.section(how)}\n\n" if how else ""


def not_after(body: str) -> datetime.date | None:
    """The day until which the release may be served, as *body* says; None where it says none."""
    found = re.search(rf"^\| {UNTIL} \| `(\d{{4}}-\d\d-\d\d)` \|\r?$", body, re.MULTILINE)
    try:
        return datetime.date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def _identity(version: release.Version, not_after: datetime.date | None) -> str:
    rows = {
        "model": f"{version.model}, version {version.version}",
        "model digest": version.model_digest,
        "bundle": version.storage_uri,
        **({"image": version.image} if version.image else {}),
        "online store": version.online_store.text() if version.online_store else "none",
        "evidence digest": version.evidence_digest,
        "policy digest": version.policy_digest,
        **({UNTIL: not_after.strftime("%Y-%m-%d")} if not_after else {}),
    }
    lines = [f"| {name} | {code(value)} |" for name, value in rows.items()]
    return "\n".join([SERVED, "", "| | |", "|---|---|", *lines, ""])


def _checking(model: str, number: int) -> str:
    return (
        "## How to check it\n\n"
        "`argosy pr view N`, with this request's number, shows what the signed evidence says, with the state of every check: the "
        "signatures of bundle and evidence, the digests above, and that main still has the champion and the policy that the evaluation "
        "saw. `argosy pr diff N` shows what would change. `argosy pr merge N` refuses while a check is red; a button on this page does "
        "where a rule of main requires the check.\n\n"
        "## How to make it again\n\n"
        f"With the commit above checked out and the data that it was made from, `argosy run {model}` makes a model with this very digest, "
        f"and `argosy reproduce {model}/{number}` says whether digests, verdict and measurements come out equal; "
        f"`argosy trace {model}/{number}` names run, data and code by git and the model store alone.\n\n"
        "## How to go back\n\n"
        f"`argosy rollback {model} --reason TEXT` opens the request that puts back what production served before; "
        "`argosy pr merge` of that one does it. A canary that is aborted opens it by itself.\n"
    )
