"""Whether the evidence in an environment repo is signed with the repo's key: what can be found out without the model store."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from argosy import errors, scratch, wiring
from argosy.domain import promotion
from argosy.domain.changes import Place, Problem
from argosy.settings import Settings

KEY = "keys/signing.pub.pem"
"""Where the environment repo keeps it."""


def problems(files: Mapping[str, bytes], places: Iterable[Place], key: bytes) -> Iterator[Problem]:
    """Evidence of *places*, among *files* (path to content), that the owner of *key* (PEM) did not sign as it is."""
    for place in places:
        evidence = promotion.evidence_folder(*place)
        if f"{evidence}/{promotion.EVIDENCE_SIGNATURE}" in files:  # where it is missing, that is said already
            yield from _problem(evidence, files, key)


def _problem(evidence: str, files: Mapping[str, bytes], key: bytes) -> Iterator[Problem]:
    with scratch.folder("evidence") as folder:
        report, public = folder / "evidence", folder / "key.pem"
        signature = folder / promotion.EVIDENCE_SIGNATURE
        public.write_bytes(key)
        signature.write_bytes(files[f"{evidence}/{promotion.EVIDENCE_SIGNATURE}"])
        _write(report, evidence, files)
        try:
            wiring.verifier(Settings.from_environment(), key=public).verify(report, signature)
        except errors.Rejected as error:
            said = str(error).replace(f" (signature {signature})", "").replace(f"{report} ", "it ")
            yield Problem(f"{evidence}/{promotion.EVIDENCE_SIGNATURE}", f"does not hold: {said}")
        except errors.Misconfigured as error:
            yield Problem(KEY, f"is no key that signatures can be checked with: {error}")


def _write(report: Path, evidence: str, files: Mapping[str, bytes]) -> None:
    signatures = {f"{evidence}/{name}" for name in promotion.SIGNATURES}
    report.mkdir()
    for path, content in files.items():
        if path.startswith(f"{evidence}/") and path not in signatures:
            target = report / path.removeprefix(f"{evidence}/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
