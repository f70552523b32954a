"""The steps that read main, register, sign and propose, each on a toy candidate and with ports in memory."""

import datetime
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from argosy import errors
from argosy.adapters.file_artifacts import FileArtifacts
from argosy.adapters.memory_forge import MemoryForge
from argosy.adapters.memory_registry import MemoryRegistry
from argosy.adapters.model_signer import KeySigner, KeyVerifier
from argosy.domain import bundle as bundles
from argosy.domain import promotion
from argosy.domain.documents import sha256
from argosy.domain.evidence import ChampionRef
from argosy.domain.model_settings import ModelSettings
from argosy.domain.promotion import State
from argosy.domain.release import OnlineStore, parse
from argosy.settings import Settings
from argosy.steps.champion import run as champion
from argosy.steps.propose import run as propose
from argosy.steps.register import run as register
from argosy.steps.sign import run as sign

POLICY = b"model: toy\n# the gates\n"
VERSION = "models/toy/staging/version.yaml"


@pytest.fixture
def forge() -> MemoryForge:
    """An environment repo with a policy and nothing served."""
    return MemoryForge({"policies/toy.yaml": POLICY})


@pytest.fixture
def store(tmp_path: Path) -> FileArtifacts:
    """A model store."""
    return FileArtifacts(f"file://{tmp_path}/store")


def _register(toy: Any, registry: MemoryRegistry, store: FileArtifacts, out: Path) -> register.Released:
    names = ("bundle", "training", "history", "choice", "evidence", "snapshot", "lineage", "online")
    return register.run(
        settings=ModelSettings.model_validate_json((toy.folder / "settings").read_bytes()),
        inputs=register.Inputs(settings_file=toy.folder / "settings", **{name: toy.folder / name for name in names}),
        surroundings={"library.python": "3"},
        registry=registry,
        artifacts=store,
        out=out,
    )


def _inputs(toy: Any, *, version: int = 1) -> propose.Inputs:
    (toy.folder / "release").mkdir(exist_ok=True)
    end = datetime.datetime(2027, 1, 1, tzinfo=datetime.UTC)
    released = bundles.Release(model="toy", model_digest=toy.digest, counter=version, not_after=end)
    released.write(toy.folder / "release" / "release.json")
    (toy.folder / "signatures").mkdir(exist_ok=True)
    for name in ("bundle.sig", "evidence.sig"):
        (toy.folder / "signatures" / name).write_text("signed", encoding="utf-8")
    return propose.Inputs(
        version=version,
        storage_uri="file:///store/x",
        online=OnlineStore(uri="file:///store/online", digest=sha256(b"online")),
        release=toy.folder / "release",
        evidence=toy.folder / "evidence",
        signatures=toy.folder / "signatures",
    )


class TestChampion:
    """Reads main."""

    def test_nothing_in_production(self, forge: MemoryForge, tmp_path: Path) -> None:
        """Before the first release the digest is `none`, and the policy is there all the same."""
        assert champion.run(model="toy", forge=forge, out=tmp_path / "champion") == "none"
        assert ChampionRef.read(tmp_path / "champion" / "champion.json") == ChampionRef(
            model="toy", policy_digest=sha256(POLICY)
        )
        assert (tmp_path / "champion" / "policy.yaml").read_bytes() == POLICY

    def test_what_production_serves(self, forge: MemoryForge, toy: Any, tmp_path: Path) -> None:
        """The digest, number and place that main's version file names."""
        propose.run(inputs=_inputs(toy), forge=forge)
        forge.merge(1, by="ada", at=forge.head())
        propose.run(inputs=_inputs(toy), forge=forge)
        forge.merge(2, by="ada", at=forge.head())
        assert champion.run(model="toy", forge=forge, out=tmp_path / "champion") == toy.digest
        found = ChampionRef.read(tmp_path / "champion" / "champion.json")
        assert (found.version, found.storage_uri) == (1, "file:///store/x")

    def test_a_model_without_a_policy(self, forge: MemoryForge, tmp_path: Path) -> None:
        """Without gates nothing can be judged; the message names the file to write."""
        with pytest.raises(errors.Misconfigured, match=r"no policies/other\.yaml on main"):
            champion.run(model="other", forge=forge, out=tmp_path / "champion")


