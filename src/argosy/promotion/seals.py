"""The signatures of a version: bundle and evidence are signed with our key, and what the signed release says is what main would say.

Left to others: which key is ours and where the model store is (ports), and every check that needs neither (``domain.merge_checks``).
"""

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from argosy import errors, scratch
from argosy.domain import bundle as bundles
from argosy.domain import environment_layout, merge_checks, release, second_file, version_file
from argosy.domain import evidence as evidence_file
from argosy.domain.changes import Place, Problem
from argosy.domain.evidence import Evidence
from argosy.domain.merge_checks import Check
from argosy.domain.promotion_requests import Subject
from argosy.domain.second_file import SecondFile
from argosy.ports.artifacts import Artifacts
from argosy.ports.signer import Verifier

Files = Mapping[str, bytes]
"""Path to content."""
KEY = environment_layout.VERIFYING_KEYS
"""Path of our public key in the environment repo."""


@dataclass(frozen=True)
class Seals:
    """Checks signatures, with our public key and the model store."""

    artifacts: Artifacts
    """The model store."""
    verifier: Verifier
    """Of our public key."""
    now: Callable[[], datetime.datetime]
    """The time, in UTC."""

    def checks(self, subject: Subject, files: Files) -> list[Check]:
        """The signatures of a request about *subject* that proposes *files*, first; and where they hold, the release and its term.

        Raises TryAgain where the model store does not answer.
        """
        path = environment_layout.version_path(subject.model, subject.environment)
        try:
            version = version_file.parse(files.get(path, b""), path)
            released = self._verified(version, _evidence(files, subject.model, subject.environment))
        except errors.TryAgain:
            raise
        except errors.ArgosyError as error:
            return [Check("signatures", passed=False, reason=str(error), final=True)]
        return [
            Check("signatures", passed=True, reason="bundle and evidence are signed with our key", final=True),
            merge_checks.of_release(version, released, legacy=subject.reverts is not None),
            *merge_checks.of_features(version, there=self._has_features(version)),
            merge_checks.of_term(released, self.now(), final=subject.reverts is None),
        ]

    def of_second(self, model: str, second: SecondFile) -> list[Check]:
        """The signature of *second*'s bundle, first; and where it holds, its release and term.

        Raises TryAgain where the model store does not answer.
        """
        try:
            with scratch.folder("check") as place:
                released = bundles.Release.read(self._second_bundle(second, place) / bundles.RELEASE)
        except errors.TryAgain:
            raise
        except errors.ArgosyError as error:
            return [Check("signatures", passed=False, reason=str(error), final=True)]
        return [
            Check("signatures", passed=True, reason="its bundle is signed with our key", final=True),
            merge_checks.of_second_release(model, second, released),
            merge_checks.of_term(released, self.now(), final=True),
        ]

    def likeness(self, live: release.Version, second: SecondFile) -> Check:
        """Whether requests to *live* can ask *second*. Raises TryAgain where the model store does not answer."""
        try:
            with scratch.folder("check") as place:
                self.artifacts.get(live.storage_uri, first := place / "first")
                if (digest := bundles.digest(first)) != live.model_digest:
                    raise errors.Rejected(f"{live.storage_uri} holds {digest}, not the model that is served")
                theirs = self._second_bundle(second, place)
                both = [bundles.Signature.read(folder / bundles.SIGNATURE) for folder in (first, theirs)]
        except errors.TryAgain:
            raise
        except errors.ArgosyError as error:
            return merge_checks.of_likeness(f"cannot be found out: {error}")
        return merge_checks.of_likeness(second_file.difference(*both))

    def _second_bundle(self, second: SecondFile, place: Path) -> Path:
        """The bundle of *second*, below the folder *place*, once its signature holds. Raises Rejected where it does not."""
        bundle, signature = place / "second", place / environment_layout.BUNDLE_SIGNATURE
        self.artifacts.get(second.storage_uri, bundle)
        if (digest := bundles.digest(bundle)) != second.model_digest:
            raise errors.Rejected(f"{second.storage_uri} holds {digest}, not the model that is to be tried")
        signature.write_text(second.signature, encoding="utf-8")
        try:
            self.verifier.verify(bundle, signature)
        except errors.Rejected as error:  # the folder is gone when somebody reads this
            raise errors.Rejected(str(error).replace(f"{place}/", "")) from None
        return bundle

    def laid_out(self, version: release.Version, files: Files, environment: str, folder: Path) -> tuple[Path, Path]:
        """Bundle and evidence of *version*, as they were signed, below *folder*, once their signatures among *files* hold.

        Raises Rejected where one does not.
        """
        evidence = _evidence(files, version.model, environment)
        self._verified(version, evidence)
        bundle = folder / "bundle"
        self.artifacts.get(version.storage_uri, bundle)
        if (digest := bundles.digest(bundle)) != version.model_digest:  # changed since it was verified
            raise errors.Rejected(f"{version.storage_uri} holds {digest}, not the model that is served")
        report, _ = _laid_out(evidence, folder)
        return bundle, report

    def evidence(self, version: release.Version, files: Files, environment: str) -> Evidence:
        """The evidence of *version* among *files*, once it is signed with our key. Raises Rejected where it is not, Misconfigured where it
        cannot be read, TryAgain where the model store does not answer."""
        self._verified(version, _evidence(files, version.model, environment))
        path = environment_layout.evidence_path(version.model, environment)
        return evidence_file.parse(files.get(path, b""), path)

    def _has_features(self, version: release.Version) -> bool:
        """Whether the model store has the online features of *version*, if it has any. Their content is the server's to verify."""
        if version.online_store is None:
            return False
        sought = bundles.name_in_store(version.online_store.uri)
        return any(each.name == sought for each in self.artifacts.folders(release.ONLINE))

    def _verified(self, version: release.Version, evidence: Files) -> bundles.Release:
        """The release of *version*, once the signatures over its bundle and over *evidence* (name to content) hold."""
        with scratch.folder("check") as place:
            bundle, (report, signatures) = place / "bundle", _laid_out(evidence, place)
            self.artifacts.get(version.storage_uri, bundle)
            if (digest := bundles.digest(bundle)) != version.model_digest:
                raise errors.Rejected(f"{version.storage_uri} holds {digest}, not the model that is proposed")
            try:
                self.verifier.verify(bundle, signatures / environment_layout.BUNDLE_SIGNATURE)
                self.verifier.verify(report, signatures / environment_layout.EVIDENCE_SIGNATURE)
            except errors.Rejected as error:  # the folder is gone when somebody reads this
                raise errors.Rejected(str(error).replace(f"{place}/", "")) from None
            released = (bundle / bundles.RELEASE).read_bytes()
            if evidence.get(bundles.RELEASE, released) != released:
                raise errors.Rejected(
                    f"{version.storage_uri} was released otherwise than the evidence shows: {bundles.RELEASE} differs"
                )
            return bundles.Release.read(bundle / bundles.RELEASE)


