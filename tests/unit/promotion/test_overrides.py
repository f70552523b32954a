"""A gate that people let a model past: by its name, on main, until a day; never by the request that needs it, and never in silence."""

import datetime
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy import errors, wiring
from argosy.adapters.memory_registry import MemoryRegistry
from argosy.cli import main, override_files
from argosy.domain import changes, column_health, comparison, gates, overrides, verdicts
from argosy.domain.auto_merge import MergeRules
from argosy.domain.changes import ChangedFile, Kind
from argosy.domain.documents import sha256
from argosy.domain.environment_layout import overrides_path, version_path
from argosy.domain.evidence import ChampionRef, GateResult
from argosy.domain.merge_checks import Check
from argosy.domain.overrides import Override
from argosy.domain.policy import ComparisonPolicy
from argosy.domain.promotion_requests import State
from argosy.files import model_folder
from argosy.files.git_repository import Person, Repository
from argosy.promotion import following
from argosy.promotion.auto_merging import AutoMerging
from argosy.promotion.desk import Desk
from argosy.settings import Settings
from argosy.steps.champion import run as champion
from kit.offered import offer
from kit.toy import POLICY, Toy, make_toy

TODAY = datetime.datetime.now(datetime.UTC).date()
NEXT_MONTH = TODAY + datetime.timedelta(days=30)
GATE = "performance.auc"
PATH = overrides_path("toy")
WORD = {"gate": GATE, "reason": "the season is over", "by": "ann"}
LOW = {
    GATE: 0.5,
    "robustness.noise_drop": 0.0,
    "calibration.ece": 0.0,
    "explainability.top_share": 0.5,
    "latency.p95_ms": 1.0,
}


def word(expires: datetime.date = NEXT_MONTH, **changes: Any) -> Override:
    """An override of the gate that fails."""
    return Override.model_validate(WORD | {"expires": expires} | changes)


def push(here: Settings, *words: Override) -> None:
    """Let main say *words* of the toy, as after a reviewed request; without any, no more."""
    text = yaml.safe_dump(
        {"model": "toy", "overrides": [one.model_dump(mode="python", exclude_none=True) for one in words]}
    )
    repository = Repository(here.home / "forge" / "environment.git")
    head = repository.resolve("refs/heads/main")
    assert head
    commit = repository.commit(head, {PATH: text.encode() if words else None}, "By hand\n", Person("ann"))
    assert repository.move("refs/heads/main", commit, head)


def failing(overrides: list[Override], digest: str = "sha256:new") -> list[GateResult]:
    """What the toy's policy says of a model that ranks badly."""
    judged = gates.judge(model_folder.policy_of(POLICY, "toy"), LOW, TODAY)
    return gates.past(judged, overrides, digest, TODAY)


def judged(toy: Toy, here: Settings, registry: MemoryRegistry, *words: Override) -> str:
    """Offer the *toy*, which ranks badly, as evaluate would have judged it by *words*."""
    return offer(toy, here, registry, metrics=LOW, gates=failing(list(words), toy.digest))


@pytest.fixture
def registry() -> MemoryRegistry:
    """An empty registry."""
    return MemoryRegistry(datetime.datetime.now(datetime.UTC))


@pytest.fixture
def desk(here: Settings) -> Desk:
    """A desk over the local forge."""
    return Desk(wiring.forge(here), wiring.artifacts(here), wiring.verifier(here))


def named(checks: Any, name: str = "overrides") -> Check | None:
    """The check *name*, where there is one."""
    found: Check | None = next((one for one in checks if one.name == name), None)
    return found


@pytest.mark.parametrize("gate", sorted(overrides.NEVER))
def test_what_proves_a_model_is_no_gate_of_a_policy(gate: str) -> None:
    """Whole data, parity and provenance cannot be overridden: the file says so where somebody tries."""
    with pytest.raises(errors.Misconfigured, match=rf"policies/x.yaml:\d+.*'{gate}' cannot be overridden: "):
        model_folder.overrides_of(
            f"model: toy\noverrides:\n- {{gate: {gate}, reason: r, by: ann, expires: {NEXT_MONTH}}}\n".encode(),
            "policies/x.yaml",
        )


def test_the_gates_that_no_policy_sets_are_among_them() -> None:
    """Their names stand twice, as documents may not import the rules; so they are held against each other."""
    assert {gates.PARITY, column_health.GATE, comparison.RECENT_GATE, "provenance"} == set(overrides.NEVER)