class TestRegister:
    """Records, releases, stores."""

    def test_a_candidate_is_recorded_and_released(self, toy: Any, store: FileArtifacts, tmp_path: Path) -> None:
        """The registry has all of it; the store has the bundle with its release, and the online store."""
        registry = MemoryRegistry()
        released = _register(toy, registry, store, tmp_path / "out")
        assert released.version == 1
        assert registry.aliases == {("toy", "challenger"): 1}
        recorded = registry.candidates["toy"][0]
        assert recorded.metrics == {
            "cross_validated.auc": 0.8,
            "confusion.no.as.no": 50.0,
            "confusion.no.as.yes": 10.0,
            "confusion.yes.as.no": 5.0,
            "confusion.yes.as.yes": 15.0,
            "class.yes.precision": 0.6,
            "class.yes.recall": 0.75,
            "importance.plan": 3.5,
            "training.rows": 80.0,
            "search.best_score": 0.2,
        }
        assert recorded.history["trial.score"] == [(0, 0.0), (1, 0.1), (2, 0.2)]
        assert recorded.parameters["xgboost.eta"] == "0.1"
        assert recorded.history["fold.f1"] == [(0, 0.5), (1, 0.6)]
        assert recorded.history["learning_curve.logloss.train"] == [(5, 0.6), (10, 0.5)]
        assert recorded.tags["library.python"] == "3"
        assert recorded.tags["library.xgboost"] == "3.2.0"
        assert recorded.tags["features_digest"] == sha256(b"features")
        assert recorded.tags["source.rows.digest"] == sha256(b"rows")
        assert registry.judgements["toy", 1][0].metrics.keys() == {
            "performance.auc",
            "performance.slice.plan.Month-to-month (auto).auc",
        }
        store.get(released.storage_uri, tmp_path / "bundle")
        assert bundles.digest(tmp_path / "bundle") == toy.digest
        online = OnlineStore.from_text(released.online_uri)
        store.get(online.uri, tmp_path / "online")
        assert bundles.digest(tmp_path / "online") == online.digest

    def test_the_release_is_the_same_each_time(self, toy: Any, store: FileArtifacts, tmp_path: Path) -> None:
        """A retry says the same number and the same end, whatever the clock says."""
        registry = MemoryRegistry()
        first = _register(toy, registry, store, tmp_path / "first")
        assert _register(toy, registry, store, tmp_path / "second") == first
        one, other = (tmp_path / name / "release.json" for name in ("first", "second"))
        assert one.read_bytes() == other.read_bytes()
        assert json.loads(one.read_text())["not_after"] == "2026-06-30T00:01:00Z"

    def test_rejected_models_are_recorded_too(self, toy: Any, store: FileArtifacts, tmp_path: Path) -> None:
        """A no is worth remembering."""
        registry = MemoryRegistry()
        _register(toy.judge("reject"), registry, store, tmp_path / "out")
        assert registry.aliases == {("toy", "rejected"): 1}

    def test_inputs_of_two_runs_are_refused(self, toy: Any, store: FileArtifacts, tmp_path: Path) -> None:
        """Evidence about another model is never attached to this one."""
        (toy.folder / "bundle" / "model.ubj").write_text("other", encoding="utf-8")
        registry = MemoryRegistry()
        with pytest.raises(errors.Misconfigured, match="not one run's outputs"):
            _register(toy, registry, store, tmp_path / "out")
        assert registry.candidates == {}


def test_sign_signs_both_and_stores_them(toy: Any, store: FileArtifacts, here: Settings, tmp_path: Path) -> None:
    """Bundle with release, and evidence, each have a signature that verifies; a retry is no conflict."""
    _inputs(toy)
    signer, verifier = KeySigner(here.signing_key), KeyVerifier(here.verifying_key)
    for attempt in ("first", "second"):
        out = tmp_path / attempt
        uri = sign.run(
            release=toy.folder / "release", evidence=toy.folder / "evidence", signer=signer, artifacts=store, out=out
        )
        verifier.verify(toy.folder / "release", out / "bundle.sig")
        verifier.verify(toy.folder / "evidence", out / "evidence.sig")
        store.get(uri, tmp_path / f"{attempt}-back")
        assert sorted(path.name for path in (tmp_path / f"{attempt}-back").iterdir()) == ["bundle.sig", "evidence.sig"]


