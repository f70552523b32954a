"""The way back from a model to who let it in and what it was made of: from the environment repo and the model store alone.

Neither a cluster nor a registry is asked, so that it is found after both are gone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from argosy import errors
from argosy.domain import environment_layout, suggestion
from argosy.domain.evidence import Evidence
from argosy.domain.merge_checks import Check
from argosy.domain.promotion_requests import Request, State, Subject
from argosy.domain.release import Version
from argosy.domain.traces import Placement, Trace
from argosy.ports.forge import Forge
from argosy.promotion import subjects
from argosy.promotion.seals import Seals
from argosy.promotion.standing import Main


@dataclass(frozen=True)
class Tracer:
    """Finds models by what people have in their hands. Every method raises TryAgain where the forge fails."""

    forge: Forge
    seals: Seals

    def of_digest(self, model: str, digest: str) -> Trace:
        """The trace of the *model* whose digest begins with *digest*: hexadecimal, with or without ``sha256:``.

        Raises UsageError where no environment served it and no request proposes it, or where several digests begin so.
        """
        wanted = f"sha256:{digest.removeprefix('sha256:')}"
        return self._only(
            model, f"a digest that begins with {wanted[:19]}", lambda one: one.model_digest.startswith(wanted)
        )

    def of_version(self, model: str, number: int) -> Trace:
        """The trace of version *number* of *model*. Raises UsageError as :meth:`of_digest` does."""
        return self._only(model, f"version {number}", lambda one: one.version == number)

    def of_environment(self, model: str, environment: str) -> Trace:
        """The trace of what *environment* serves of *model*. Raises UsageError where it serves none."""
        if environment not in environment_layout.ENVIRONMENTS:
            known = suggestion.choices(environment, environment_layout.ENVIRONMENTS, "environments")
            raise errors.UsageError(f"there is no environment {environment!r}{known}")
        version = Main.now(self.forge).version(model, environment)
        if version is None:
            raise errors.UsageError(f"{environment} serves no {model}; `argosy fleet` lists what is served")
        return self.of_digest(model, version.model_digest)

    def of_request(self, number: int) -> Trace:
        """The trace of what request *number* is about, by its commit. Raises Rejected where that is no promotion."""
        subject = subjects.as_committed(self.forge, self.forge.request(number)).subject
        return self.of_digest(subject.model, subject.model_digest)

    def versions(self, model: str) -> Mapping[int, "Sighting"]:
        """The versions of *model* that an environment serves or served, or that a request proposes, the newest first.

        Each as it was found first: where an environment names it rather than where a request does.
        """
        found: dict[int, Sighting] = {}
        for one in self._seen(Main.now(self.forge), self._requests(model), model):
            found.setdefault(one.version.version, one)
        return dict(sorted(found.items(), reverse=True))

    def _requests(self, model: str) -> list[Request]:
        return [one for one in self.forge.requests() if one.subject.model == model]

    @staticmethod
    def _seen(main: Main, requests: Sequence[Request], model: str) -> list["Sighting"]:
        return [*_served(main, model), *_proposed(main, requests)]

    def _only(self, model: str, called: str, wanted: Callable[[Version], bool]) -> Trace:
        main, requests = Main.now(self.forge), self._requests(model)
        seen = self._seen(main, requests, model)
        found = [one for one in seen if wanted(one.version)]
        digests = {one.version.model_digest for one in found}
        if len(digests) > 1:
            raise errors.UsageError(
                f"{model} has {len(digests)} models with {called}: {', '.join(sorted(digests))}; name one"
            )
        if not found:
            known = ", ".join(map(str, sorted({one.version.version for one in seen}))) or "none"
            raise errors.UsageError(
                f"no environment served {model} with {called}, and no request proposes it; versions of {model}: {known}"
            )
        return self._trace(main, found, requests)

    def _trace(self, main: Main, found: Sequence["Sighting"], requests: Sequence[Request]) -> Trace:
        first = found[0]
        version = first.version
        digest = version.model_digest
        live = {
            name for name in environment_layout.ENVIRONMENTS if _digest(main.version(version.model, name)) == digest
        }
        return Trace(
            version=version,
            placements=[
                Placement(one.environment, one.at.commit, live=one.environment in live) for one in found if one.merged
            ],
            requests=[one for one in requests if digest in {one.subject.model_digest, one.subject.reverts}],
            evidence=first.evidence(),
            signatures=self._signatures(first),
            rejected=main.rejection(version.model, digest),
        )

    def _signatures(self, one: "Sighting") -> Check:
        version = one.version
        subject = Subject(
            model=version.model,
            environment=one.environment,
            model_digest=version.model_digest,
            version=version.version,
            policy_digest=version.policy_digest,
        )
        files = one.at.files_of(version.model, one.environment)
        try:
            return self.seals.checks(subject, files)[0]
        except errors.TryAgain as error:
            return Check("signatures", passed=False, reason=f"cannot be checked now: {error}", final=True)


@dataclass(frozen=True)
class Sighting:
    """A version where it was found."""

    version: Version
    at: Main
    environment: str
    merged: bool
    """False where it is only proposed."""

    def evidence(self) -> Evidence | None:
        """The evidence that lies beside it; None where none does. Raises Misconfigured where it is no evidence."""
        return self.at.evidence(self.version.model, self.environment)


def _served(main: Main, model: str) -> Iterator[Sighting]:
    for environment in environment_layout.ENVIRONMENTS:
        for at in main.servings(model, environment):
            if version := at.version(model, environment):
                yield Sighting(version, at, environment, merged=True)


def _proposed(main: Main, requests: Sequence[Request]) -> Iterator[Sighting]:
    for request in requests:
        subject = request.subject
        if request.state is State.MERGED or subject.kind != "promotion" or not subjects.is_genuine(main, request):
            continue
        at = subjects.proposed(main.forge, request)
        if version := at.version(subject.model, subject.environment):
            yield Sighting(version, at, subject.environment, merged=False)


def _digest(version: Version | None) -> str | None:
    return version.model_digest if version else None
