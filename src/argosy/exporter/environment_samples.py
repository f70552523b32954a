"""Reads the environment repo: which requests wait, what main names, and how long that may be served."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field

from argosy import errors, scratch
from argosy.domain import bundle, environment_layout
from argosy.domain.promotion_requests import State
from argosy.domain.release import Version
from argosy.exporter import samples, series
from argosy.exporter.samples import Reading, Sample
from argosy.ports.artifacts import Artifacts
from argosy.ports.forge import Forge
from argosy.promotion import approval
from argosy.promotion.standing import Main


def requests(forge: Forge) -> Reading:
    """How long each open request has waited. Raises TryAgain where the forge fails."""
    found = []
    for request in forge.requests():
        if request.state is State.OPEN:
            opened = datetime.datetime.fromisoformat(request.opened_at)
            subject = request.subject
            found.append(
                samples.age(
                    series.REQUEST_OPEN,
                    opened.replace(tzinfo=opened.tzinfo or datetime.UTC).timestamp(),
                    model=subject.model,
                    environment=subject.environment,
                    number=str(request.number),
                    kind="revert" if subject.reverts else "promotion",
                )
            )
    return Reading(found)


@dataclass
class Releases:
    """What main of *forge* names, and what is said of it in the model store."""

    forge: Forge
    artifacts: Artifacts
    _expiry: dict[tuple[str, int], float] = field(default_factory=dict)
    """By digest and version: what is released never changes, so each bundle is fetched once."""

    def __call__(self) -> Reading:
        """The versions that environments serve. Raises TryAgain where the forge fails."""
        main = Main.now(self.forge)
        found: list[Sample] = []
        problems: list[str] = []
        for model in main.models():
            for environment in environment_layout.ENVIRONMENTS:
                try:
                    found += self._of(main, model, environment, problems)
                except errors.Misconfigured as error:
                    problems.append(str(error))
        return Reading(found, problems)

    def _of(self, main: Main, model: str, environment: str, problems: list[str]) -> Iterator[Sample]:
        version = main.version(model, environment)
        if version is None:
            return
        labels = {
            "model": model,
            "environment": environment,
            "version": str(version.version),
            "digest": version.model_digest,
        }
        yield samples.of(series.RELEASE, 1, **labels)
        try:
            yield samples.term(series.RELEASE_EXPIRES, self._expires(version), **labels)
        except errors.ArgosyError as error:
            problems.append(f"when version {version.version} of {model} expires is not known: {error}")
        evidence = main.evidence(model, environment) if version.online_store else None
        if evidence is not None and evidence.trained_on is not None:
            yield samples.age(series.FEATURES_AGE, evidence.trained_on.until.timestamp(), **labels)

    def _expires(self, version: Version) -> float:
        key = (version.model_digest, version.version)
        if key not in self._expiry:
            with scratch.folder("serve") as place:
                folder = approval.fetch_bundle(self.artifacts, version, place / "bundle")
                self._expiry[key] = bundle.Release.read(folder / bundle.RELEASE).not_after.timestamp()
        return self._expiry[key]
