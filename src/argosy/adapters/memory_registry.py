"""A registry in memory, for tests: the same promises, nothing kept."""

import datetime
from collections.abc import Mapping

from argosy import errors
from argosy.ports.registry import Candidate, Judgement, Registered

CREATED = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


class MemoryRegistry:
    """The fake registry of tests; see :class:`argosy.ports.registry.Registry`."""

    def __init__(self, began: datetime.datetime = CREATED) -> None:
        """*began*: a minute before its first version is made."""
        self._began = began
        self.candidates: dict[str, list[Candidate]] = {}
        self.judgements: dict[tuple[str, int], list[Judgement]] = {}
        self.aliases: dict[tuple[str, str], int] = {}
        self.taken_out: dict[tuple[str, int], str] = {}

    def check(self) -> None:
        """See the port."""

    def record(self, candidate: Candidate) -> Registered:
        versions = self.candidates.setdefault(candidate.model, [])
        digests = [one.model_digest for one in versions]
        if candidate.model_digest not in digests:
            versions.append(candidate)
            digests.append(candidate.model_digest)
        number = digests.index(candidate.model_digest) + 1
        return Registered(number, self._began + datetime.timedelta(minutes=number), f"run-{number}")

    def judge(self, model: str, version: int, judgement: Judgement) -> None:
        self.judgements.setdefault((model, version), []).append(judgement)
        wanted = {"promote": "challenger", "reject": "rejected"}.get(judgement.verdict)
        for alias in {"challenger", "rejected"} - {wanted}:
            if self.aliases.get((model, alias)) == version:
                del self.aliases[model, alias]
        if wanted and not (wanted == "challenger" and self.aliases.get((model, "champion")) == version):
            self.aliases[model, wanted] = version

    def go_on(self, model: str, known: Mapping[int, str]) -> list[int]:
        versions = self.candidates.setdefault(model, [])
        for number, digest in sorted(known.items()):
            if number <= len(versions) and versions[number - 1].model_digest != digest:
                raise errors.Misconfigured(f"version {number} of {model} is {versions[number - 1].model_digest} here")
        added = list(range(len(versions) + 1, max(known, default=0) + 1))
        for number in added:
            digest = known.get(number, f"lost {number}")
            versions.append(Candidate(model, digest, parameters={}, metrics={}, history={}, tags={}, artifacts={}))
        return [number for number in added if number in known]

    def reject(self, model: str, model_digest: str, reason: str) -> int | None:
        digests = [one.model_digest for one in self.candidates.get(model, [])]
        if model_digest not in digests:
            return None
        version = digests.index(model_digest) + 1
        if self.aliases.get((model, "challenger")) == version:
            del self.aliases[model, "challenger"]
        self.aliases[model, "rejected"] = version
        self.taken_out[model, version] = reason
        return version

    def crown(self, model: str, model_digest: str | None) -> int | None:
        digests = [one.model_digest for one in self.candidates.get(model, [])]
        if model_digest not in digests:
            self.aliases.pop((model, "champion"), None)
            return None
        version = digests.index(model_digest) + 1
        self.aliases[model, "champion"] = version
        if self.aliases.get((model, "challenger")) == version:
            del self.aliases[model, "challenger"]
        return version
