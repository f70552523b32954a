"""Reads the environment repo: which requests wait, what main names, and how long that may be served."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field

from argosy import errors
from argosy.domain import environment_layout
from argosy.domain.promotion_requests import State
from argosy.exporter import samples, series
from argosy.exporter.samples import Reading, Sample
from argosy.ports.forge import Forge
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
                    kind=subject.kind,
                )
            )
    return Reading(found)


@dataclass
class Releases:
    """What main of *forge* names, and what lies beside it there: nothing of a bundle is fetched to know when it expires."""

    forge: Forge
    _commit: str | None = None
    _last: Reading = field(default_factory=Reading)
    """What main said at that commit. The same commit says the same, so main is read once a commit, however often that is asked."""

    def __call__(self) -> Reading:
        """The versions that environments serve. Raises TryAgain where the forge fails."""
        main = Main.now(self.forge)
        if main.commit != self._commit:
            self._last = _releases(main)
            self._commit = main.commit
        return self._last


def _releases(main: Main) -> Reading:
    found: list[Sample] = []
    problems: list[str] = []
    models = main.models()
    main = main.knowing(models)  # at once: of fifty models a server is not asked for each
    for model in models:
        for environment in environment_layout.ENVIRONMENTS:
            try:
                found += _of_version(main, model, environment, problems)
            except errors.Misconfigured as error:
                problems.append(str(error))
    return Reading(found, problems)


def _of_version(main: Main, model: str, environment: str, problems: list[str]) -> Iterator[Sample]:
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
        until = main.released(version, environment).not_after
        yield samples.term(series.RELEASE_EXPIRES, until.timestamp(), **labels)
    except errors.Misconfigured as error:
        problems.append(f"when version {version.version} of {model} expires is not known: {error}")
    evidence = main.evidence(model, environment) if version.online_store else None
    if evidence is not None and evidence.online_until is not None:
        yield samples.age(series.FEATURES_AGE, evidence.online_until.timestamp(), **labels)
