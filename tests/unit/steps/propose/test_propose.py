"""Asks for a promotion in a real environment repo, or says why not; never twice for one model."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from argosy import wiring
from argosy.domain import environment_layout, version_file
from argosy.domain.documents import sha256
from argosy.domain.evidence import Evidence, GateResult
from argosy.domain.promotion_requests import State
from argosy.domain.release import OnlineStore
from argosy.domain.retraining_admission import Admitted
from argosy.domain.retraining_cause import Cause
from argosy.files.git_repository import Person, Repository
from argosy.monitoring import retrainings
from argosy.monitoring.retrainings import Event
from argosy.ports.forge import Forge
from argosy.report import run_outcome
from argosy.report.record import Facts, RunReport
from argosy.settings import Settings
from argosy.testing.forge_contract import files_of, merge
from kit.examples import make_settings
from kit.toy import make_release

VERSION = "models/toy/staging/version.yaml"
ONLINE = f"file:///store/online@{sha256(b'online')}"


@pytest.fixture
def forge(here: Settings) -> Forge:
    """The environment repo of the state folder."""
    return wiring.forge(here)


@pytest.fixture
def propose(run_step: Callable[..., Any]) -> Callable[..., Any]:
    """The step over a candidate, its signatures made up: who checks them is the reviewer's desk."""

    def attempt(toy: Any, *, version: str = "1", **given: Any) -> Any:
        signatures = toy.folder / "signatures"
        signatures.mkdir(exist_ok=True)
        for name in (environment_layout.BUNDLE_SIGNATURE, environment_layout.EVIDENCE_SIGNATURE):
            (signatures / name).write_text("signed", encoding="utf-8")
        released = make_release(toy, int(version) if version.isdecimal() else 1, OnlineStore.from_text(ONLINE))
        inputs = {"settings": toy.folder / "settings", "evidence": toy.folder / "evidence", "signatures": signatures}
        parameters = {"version": version, "storage_uri": "file:///store/x", "online_uri": ONLINE} | {
            name: value for name, value in given.items() if name in {"storage_uri", "online_uri"}
        }
        changed = {name: value for name, value in given.items() if name not in parameters}
        return run_step("propose", {**inputs, "release": released, **changed}, **parameters)

    return attempt


def push(here: Settings, files: dict[str, bytes | None]) -> None:
    """A commit on main, as somebody with a clone makes it."""
    repository = Repository(here.home / "forge" / "environment.git")
    main = repository.resolve("refs/heads/main")
    assert main
    assert repository.move("refs/heads/main", repository.commit(main, files, "By hand\n", Person("ada")), main)


def test_a_request_is_opened_with_its_evidence(
    propose: Callable[..., Any], toy: Any, forge: Forge, here: Settings
) -> None:
    """Version file, evidence, report, card and signatures; a body that starts with the report; the result says where."""
    ran = propose(toy)
    assert (ran.code, ran.said) == (0, "")
    assert ran.result("request") == f"1 {here.home}/forge/environment.git#1"
    files = files_of(forge, 1)
    assert sorted(path.rpartition("/")[2] for path in files) == [
        "bundle.sig",
        "evidence.json",
        "evidence.md",
        "evidence.sig",
        "model-card.md",
        "release.json",
        "version.yaml",
    ]
    version = version_file.parse(files[VERSION], VERSION)
    assert (version.model_digest, version.version) == (toy.digest, 1)
    assert version.evidence_digest == sha256(files["models/toy/staging/evidence/evidence.json"])
    assert version.online_store
    assert version.online_store.text() == ONLINE
    assert forge.request(1).body.startswith("# toy")


def test_again_finds_its_own(propose: Callable[..., Any], toy: Any, forge: Forge) -> None:
    """A second attempt, after a kill or beside the first, opens nothing."""
    assert propose(toy).result("request") == propose(toy).result("request")
    assert [request.number for request in forge.requests()] == [1]