def unsigned(
    files: Files, places: Iterable[Place], key: bytes, verifier: Callable[[Path], Verifier]
) -> Iterator[Problem]:
    """Evidence of *places*, among the *files* of a checkout, that the owner of *key* (PEM) did not sign as it is.

    What can be found out without the model store. *verifier*: of the public key in a file.
    """
    for place in places:
        evidence = _evidence(files, *place)
        if environment_layout.EVIDENCE_SIGNATURE in evidence:  # where it is missing, that is said already
            yield from _unsigned(evidence, environment_layout.evidence_folder(*place), key, verifier)


def _unsigned(evidence: Files, where: str, key: bytes, verifier: Callable[[Path], Verifier]) -> Iterator[Problem]:
    with scratch.folder("evidence") as folder:
        (public := folder / "key.pem").write_bytes(key)
        report, signatures = _laid_out(evidence, folder)
        signature = signatures / environment_layout.EVIDENCE_SIGNATURE
        try:
            verifier(public).verify(report, signature)
        except errors.Rejected as error:
            said = str(error).replace(f" (signature {signature})", "").replace(f"{report} ", "it ")
            yield Problem(f"{where}/{environment_layout.EVIDENCE_SIGNATURE}", f"does not hold: {said}")
        except errors.Misconfigured as error:
            yield Problem(KEY, f"is no key that signatures can be checked with: {error}")


def _evidence(files: Files, model: str, environment: str) -> dict[str, bytes]:
    """Name to content of the evidence among *files*, signatures included."""
    place = f"{environment_layout.evidence_folder(model, environment)}/"
    return {path.removeprefix(place): content for path, content in files.items() if path.startswith(place)}


def _laid_out(evidence: Files, folder: Path) -> tuple[Path, Path]:
    """The folders below *folder* with what was signed of *evidence* (name to content), and with the signatures."""
    report, signatures = folder / "evidence", folder / "signatures"
    report.mkdir()
    for name, content in evidence.items():
        _write(signatures if name in environment_layout.SIGNATURES else report, name, content)
    return report, signatures


def _write(folder: Path, name: str, content: bytes) -> None:
    # Names come from a git tree, which holds no `..`; asked again because a forge may be anything.
    target = (folder / name).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise errors.Rejected(f"the request holds a file outside its folder: {name!r}")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
