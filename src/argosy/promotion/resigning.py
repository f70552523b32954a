"""Signs anew what environments serve, so that the key that signed it may go: a request for each place, which changes signatures alone.

Only what verifies is signed: a signature vouches for bundle and evidence as they were reviewed. Left to others: which key goes and which
one signs (the command line), and the check of the request (``desk``).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from argosy import scratch
from argosy.domain import environment_layout, environment_repo, promotion_requests
from argosy.domain.release import Version
from argosy.ports.signer import Signer
from argosy.promotion import key_uses
from argosy.promotion.seals import Seals
from argosy.promotion.standing import Main
from argosy.report.markdown_text import escape


@dataclass(frozen=True)
class SignedPlace:
    """What an environment serves, with its files as main has them."""

    version: Version
    environment: str
    files: Mapping[str, bytes] = field(repr=False)


def found(main: Main, hint: str) -> Iterator[SignedPlace]:
    """What environments serve that the key named *hint* signed, bundle or evidence."""
    for model, environment in environment_repo.places(main.served_files()):
        files = main.files_of(model, environment)
        version = main.version(model, environment)
        if version is not None and hint in key_uses.signers(files, model, environment):
            yield SignedPlace(version, environment, files)


def proposal(one: SignedPlace, seals: Seals, signer: Signer, *, by: str, key: str) -> promotion_requests.Proposal:
    """The request for *one*, signed by *signer*, whose key is called *key*, in the name of *by*.

    Raises Rejected where a signature that is there does not hold.
    """
    version, environment = one.version, one.environment
    place = environment_layout.evidence_folder(version.model, environment)
    with scratch.folder("sign") as folder:
        bundle, evidence = seals.laid_out(version, one.files, environment, folder)
        made = {
            environment_layout.BUNDLE_SIGNATURE: _signed(signer, bundle, folder / "bundle.new"),
            environment_layout.EVIDENCE_SIGNATURE: _signed(signer, evidence, folder / "evidence.new"),
        }
    return promotion_requests.Proposal(
        subject=promotion_requests.Subject(
            model=version.model,
            environment=environment,
            model_digest=version.model_digest,
            version=version.version,
            policy_digest=version.policy_digest,
            renews=True,
        ),
        title=f"Sign {version.model} version {version.version} in {environment} anew",
        body=_body(one, by=by, key=key),
        files={**one.files, **{f"{place}/{name}": content for name, content in made.items()}},
    )


def _signed(signer: Signer, folder: Path, signature: Path) -> bytes:
    signer.sign(folder, signature)
    return signature.read_bytes()


def _body(one: SignedPlace, *, by: str, key: str) -> str:
    version, environment = one.version, one.environment
    sections = (
        f"# {escape(version.model)} in {environment}, signed anew",
        f"{escape(by)} asks for it, so that the key that signed it may go. {environment} serves version {version.version}, "
        f"`{version.model_digest}`, and goes on to serve it: bundle and evidence are the same to the byte, and were held against the "
        f"signatures that are there before key `{key}` signed them.",
        "The signature is in the pod template: after the merge the same version rolls out once more, as a canary of itself.",
        "`argosy pr view N`, with this request's number, says whether the new signatures hold; `argosy pr diff N` shows that nothing else "
        "changes.",
    )
    return "\n\n".join(sections) + "\n"