class TestPropose:
    """Asks, or says why not."""

    def test_a_request_is_opened_with_its_evidence(self, toy: Any, forge: MemoryForge) -> None:
        """Version file, evidence, report, card and signatures, and a body that starts with the report."""
        assert propose.run(inputs=_inputs(toy), forge=forge) == "1 memory#1"
        files = forge.files(1)
        assert sorted(path.rpartition("/")[2] for path in files) == [
            "bundle.sig",
            "evidence.json",
            "evidence.md",
            "evidence.sig",
            "model-card.md",
            "version.yaml",
        ]
        version = parse(files[VERSION].decode(), VERSION)
        assert (version.model_digest, version.version) == (toy.digest, 1)
        assert version.evidence_digest == sha256(files["models/toy/staging/evidence/evidence.json"])
        assert forge.request(1).body.startswith("# toy")

    def test_again_finds_its_own(self, toy: Any, forge: MemoryForge) -> None:
        """A retry opens nothing."""
        assert propose.run(inputs=_inputs(toy), forge=forge) == propose.run(inputs=_inputs(toy), forge=forge)
        assert forge.log == ["opened 1"]

    def test_after_a_merge_that_was_cut_off(self, toy: Any, forge: MemoryForge) -> None:
        """Where staging has it but production's request was never opened, it is opened now."""
        propose.run(inputs=_inputs(toy), forge=forge)
        forge.merge(1, by="ada", at=forge.head())
        assert propose.run(inputs=_inputs(toy), forge=forge) == "2 memory#2"
        assert forge.request(2).subject.environment == promotion.PRODUCTION
        assert forge.request(2).body == forge.request(1).body

    @pytest.mark.parametrize("verdict", ["promote", "champion"])
    def test_the_champion_again_is_done(self, toy: Any, forge: MemoryForge, verdict: Any) -> None:
        """What is in production already is not proposed, whether evaluate saw that or a merge came in between."""
        for number in (1, 2):
            propose.run(inputs=_inputs(toy), forge=forge)
            forge.merge(number, by="ada", at=forge.head())
        toy.judge(verdict)
        assert propose.run(inputs=_inputs(toy), forge=forge) == "already in production"
        assert len(forge.requests()) == 2

    def test_a_rejection_explains_each_gate(self, toy: Any, forge: MemoryForge) -> None:
        """The measurement, the limit, and what would pass."""
        expected = (
            "toy is not promoted (reject): It was looked at.\n"
            "  performance.auc: 0.61, limit >= 0.8: the ranking is poor; would pass: 0.19 more"
        )
        with pytest.raises(errors.Rejected, match=re.escape(expected)):
            propose.run(inputs=_inputs(toy.judge("reject")), forge=forge)
        assert forge.requests() == []

    def test_inconclusive_is_no(self, toy: Any, forge: MemoryForge) -> None:
        """What the data cannot tell is not promoted."""
        with pytest.raises(errors.Rejected, match=r"not promoted \(inconclusive\)"):
            propose.run(inputs=_inputs(toy.judge("inconclusive")), forge=forge)

    def test_evidence_that_main_has_overtaken(
        self, toy: Any, new_toy: Callable[[str], Any], forge: MemoryForge
    ) -> None:
        """Where another model reached production since the comparison, nobody is asked; running again helps."""
        other = new_toy("other")
        for number in (1, 2):
            propose.run(inputs=_inputs(other), forge=forge)
            forge.merge(number, by="ada", at=forge.head())
        with pytest.raises(
            errors.Rejected, match=r"compared with no model, but production has .* run the pipeline again"
        ):
            propose.run(inputs=_inputs(toy), forge=forge)

    def test_a_policy_that_changed(self, toy: Any, forge: MemoryForge) -> None:
        """Judged by gates that main no longer has: run again."""
        forge.push({"policies/toy.yaml": b"stricter"})
        with pytest.raises(errors.Rejected, match=r"another policy than main's policies/toy\.yaml"):
            propose.run(inputs=_inputs(toy), forge=forge)

    def test_taken_out_of_service_before(self, toy: Any, forge: MemoryForge) -> None:
        """An aborted model does not come back unnoticed; the way back is a commit by name."""
        forge.push({"models/toy/rejected.txt": f"{toy.digest}: errors in the canary\n".encode()})
        with pytest.raises(errors.Rejected, match=r"errors in the canary.*models/toy/rejected\.txt"):
            propose.run(inputs=_inputs(toy), forge=forge)
        forge.push({"models/toy/rejected.txt": None})
        assert propose.run(inputs=_inputs(toy), forge=forge) == "1 memory#1"

    def test_a_person_s_no(self, toy: Any, forge: MemoryForge) -> None:
        """A closed request is not opened again by the next run."""
        propose.run(inputs=_inputs(toy), forge=forge)
        forge.close(1, by="ada", reason="not now")
        with pytest.raises(errors.Rejected, match=r"closed by ada \(not now\)"):
            propose.run(inputs=_inputs(toy), forge=forge)

    def test_a_better_candidate_takes_the_place(
        self, toy: Any, new_toy: Callable[[str], Any], forge: MemoryForge
    ) -> None:
        """The older request is closed with a link."""
        propose.run(inputs=_inputs(toy), forge=forge)
        assert propose.run(inputs=_inputs(new_toy("better"), version=2), forge=forge) == "2 memory#2"
        assert [request.state for request in forge.requests()] == [State.SUPERSEDED, State.OPEN]

    def test_a_release_of_another_model(self, toy: Any, new_toy: Callable[[str], Any], forge: MemoryForge) -> None:
        """A mix-up of inputs is refused."""
        mixed = _inputs(toy)
        _inputs(new_toy("other"))
        (toy.folder / "release" / "release.json").write_bytes(
            (new_toy("other").folder / "release" / "release.json").read_bytes()
        )
        with pytest.raises(errors.Misconfigured, match=r"release\.json is of"):
            propose.run(inputs=mixed, forge=forge)
