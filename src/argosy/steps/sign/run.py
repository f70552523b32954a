"""Signs what was released and what a reviewer is asked to believe."""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

from argosy import errors, scratch
from argosy.domain import bundle as bundles
from argosy.domain import circumstances as how
from argosy.domain.environment_layout import BUNDLE_SIGNATURE, EVIDENCE_SIGNATURE
from argosy.domain.evidence import Evidence
from argosy.ports.artifacts import Artifacts
from argosy.ports.signer import Signer


def run(
    *,
    release: Path,
    evidence: Path,
    signer: Signer,
    artifacts: Artifacts,
    out: Path,
    circumstances: Path | None = None,
) -> str:
    """Write both signatures to *out* and into the model store; returns where they are there.

    *circumstances*: the folder with those, where the pipeline writes them down; they are signed with the evidence.

    An EC signature is another each time, so its place in the store is named by its own content. Raises Misconfigured where bundle,
    release and evidence are not of one model: a signature vouches for them together.
    """
    released = bundles.Release.read(release / bundles.RELEASE)
    named = {"the evidence": Evidence.read(evidence / "evidence.json").model_digest}
    if circumstances is not None:
        named["circumstances.json"] = how.Circumstances.read(circumstances / how.FILE).model_digest
    _refuse_mixed(bundles.digest(release), {"release.json": released.model_digest, **named})
    signer.sign(release, out / BUNDLE_SIGNATURE)
    with scratch.folder("sign") as place:
        # The release is part of what reviewers see: whoever has the repository alone can hold version.yaml against it.
        shown = Path(shutil.copytree(evidence, place / "evidence", copy_function=shutil.copyfile))
        shutil.copyfile(release / bundles.RELEASE, shown / bundles.RELEASE)
        if circumstances is not None:
            shutil.copyfile(circumstances / how.FILE, shown / how.FILE)
        signer.sign(shown, out / EVIDENCE_SIGNATURE)
    own = hashlib.sha256(b"".join((out / name).read_bytes() for name in (BUNDLE_SIGNATURE, EVIDENCE_SIGNATURE)))
    digest = released.model_digest.removeprefix("sha256:")
    return artifacts.put(out, f"signatures/{released.model}/{digest}/{own.hexdigest()}")


def _refuse_mixed(digest: str, named: Mapping[str, str]) -> None:
    for name, other in named.items():
        if other != digest:
            raise errors.Misconfigured(
                f"{name} is about {other}, the bundle is {digest}: not one run's outputs; nothing is signed"
            )
