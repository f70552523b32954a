"""The contract suite of registries. Aliases are read through the fixture ``aliases``, since the port itself never needs to."""

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy import errors
from argosy.domain.documents import sha256
from argosy.domain.evidence import VerdictWord
from argosy.ports.registry import Candidate, Judgement, Registry

Aliases = Callable[[], dict[str, int]]
"""The aliases of the model ``toy`` and the version that has each."""


def candidate(name: str, folder: Path, model: str = "toy") -> Candidate:
    """A candidate whose digest stands for *name*."""
    (folder / "bundle").mkdir(parents=True, exist_ok=True)
    (folder / "bundle" / "model.ubj").write_text(name, encoding="utf-8")
    return Candidate(
        model=model,
        model_digest=sha256(name.encode()),
        parameters={"eta": "0.1"},
        metrics={"auc": 0.8},
        history={"trial.score": [(0, 0.5), (1, 0.6)]},
        tags={"git_commit": "0" * 40},
        artifacts={
            "bundle": folder / "bundle",
            "search/history.json": folder / "bundle" / "model.ubj",
            "model.yaml": folder / "bundle" / "model.ubj",
        },
    )


def judgement(verdict: VerdictWord, folder: Path, evidence: str = "first") -> Judgement:
    """A judgement whose evidence stands for *evidence*."""
    (folder / "evidence").mkdir(parents=True, exist_ok=True)
    (folder / "evidence" / "evidence.json").write_text(evidence, encoding="utf-8")
    return Judgement(
        verdict=verdict,
        evidence_digest=sha256(evidence.encode()),
        evidence=folder / "evidence",
        model_card="# Card\n",
        metrics={"performance.slice.plan.Month-to-month (auto).auc": 0.5},
    )


class RegistryContract:
    """Inherit, and provide the fixtures ``registry`` (empty) and ``aliases``."""

    def test_it_can_be_used(self, registry: Registry) -> None:
        """Nothing is raised where nothing is wrong."""
        registry.check()

    def test_versions_count_up(self, registry: Registry, tmp_path: Path) -> None:
        """Each new digest gets the next number of its model."""
        assert [registry.record(candidate(name, tmp_path)).version for name in ("a", "b", "c")] == [1, 2, 3]
        assert registry.record(candidate("a", tmp_path, model="other")).version == 1

    def test_one_version_per_digest(self, registry: Registry, tmp_path: Path) -> None:
        """Registering again gives the same number, the same moment, the same run."""
        first = registry.record(candidate("a", tmp_path))
        registry.record(candidate("b", tmp_path))
        assert registry.record(candidate("a", tmp_path)) == first
        assert first.created_at.tzinfo == datetime.UTC
        assert first.created_at.microsecond == 0

    @pytest.mark.parametrize(
        ("verdict", "expected"),
        [
            pytest.param("promote", {"challenger": 1}, id="promote"),
            pytest.param("reject", {"rejected": 1}, id="reject"),
            pytest.param("inconclusive", {}, id="inconclusive"),
            pytest.param("champion", {}, id="champion"),
        ],
    )
    def test_the_verdict_is_an_alias(
        self, registry: Registry, aliases: Aliases, tmp_path: Path, verdict: VerdictWord, expected: dict[str, int]
    ) -> None:
        """A model that may be promoted is the challenger; one that failed is marked."""
        registry.record(candidate("a", tmp_path))
        registry.judge("toy", 1, judgement(verdict, tmp_path))
        assert aliases() == expected

    def test_judged_again(self, registry: Registry, aliases: Aliases, tmp_path: Path) -> None:
        """A later judgement, against another champion or policy, replaces the earlier one."""
        registry.record(candidate("a", tmp_path))
        registry.judge("toy", 1, judgement("promote", tmp_path))
        registry.judge("toy", 1, judgement("reject", tmp_path, "second"))
        assert aliases() == {"rejected": 1}
        registry.judge("toy", 1, judgement("promote", tmp_path, "third"))
        assert aliases() == {"challenger": 1}

    def test_the_champion_follows_git(self, registry: Registry, aliases: Aliases, tmp_path: Path) -> None:
        """Crowning moves the alias, takes ``challenger`` from the one crowned, and can be repeated."""
        for number, name in enumerate(("a", "b"), start=1):
            registry.record(candidate(name, tmp_path))
            registry.judge("toy", number, judgement("promote", tmp_path, name))
        assert registry.crown("toy", sha256(b"a")) == 1
        assert registry.crown("toy", sha256(b"b")) == 2
        assert registry.crown("toy", sha256(b"b")) == 2
        assert aliases() == {"champion": 2}
        registry.judge("toy", 2, judgement("promote", tmp_path, "again"))
        assert aliases() == {"champion": 2}

    @pytest.mark.parametrize("digest", [None, sha256(b"elsewhere")], ids=["none", "unknown"])
    def test_no_champion_here(self, registry: Registry, aliases: Aliases, tmp_path: Path, digest: str | None) -> None:
        """No model is the champion where git names none, or one this registry never saw."""
        assert registry.crown("toy", digest) is None
        registry.record(candidate("a", tmp_path))
        registry.crown("toy", sha256(b"a"))
        assert registry.crown("toy", digest) is None
        assert aliases() == {}

    def test_taken_out_of_service(self, registry: Registry, aliases: Aliases, tmp_path: Path) -> None:
        """An aborted model is marked, though it once passed every gate; idempotent."""
        registry.record(candidate("a", tmp_path))
        registry.judge("toy", 1, judgement("promote", tmp_path))
        assert [registry.reject("toy", sha256(b"a"), "errors") for _ in range(2)] == [1, 1]
        assert aliases() == {"rejected": 1}
        assert registry.reject("toy", sha256(b"elsewhere"), "errors") is None

    def test_going_on_after_a_loss(self, registry: Registry, tmp_path: Path, aliases: Aliases) -> None:
        """Versions that git knows have their numbers again, the next one gets a higher number, and doing it again changes nothing."""
        known = {2: sha256(b"two"), 4: sha256(b"four")}
        assert registry.go_on("toy", known) == [2, 4]
        assert registry.go_on("toy", known) == []
        assert registry.crown("toy", sha256(b"four")) == 4
        assert aliases()["champion"] == 4
        assert registry.record(candidate("five", tmp_path / "five")).version == 5
        assert registry.record(candidate("two", tmp_path / "two")).version == 2
        assert registry.reject("toy", sha256(b"two"), "errors") == 2

    def test_another_registry_is_refused(self, registry: Registry, tmp_path: Path) -> None:
        """One that has another model under a number of main's is not main's."""
        registry.record(candidate("other", tmp_path / "other"))
        with pytest.raises(errors.Misconfigured):
            registry.go_on("toy", {1: sha256(b"one")})
        assert registry.record(candidate("next", tmp_path / "next")).version == 2