def test_of_an_earlier_moment_nothing_is_proposed(propose: Callable[..., Any], toy: Any, forge: Forge) -> None:
    """Whatever its gates say, it does not know the rows since, and nobody compared it with the champion; a no stays one."""
    moment = datetime(2020, 1, 31, tzinfo=UTC)
    ran = propose(toy.judge(as_of=moment))
    assert (ran.code, ran.result("request")) == (0, "none, as this is a run as of 2020-01-31T00:00:00Z")
    assert propose(toy.judge("reject", as_of=moment)).code == 10
    assert list(forge.requests()) == []


def test_after_a_merge_that_was_cut_off(propose: Callable[..., Any], toy: Any, forge: Forge) -> None:
    """Where staging has it but production's request was never opened, it is opened now."""
    propose(toy)
    merge(forge, 1)
    assert propose(toy).result("request").startswith("2 ")
    assert forge.request(2).subject.environment == environment_layout.PRODUCTION
    assert forge.request(2).body.startswith("# toy: promote\n\nIt was looked at.\n")


@pytest.mark.parametrize("verdict", ["promote", "champion"])
def test_the_champion_again_is_done(propose: Callable[..., Any], toy: Any, forge: Forge, verdict: Any) -> None:
    """What is in production already is not proposed, whether evaluate saw that or a merge came in between: 0."""
    for number in (1, 2):
        propose(toy)
        merge(forge, number)
    ran = propose(toy.judge(verdict))
    assert (ran.code, ran.result("request")) == (0, "already in production")
    assert len(forge.requests()) == 2


@pytest.mark.parametrize(("kind", "code"), [("drift", 10), ("performance", 10), ("schedule", 0)])
def test_the_champion_again_answers_no_drift(
    propose: Callable[..., Any], toy: Any, forge: Forge, kind: Any, code: int
) -> None:
    """What a retraining for drift gave is what drifted: that it opened no request is said, and counts as one that led nowhere."""
    for number in (1, 2):
        propose(toy)
        merge(forge, number)
    ran = propose(toy.judge("champion", cause=Cause(kind=kind)))
    assert ran.code == code
    assert ("what it learned from has not changed" in ran.said) == (code == 10)


def admitted(here: Settings, holder: str = "run-1") -> str:
    """The admission of a retraining that is in flight."""
    decided = retrainings.decide(
        Event(kind="hand", holder=holder, because="a new tariff"),
        settings=make_settings("binary", ["no", "yes"], "log_loss"),
        state=wiring.admission_state(here),
        looks_of=lambda _: (),
        now=datetime.now(UTC),
    )
    assert isinstance(decided.decision, Admitted)
    return decided.decision.entry.id


def noted(here: Settings, status: str = "Succeeded", failures: str = "") -> tuple[str | None, str | None, str]:
    """What the ledger says once the run is over: outcome, verdict, request."""
    entry = retrainings.close(
        wiring.admission_state(here), "toy", "run-1", status=status, failures=failures, now=datetime.now(UTC)
    )
    assert entry
    return entry.outcome, entry.verdict, entry.request


def test_the_ledger_hears_of_the_request(propose: Callable[..., Any], toy: Any, here: Settings) -> None:
    """And of which: whoever asks again is told its number."""
    cause = Cause(kind="hand", admission=admitted(here))
    request = propose(toy.judge("promote", cause=cause)).result("request")
    assert noted(here) == ("requested", "promote", request)


def test_the_ledger_hears_that_it_is_served_already(
    propose: Callable[..., Any], toy: Any, forge: Forge, here: Settings
) -> None:
    """The run succeeded, and opened nothing."""
    for number in (1, 2):
        propose(toy)
        merge(forge, number)
    assert propose(toy.judge("champion", cause=Cause(kind="schedule", admission=admitted(here)))).code == 0
    assert noted(here) == ("served already", "champion", "")


def test_the_ledger_hears_that_nobody_can_tell(propose: Callable[..., Any], toy: Any, here: Settings) -> None:
    """It ends 10 as a rejection does, and is none."""
    assert propose(toy.judge("inconclusive", cause=Cause(kind="drift", admission=admitted(here)))).code == 10
    failures = '[{"displayName": "propose", "message": "Error (exit code 10)"}]'
    assert noted(here, "Failed", failures) == ("inconclusive", "inconclusive", "")


