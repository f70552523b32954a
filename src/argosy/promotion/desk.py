"""What the verb ``pr`` does beyond talking to the forge: the checks of a request, its merge, and what a merge leads to."""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.domain import bundle as bundles
from argosy.domain import merge_checks, promotion, release
from argosy.domain.autolinks import defused
from argosy.domain.merge_checks import Check
from argosy.domain.promotion import Request, State
from argosy.ports.artifacts import Artifacts
from argosy.ports.forge import Forge
from argosy.ports.registry import Registry
from argosy.ports.signer import Verifier
from argosy.promotion import following, history

ATTEMPTS = 5
SIGNATURES = {promotion.BUNDLE_SIGNATURE, promotion.EVIDENCE_SIGNATURE}


@dataclass(frozen=True)
class Desk:
    """What a reviewer works with."""

    forge: Forge
    artifacts: Artifacts
    verifier: Verifier

    def checks(self, request: Request, at: str) -> list[Check]:
        """Every check of *request* against main at commit *at*."""
        subject, files = request.subject, self.forge.files(request.number)
        signatures = self._signatures(subject, files)
        if subject.reverts:
            return [*self._of_revert(subject, files, at), signatures]
        main = merge_checks.MainState.read(subject.model, subject.model_digest, lambda path: self.forge.read(path, at))
        return [*merge_checks.checks(subject, files, main), signatures]

    def signatures(self, request: Request) -> Check:
        """Whether bundle and evidence of *request* are signed with our key; red, too, where that cannot be found out now."""
        try:
            return self._signatures(request.subject, self.forge.files(request.number))
        except errors.TryAgain as error:
            return Check("signatures", passed=False, reason=str(error), final=True)

    def _of_revert(self, subject: promotion.Subject, files: Mapping[str, bytes], at: str) -> list[Check]:
        live = history.served(self.forge, subject.model, subject.environment, at)
        earlier = history.earlier(self.forge, live, subject.environment, at) if live else None
        return merge_checks.of_revert(subject, files, live, earlier.files if earlier else {})

    def merge(self, number: int, *, by: str, override: Iterable[str] = ()) -> Request:
        """Merge request *number* in the name of *by*; the checks named in *override* may be red.

        Raises Rejected with every red check. Merging what is merged is no error.
        """
        overruled = set(override)
        for _ in range(ATTEMPTS):
            request, at = self.forge.request(number), self.forge.head()
            if request.state is State.OPEN:
                _refuse_red(request, self.checks(request, at), overruled)
            try:
                return self.forge.merge(number, by=by, at=at, note=_note(by, overruled))
            except errors.TryAgain:
                if self.forge.head() == at:
                    raise
        raise errors.TryAgain("main of the environment repo keeps moving; try again in a moment")

    def open_next(self, merged: Request) -> Request | None:
        """Open the next environment's request for what was *merged*, or find it; None after the last environment."""
        return following.open_next(self.forge, merged)

    def _signatures(self, subject: promotion.Subject, files: Mapping[str, bytes]) -> Check:
        place = f"{promotion.evidence_folder(subject.model, subject.environment)}/"
        evidence = {path.removeprefix(place): content for path, content in files.items() if path.startswith(place)}
        path = promotion.version_path(subject.model, subject.environment)
        try:
            self._verify(release.parse(files.get(path, b"").decode(), path), evidence)
        except errors.TryAgain:
            raise
        except errors.ArgosyError as error:
            return Check("signatures", passed=False, reason=str(error), final=True)
        return Check("signatures", passed=True, reason="bundle and evidence are signed with our key", final=True)

    def _verify(self, version: release.Version, evidence: Mapping[str, bytes]) -> None:
        with tempfile.TemporaryDirectory(prefix="argosy-check-") as scratch:
            bundle, report, signatures = (Path(scratch) / name for name in ("bundle", "evidence", "signatures"))
            self.artifacts.get(version.storage_uri, bundle)
            if (digest := bundles.digest(bundle)) != version.model_digest:
                raise errors.Rejected(f"{version.storage_uri} holds {digest}, not the model that is proposed")
            for name, content in evidence.items():
                _write(signatures if name in SIGNATURES else report, name, content)
            self.verifier.verify(bundle, signatures / promotion.BUNDLE_SIGNATURE)
            self.verifier.verify(report, signatures / promotion.EVIDENCE_SIGNATURE)


def follow_in_registry(merged: Request, registry: Registry) -> int | None:
    """Let the registry's alias ``champion`` follow what production serves since *merged*; the version that has it, if it is known there."""
    return registry.crown(merged.subject.model, merged.subject.model_digest)


def _refuse_red(request: Request, checks: Sequence[Check], overruled: set[str]) -> None:
    names = {check.name for check in checks if not check.final}
    if unknown := sorted(overruled - names):
        raise errors.UsageError(
            f"check {unknown[0]!r} cannot be overruled; these can: {', '.join(sorted(names)) or 'none'}"
        )
    red = [check for check in checks if not check.passed and check.name not in overruled]
    if red:
        lines = "".join(f"\n  {check.name}: {check.reason}" for check in red)
        raise errors.Rejected(
            f"request {request.number} is not merged, {len(red)} of {len(checks)} checks are red:{lines}"
        )


def _note(by: str, overruled: set[str]) -> str:
    return "".join(f"Overruled-by: {defused(by)} ({name})\n" for name in sorted(overruled))


def _write(folder: Path, name: str, content: bytes) -> None:
    # Names come from a git tree, which holds no `..`; asked again because a forge may be anything.
    target = (folder / name).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise errors.Rejected(f"the request holds a file outside its folder: {name!r}")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
