"""A reviewer's desk: the checks of a request, its merge, and what a merge leads to."""

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy import errors, scratch
from argosy.domain import bundle as bundles
from argosy.domain import merge_checks, promotion, release, version_file
from argosy.domain.merge_checks import Check
from argosy.domain.promotion import Request, State, Subject
from argosy.ports.artifacts import Artifacts
from argosy.ports.forge import Forge
from argosy.ports.signer import Verifier
from argosy.promotion import following, subjects
from argosy.promotion.standing import Main
from argosy.report.autolinks import defused

Files = Mapping[str, bytes]
"""Path to content."""
ATTEMPTS = 5


@dataclass(frozen=True)
class Desk:
    """What a reviewer works with."""

    forge: Forge
    artifacts: Artifacts
    verifier: Verifier
    now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC)

    def checks(self, request: Request, at: str) -> list[Check]:
        """Every check of *request*, at the commit that it has now, against main at commit *at*."""
        try:
            subject = subjects.of(Main(self.forge, at), request)
        except errors.Rejected as error:
            return [merge_checks.without_subject(str(error))]
        files = self.forge.contents(promotion.places(subject), request.head)
        kind = self._of_revert if subject.reverts else self._of_promotion
        return [merge_checks.of_subject(request.subject, subject), *kind(subject, files, Main(self.forge, at))]

    def as_committed(self, request: Request) -> tuple[Request, Files]:
        """*request* with the subject and the files of its commit; as it calls itself, without files, where that is no promotion."""
        try:
            committed = subjects.as_committed(self.forge, request)
        except errors.Rejected:
            return request, {}
        return committed, self.forge.contents(promotion.places(committed.subject), request.head)

    def signatures(self, request: Request) -> Check:
        """Whether bundle and evidence of *request* are signed with our key; red, too, where that cannot be found out now."""
        committed, files = self.as_committed(request)
        try:
            return self._sealed(committed.subject, files)[0]
        except errors.TryAgain as error:
            return Check("signatures", passed=False, reason=str(error), final=True)

    def _of_promotion(self, subject: Subject, files: Files, main: Main) -> list[Check]:
        state = main.state(subject.model, subject.model_digest)
        before = promotion.preceding(subject.environment)
        order = merge_checks.of_order(subject, main.version(subject.model, before) if before else None)
        return [*merge_checks.checks(subject, files, state), *order, *self._sealed(subject, files)]

    def _of_revert(self, subject: Subject, files: Files, main: Main) -> list[Check]:
        live = main.version(subject.model, subject.environment)
        earlier = main.served_before(live, subject.environment) if live else None
        sealed = self._sealed(subject, files)
        return [*merge_checks.of_revert(subject, files, live, earlier.files if earlier else {}), *sealed]

    def merge(self, number: int, *, by: str, override: Iterable[str] = ()) -> Request:
        """Merge request *number* in the name of *by*; the checks named in *override* may be red.

        What is merged is the commit that was checked, onto the main that it was checked against; where either moves, it is checked again.
        Raises Rejected with every red check. Merging what is merged is no error.
        """
        overruled = set(override)
        for _ in range(ATTEMPTS):
            request, at = self.forge.request(number), self.forge.head()
            if request.state is State.OPEN:
                _refuse_red(request, self.checks(request, at), overruled)
            try:
                return self.forge.merge(number, head=request.head, by=by, at=at, note=_note(by, overruled))
            except errors.TryAgain:
                if (self.forge.head(), self.forge.request(number).head) == (at, request.head):
                    raise
        raise errors.TryAgain(f"main of the environment repo, or request {number}, keeps moving; try again in a moment")

    def open_next(self, merged: Request) -> Request | None:
        """Open the next environment's request for what was *merged*, or find it; None after the last environment."""
        return following.open_next(self.forge, merged)

    def _sealed(self, subject: Subject, files: Files) -> list[Check]:
        """The signatures, and what they vouch for: that the release is this one, and may still be served."""
        path = promotion.version_path(subject.model, subject.environment)
        try:
            version = version_file.parse(files.get(path, b""), path)
            released = self._verified(version, _evidence(subject, files))
        except errors.TryAgain:
            raise
        except errors.ArgosyError as error:
            return [Check("signatures", passed=False, reason=str(error), final=True)]
        return [
            Check("signatures", passed=True, reason="bundle and evidence are signed with our key", final=True),
            merge_checks.of_release(version, released, legacy=subject.reverts is not None),
            merge_checks.of_term(released, self.now(), final=subject.reverts is None),
        ]

    def _verified(self, version: release.Version, evidence: Files) -> bundles.Release:
        """The release of *version*, once the signatures over its bundle and over *evidence* (name to content) hold."""
        with scratch.folder("check") as place:
            bundle, report, signatures = (place / name for name in ("bundle", "evidence", "signatures"))
            self.artifacts.get(version.storage_uri, bundle)
            if (digest := bundles.digest(bundle)) != version.model_digest:
                raise errors.Rejected(f"{version.storage_uri} holds {digest}, not the model that is proposed")
            for name, content in evidence.items():
                _write(signatures if name in promotion.SIGNATURES else report, name, content)
            self.verifier.verify(bundle, signatures / promotion.BUNDLE_SIGNATURE)
            self.verifier.verify(report, signatures / promotion.EVIDENCE_SIGNATURE)
            released = (bundle / bundles.RELEASE).read_bytes()
            if evidence.get(bundles.RELEASE, released) != released:
                raise errors.Rejected(
                    f"{version.storage_uri} was released otherwise than the evidence shows: {bundles.RELEASE} differs"
                )
            return bundles.Release.read(bundle / bundles.RELEASE)


def _evidence(subject: Subject, files: Files) -> dict[str, bytes]:
    place = f"{promotion.evidence_folder(subject.model, subject.environment)}/"
    return {path.removeprefix(place): content for path, content in files.items() if path.startswith(place)}


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