@pytest.mark.parametrize(
    ("changes", "past"),
    [
        pytest.param({}, True, id="in-force"),
        pytest.param({"expires": TODAY}, True, id="its-last-day"),
        pytest.param({"expires": TODAY - datetime.timedelta(days=1)}, False, id="run-out"),
        pytest.param({"gate": "calibration.ece"}, False, id="another-gate"),
        pytest.param({"model_digest": sha256(b"another")}, False, id="another-model"),
        pytest.param({"model_digest": sha256(b"new")}, True, id="this-model"),
    ],
)
def test_which_override_lets_past(changes: dict[str, Any], *, past: bool) -> None:
    """This gate, this model, until this day; the verdict says by whose word."""
    results = failing([word(**changes)], sha256(b"new"))
    verdict, why = verdicts.decide(
        model_digest="x", champion=ChampionRef(model="toy", policy_digest="p"), gates=results, comparison=None
    )
    assert (verdict, f"{GATE} overridden until" in why and "by ann: the season is over" in why) == (
        ("promote", True) if past else ("reject", False)
    )


def test_two_words_on_one_gate_are_refused() -> None:
    """Of one model, or of all: nobody could tell which of them was meant. One of each is none too many."""
    one, other = sha256(b"one"), sha256(b"other")
    mixed = [word(), word(model_digest=one), word(model_digest=other), word(gate="calibration.ece")]
    assert len(overrides.Overrides(model="toy", overrides=mixed).overrides) == len(mixed)
    for twice in (word(), word(model_digest=one)):
        with pytest.raises(ValueError, match=f"'{GATE}' is overridden twice; leave one of them"):
            overrides.Overrides(model="toy", overrides=[*mixed, twice.model_copy(update={"by": "bob"})])


def test_which_are_in_force() -> None:
    """Their last day included."""
    over = word(expires=TODAY - datetime.timedelta(days=1))
    assert overrides.in_force([over, word(expires=TODAY), word()], TODAY) == [word(expires=TODAY), word()]


def test_a_value_that_is_not_known_is_not_let_past() -> None:
    """As with an accepted deviation: a known value is accepted, not the absence of one."""
    judged = gates.judge(model_folder.policy_of(POLICY, "toy"), LOW | {GATE: None}, TODAY)
    assert all(one.override is None for one in gates.past(judged, [word()], "x", TODAY))


def test_a_comparison_that_nobody_can_make_is_let_past() -> None:
    """A champion that reads a column which is gone: there, people decide."""
    rules = ComparisonPolicy(metric="auc", margin=0.01)
    result = comparison.impossible(rules, "the champion reads 'plan', which is gone", 100)
    past = gates.past([comparison.gate(rules, result)], [word(gate=comparison.GATE)], "x", TODAY)
    incumbent = ChampionRef(model="toy", policy_digest="p", model_digest="sha256:c")
    verdict, why = verdicts.decide(model_digest="x", champion=incumbent, gates=past, comparison=result)
    assert (verdict, "champion overridden until" in why) == ("promote", True)


def test_the_whole_road(toy: Toy, here: Settings, registry: MemoryRegistry, desk: Desk, tmp_path: Path) -> None:
    """Main lets it past; evidence, request and check say so; people merge it; the next request still says so."""
    wiring.forge(here)  # makes the environment repo
    push(here, word())
    judged(toy, here, registry, word())
    review = desk.review(1)
    assert "## Gates that were let past\n\n- **performance.auc is overridden until" in review.markdown
    assert "| OVERRIDDEN |" in review.markdown
    check = named(review.checks)
    assert check
    assert (check.passed, check.final, check.reason[:29]) == (True, True, "performance.auc overridden un")
    rules = MergeRules(auto_merge=True, reviews="waived")
    attempt = AutoMerging(desk, lambda *_: rules, dry=True)._attempt(desk.forge.request(1), rules)
    assert (attempt.outcome, attempt.why[0][:50]) == ("waits", "it goes by an override, which people merge: perfor")
    opened = following.follow(desk.forge, desk.merge(1, by="ada").request, on_merge=True).next
    assert opened
    desk.merge(opened.number, by="ada")
    following_one = make_toy(tmp_path / "next", "next")
    offer(following_one, here, registry)
    assert "- The model in production went past performance.auc, overridden until" in desk.review(3).markdown
    assert named(desk.check(3).checks) is None