def test_a_ledger_out_of_reach_holds_up_no_request(
    propose: Callable[..., Any], toy: Any, forge: Forge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said, and the request is there."""
    monkeypatch.setenv("ARGOSY_LOOP_STORAGE_URI", "postgresql://127.0.0.1:1/none")
    ran = propose(toy.judge("promote", cause=Cause(kind="drift", admission="toy-1")))
    assert ran.code == 0
    assert "the ledger of retrainings is not told what came of toy-1: the database of retrainings" in ran.said
    assert [request.number for request in forge.requests()] == [1]


def test_a_run_that_nobody_asked_for_asks_no_ledger(
    propose: Callable[..., Any], toy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most models have none."""
    monkeypatch.setenv("ARGOSY_LOOP_STORAGE_URI", "postgresql://127.0.0.1:1/none")
    assert propose(toy.judge("promote", cause=Cause(kind="push"))).said == ""


def gate(name: str, measured: float | None, *, deviation: bool = False) -> GateResult:
    """A gate that does not hold."""
    return GateResult(
        gate=name,
        dimension=name.partition(".")[0],
        passed=False,
        measured=measured,
        limit=">= 0.8",
        reason=f"why {name}.",
        would_pass=f"{name} of 0.8 or more",
        deviation=deviation,
    )


def test_a_rejection_explains_each_gate(propose: Callable[..., Any], toy: Any, forge: Forge) -> None:
    """10; every gate that failed with its measurement, its limit, its reason and what would pass; no request, and no accepted deviation."""
    failed = [
        gate("performance.auc", 0.6123456),
        gate("calibration.ece", None),
        gate("fairness.x", 0.5, deviation=True),
    ]
    ran = propose(toy.judge("reject", gates=failed, explanation="It was looked at."))
    assert ran.code == 10
    assert ran.said == (
        "error: toy is not promoted (reject): It was looked at.\n"
        "  performance.auc: 0.6123, limit >= 0.8: why performance.auc; would pass: performance.auc of 0.8 or more\n"
        "  calibration.ece: undefined, limit >= 0.8: why calibration.ece; would pass: calibration.ece of 0.8 or more\n"
    )
    assert forge.requests() == []


def test_a_rejection_s_figure_is_the_one_of_the_report(propose: Callable[..., Any], toy: Any) -> None:
    """Error and report of one run count the same gates."""
    from argosy.domain import verdicts

    gates = [gate("performance.auc", 0.61), gate("fairness.x", 0.5, deviation=True)]
    read = Evidence.read(toy.folder / "evidence" / "evidence.json")
    word, why = verdicts.decide(model_digest=toy.digest, champion=read.champion, gates=gates, comparison=None)
    ran = propose(toy.judge(word, gates=gates, explanation=why))
    judged = Evidence.read(toy.folder / "evidence" / "evidence.json")
    facts = Facts(run="r", model="toy", phase="Failed", started=0.0)
    assert ran.said.startswith("error: toy is not promoted (reject): 1 of 1 gates failed\n  performance.auc: 0.61, ")
    assert run_outcome.of(RunReport(facts, evidence=judged)).headline == "Rejected: 1 of 1 gates failed"


def test_inconclusive_is_no(propose: Callable[..., Any], toy: Any) -> None:
    """What the data cannot tell is not promoted."""
    ran = propose(toy.judge("inconclusive"))
    assert ran.code == 10
    assert "not promoted (inconclusive)" in ran.said


def test_evidence_that_main_has_overtaken(
    propose: Callable[..., Any], toy: Any, new_toy: Callable[[str], Any], forge: Forge
) -> None:
    """Where another model reached production since the comparison, nobody is asked; running again helps."""
    other = new_toy("other")
    for number in (1, 2):
        propose(other)
        merge(forge, number)
    ran = propose(toy, version="2")
    assert ran.code == 10
    assert "compared with no model, but production has" in ran.said
    assert "run the pipeline again" in ran.said


def test_a_policy_that_changed(propose: Callable[..., Any], toy: Any, forge: Forge, here: Settings) -> None:
    """Judged by gates that main no longer has: run again."""
    push(here, {"policies/toy.yaml": b"model: toy\n# stricter\n"})
    ran = propose(toy)
    assert ran.code == 10
    assert "another policy than main's policies/toy.yaml" in ran.said


def test_taken_out_of_service_before(propose: Callable[..., Any], toy: Any, forge: Forge, here: Settings) -> None:
    """An aborted model does not come back unnoticed; the way back is a commit by name."""
    path = environment_layout.rejected_path("toy", toy.digest)
    push(here, {path: b"errors in the canary\n"})
    ran = propose(toy)
    assert ran.code == 10
    assert "errors in the canary" in ran.said
    assert path in ran.said
    push(here, {path: None})
    assert propose(toy).result("request").startswith("1 ")


def test_a_person_s_no(propose: Callable[..., Any], toy: Any, forge: Forge) -> None:
    """A closed request is not opened again by the next run."""
    propose(toy)
    forge.close(1, by="ada", reason="not now")
    ran = propose(toy)
    assert ran.code == 10
    assert "closed by ada (not now)" in ran.said


def test_a_better_candidate_takes_the_place(
    propose: Callable[..., Any], toy: Any, new_toy: Callable[[str], Any], forge: Forge
) -> None:
    """The older request is closed with a link."""
    propose(toy)
    assert propose(new_toy("better"), version="2").result("request").startswith("2 ")
    assert [request.state for request in forge.requests()] == [State.SUPERSEDED, State.OPEN]
    assert forge.request(1).superseded_by == 2


class TestMixedUp:
    """What is not of one run is refused before anybody is asked."""

    def test_a_release_of_another_model(
        self, propose: Callable[..., Any], toy: Any, new_toy: Callable[[str], Any], forge: Forge
    ) -> None:
        """78, with both digests."""
        other = new_toy("other")
        ran = propose(toy, release=make_release(other))
        assert ran.code == 78
        assert f"release.json is of {other.digest}, the evidence of {toy.digest}" in ran.said
        assert forge.requests() == []

    def test_a_tampered_bundle(self, propose: Callable[..., Any], toy: Any, forge: Forge, tmp_path: Path) -> None:
        """A byte that changed after the release was made."""
        released = make_release(toy).rename(tmp_path / "tampered")
        (released / "model.ubj").write_bytes(b"tampered")
        ran = propose(toy, release=released)
        assert ran.code == 78
        assert f"the evidence is about {toy.digest}" in ran.said
        assert forge.requests() == []

    @pytest.mark.parametrize("missing", [environment_layout.BUNDLE_SIGNATURE, environment_layout.EVIDENCE_SIGNATURE])
    def test_without_a_signature(
        self, propose: Callable[..., Any], toy: Any, forge: Forge, tmp_path: Path, missing: str
    ) -> None:
        """What is not signed is not proposed."""
        (tmp_path / "unsigned").mkdir()
        for name in {environment_layout.BUNDLE_SIGNATURE, environment_layout.EVIDENCE_SIGNATURE} - {missing}:
            (tmp_path / "unsigned" / name).write_text("signed", encoding="utf-8")
        ran = propose(toy, signatures=tmp_path / "unsigned")
        assert ran.code == 78
        assert f"has no {missing}: what is not signed is not proposed; run sign first" in ran.said
        assert forge.requests() == []

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            pytest.param(
                {"version": "latest"}, "parameter version: expected a number from 1, as register", id="version"
            ),
            pytest.param({"version": "0"}, "parameter version: expected a number from 1, as register", id="zero"),
            pytest.param({"online_uri": "file:///x"}, "expected an online store as <uri>@sha256:", id="online-store"),
        ],
    )
    def test_parameters_that_are_none(
        self, propose: Callable[..., Any], toy: Any, forge: Forge, given: dict[str, str], message: str
    ) -> None:
        """78, what was expected and what came."""
        ran = propose(toy, **given)
        assert ran.code == 78
        assert message in ran.said
        assert forge.requests() == []