@pytest.mark.parametrize(
    ("later", "why"),
    [
        pytest.param((), "performance.auc was let past by an override of ann that main has no more", id="taken-out"),
        pytest.param((word(reason="another"),), "an override of ann that main has no more", id="reworded"),
    ],
)
def test_an_override_that_main_has_no_more(
    toy: Toy, here: Settings, registry: MemoryRegistry, desk: Desk, later: tuple[Override, ...], why: str
) -> None:
    """The request turns red and says why, for good: no reviewer can overrule it; and nothing of it is proposed anew."""
    wiring.forge(here)
    push(here, word())
    judged(toy, here, registry, word())
    push(here, *later)
    check = named(desk.check(1).checks)
    assert check
    assert (check.passed, why in check.reason) == (False, True)
    with pytest.raises(errors.UsageError, match="'overrides' cannot be overruled"):
        desk.merge(1, by="ada", override=["overrides"])
    with pytest.raises(errors.Rejected, match=why):
        judged(toy, here, registry, word())


def test_an_override_that_ran_out(toy: Toy, here: Settings, registry: MemoryRegistry, desk: Desk) -> None:
    """On the day after, the same request is red; where main renews it, a new request takes its place."""
    wiring.forge(here)
    push(here, word())
    judged(toy, here, registry, word())
    late = replace(desk, now=lambda: datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=31))
    check = named(late.check(1).checks)
    assert check
    assert f"the override of performance.auc by ann ran out on {NEXT_MONTH}; renew it in {PATH}" in check.reason
    renewed = word(NEXT_MONTH + datetime.timedelta(days=30))
    push(here, renewed)
    judged(toy, here, registry, renewed)
    states = {one.number: one.state for one in desk.requests(ended=True)}
    assert states == {1: State.SUPERSEDED, 2: State.OPEN}
    assert desk.check(2).passed


def test_evidence_that_overrides_what_nobody_may(
    toy: Toy, here: Settings, registry: MemoryRegistry, desk: Desk
) -> None:
    """No step and no check reads such evidence, whoever signed it: parity is no gate of a policy."""
    wiring.forge(here)
    push(here, word())
    forged = word().model_copy(update={"gate": gates.PARITY})
    broken = gates.parity("row 3 differs").model_copy(update={"override": forged})
    with pytest.raises(errors.Misconfigured, match="'serving parity' cannot be overridden: the server must give"):
        offer(toy, here, registry, metrics=LOW, gates=[*failing([word()], toy.digest), broken])
    assert not desk.requests()


def test_evidence_that_goes_by_the_override_of_another_gate() -> None:
    """One that main has, written beside a gate that nobody may override: it is no evidence either."""
    broken = gates.parity("row 3 differs").model_copy(update={"override": word()}).model_dump_json()
    with pytest.raises(ValueError, match="'serving parity' goes by an override of another gate, 'perform"):
        GateResult.model_validate_json(broken)


def test_evidence_that_goes_by_the_override_of_another_model(
    toy: Toy, here: Settings, registry: MemoryRegistry
) -> None:
    """Main has it, word for word, and for one digest: what else goes by it is refused, whoever signed it."""
    wiring.forge(here)
    theirs = word(model_digest=sha256(b"another"))
    push(here, theirs)
    past = [one.model_copy(update={"override": None if one.passed else theirs}) for one in failing([], toy.digest)]
    with pytest.raises(errors.Rejected, match=f"of {GATE} by ann is for another model, {sha256(b'another')}"):
        offer(toy, here, registry, metrics=LOW, gates=past)


def test_no_request_brings_its_own_override() -> None:
    """The file is a rule: beside a version it is refused, whoever opened the request."""
    changed = [ChangedFile(version_path("toy", "staging"), Kind.CHANGED), ChangedFile(PATH, Kind.ADDED)]
    assert [(one.path, one.said.partition(",")[0]) for one in changes.problems(changed)] == [(PATH, "is a rule")]


def test_what_the_first_step_hands_on(toy: Toy, here: Settings, tmp_path: Path) -> None:
    """Those that count today; so that what was judged by one that ran out is judged again, as its input is another."""
    forge = wiring.forge(here)
    past = word(TODAY - datetime.timedelta(days=1), gate="calibration.ece")
    push(here, word(), past)
    champion.run(model="toy", forge=forge, out=tmp_path)
    assert ChampionRef.read(tmp_path / "champion.json").overrides == [word()]
    champion.run(model="toy", forge=forge, out=tmp_path, today=NEXT_MONTH + datetime.timedelta(days=1))
    assert ChampionRef.read(tmp_path / "champion.json").overrides is None


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of an environment repo that knows the toy."""
    folder = tmp_path / "checkout"
    for path in ("policies", "models/toy"):
        (folder / path).mkdir(parents=True)
    (folder / "policies/toy.yaml").write_bytes(POLICY)
    (folder / "models/toy/values.yaml").write_text("model: toy\n")
    return folder


def test_writing_one_into_a_checkout(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Typed, looked at by `env check`, typed again otherwise, and taken out."""
    common = ["policy", "override", "toy", GATE, "--folder", str(checkout)]
    given = ["--reason", "the season  is over", "--until", f"{NEXT_MONTH}", "--as", "ann"]
    assert main.run([*common, *given]) == 0
    file = checkout / PATH
    assert model_folder.overrides_of(file.read_bytes(), "x").overrides == [word()]
    said = capsys.readouterr().out
    assert f"{file}: {GATE} overridden until {NEXT_MONTH} by ann: the season is over; commit it" in said
    main.run(["env", "check", str(checkout)])
    assert f"{PATH}: {GATE} is overridden until {NEXT_MONTH} by ann" in capsys.readouterr().err
    assert main.run([*common, "--reason", "b", "--until", f"{TODAY}", "--as", "ann"]) == 0
    assert model_folder.overrides_of(file.read_bytes(), "x").overrides == [word(TODAY, reason="b")]
    assert main.run([*common, "--stop"]) == 0
    assert model_folder.overrides_of(file.read_bytes(), "x").overrides == []


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        pytest.param([GATE], "an override says why and until when", id="no-reason"),
        pytest.param([GATE, "--reason", "r", "--until", "2020-01-01"], "is over already", id="over"),
        pytest.param(
            ["performance.acu", "--reason", "r", "--until", f"{NEXT_MONTH}"],
            "did you mean 'performance.auc'?",
            id="mistyped",
        ),
        pytest.param(
            [gates.PARITY, "--reason", "r", "--until", f"{NEXT_MONTH}"], "cannot be overridden", id="integrity"
        ),
        pytest.param([GATE, "--stop"], f"overrides no {GATE}", id="nothing-to-stop"),
    ],
)
def test_typed_wrong(checkout: Path, capsys: pytest.CaptureFixture[str], typed: list[str], why: str) -> None:
    """Each is said in one line, and nothing is written."""
    assert main.run(["policy", "override", "toy", *typed, "--folder", str(checkout)]) == 2
    assert why in capsys.readouterr().err
    assert not (checkout / PATH).exists()


def test_a_checkout_is_checked(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A gate that the policy has not, another model's name, and text that is none: each with its file."""
    folder = checkout / "policies/overrides"
    folder.mkdir()
    entry = f"{{gate: performance.acu, reason: r, by: ann, expires: {NEXT_MONTH}}}"
    (folder / "toy.yaml").write_text(f"model: toy\noverrides: [{entry}]\n")
    (folder / "other.yaml").write_text("model: toy\n")
    (folder / "bad.yaml").write_text("model: bad\noverrides: [{gate: a}]\n")
    assert main.run(["env", "check", str(checkout)]) == 10
    said = capsys.readouterr().out
    assert (
        "policies/overrides/toy.yaml: policies/toy.yaml has no gate 'performance.acu'; did you mean 'performance.auc'?"
        in said
    )
    assert "policies/overrides/other.yaml: is about 'toy'" in said
    assert "policies/overrides/bad.yaml: " in said


def test_a_change_to_one_that_is_over() -> None:
    """A request that brings an override which had run out is told so; one that takes it away is not."""
    over = word(TODAY - datetime.timedelta(days=1)).model_dump(mode="json", exclude_none=True)
    files = {PATH: yaml.safe_dump({"model": "toy", "overrides": [over]}).replace("'", "").encode()}
    (found,) = override_files.over_already([ChangedFile(PATH, Kind.CHANGED)], files, TODAY)
    assert (found.path, "is over; renew it" in found.said) == (PATH, True)
    assert not list(override_files.over_already([ChangedFile(PATH, Kind.REMOVED)], {}, TODAY))
