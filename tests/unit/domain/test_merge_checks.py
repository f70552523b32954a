"""Each check of a request can fail, alone, and says why."""

import dataclasses
import datetime
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import pytest

from argosy import errors
from argosy.adapters.memory_forge import MemoryForge
from argosy.domain import environment_layout, environment_repo, merge_checks, promotion_requests, release
from argosy.domain.bundle import Release
from argosy.domain.documents import sha256
from argosy.domain.evidence import ChampionRef, ComparisonResult, Evidence, GateResult
from argosy.domain.merge_checks import MainState
from argosy.domain.overrides import Override
from argosy.domain.promotion_requests import Subject
from argosy.domain.release import OnlineStore
from argosy.domain.retraining_cause import Cause
from argosy.domain.second_file import SecondFile
from argosy.promotion.standing import Main
from kit import toy

MODEL, CHAMPION, OTHER = (sha256(name) for name in (b"model", b"champion", b"other"))
POLICY = b"the gates\n"
SUBJECT = Subject(model="toy", environment="staging", model_digest=MODEL, version=4, policy_digest=sha256(POLICY))


def version(**changes: Any) -> release.Version:
    """The version proposed."""
    values = {
        "model": "toy",
        "version": 4,
        "model_digest": MODEL,
        "storage_uri": "file:///x",
        "evidence_digest": evidence().content_digest(),
        "policy_digest": sha256(POLICY),
    }
    return release.Version(**(values | changes))


def evidence(**changes: Any) -> Evidence:
    """The evidence committed beside it."""
    values = {
        "model": "toy",
        "task": "binary",
        "model_digest": MODEL,
        "snapshot_digest": OTHER,
        "policy_digest": sha256(POLICY),
        "champion": ChampionRef(model="toy", model_digest=CHAMPION, policy_digest=sha256(POLICY)),
        "provenance": toy.CLEAN,
        "rows_train": 1,
        "rows_holdout": 1,
        "metrics": {},
        "gates": [],
        "verdict": "promote",
        "explanation": "",
    }
    return Evidence(**(values | changes))


def recent(outcome: str) -> ComparisonResult:
    """The comparison on the newest labelled rows."""
    fields = dict.fromkeys(["candidate", "champion", "difference", "low", "high", "margin", "p_value"], 0.0)
    return ComparisonResult.model_validate({"metric": "auc", "rows": 9, "outcome": outcome, "reason": "r", **fields})


def proposed(given: release.Version | None = None, beside: Evidence | None = None) -> dict[str, bytes]:
    """The files of the request."""
    beside = beside or evidence()
    given = given or version(evidence_digest=beside.content_digest())
    return promotion_requests.files(SUBJECT, given.yaml(), {"evidence.json": beside.canonical_json().encode()})


def main(**changes: bytes | None) -> MainState:
    """What main says: a champion of version 3, and the policy; *changes* by kind of file."""
    paths = {
        "version": environment_layout.version_path("toy", "production"),
        "policy": environment_layout.policy_path("toy"),
        "rejected": environment_layout.rejected_path("toy", MODEL),
        "retired": environment_layout.retired_path("toy", "production"),
        "overrides": environment_layout.overrides_path("toy"),
    }
    champion = version(version=3, model_digest=CHAMPION)
    files: dict[str, bytes | None] = {paths["version"]: champion.yaml().encode(), paths["policy"]: POLICY}
    files |= {paths[kind]: content for kind, content in changes.items()}
    there = {path: content for path, content in files.items() if content is not None}
    return Main.now(MemoryForge(there)).state("toy", MODEL)


NEWER_MAIN = main(version=version(version=5, model_digest=CHAMPION).yaml().encode())
OTHER_MAIN = main(version=version(version=3, model_digest=OTHER).yaml().encode())


def red(files: Mapping[str, bytes], state: MainState) -> dict[str, str]:
    """The checks that are red, and why."""
    return {check.name: check.reason for check in merge_checks.checks(SUBJECT, files, state) if not check.passed}


def test_all_green() -> None:
    """A request whose evidence still holds."""
    assert red(proposed(), main()) == {}
    names = [check.name for check in merge_checks.checks(SUBJECT, proposed(), main())]
    assert names == ["documents", "verdict", "provenance", "newer", "champion", "policy", "rejected"]


DIRTY = toy.CLEAN.model_copy(update={"tree": OTHER})


@pytest.mark.parametrize(
    ("environment", "beside", "passed", "reason"),
    [
        pytest.param("production", evidence(), True, "made from commit 000000000000", id="clean"),
        pytest.param("production", evidence(provenance=DIRTY), False, "not those of the commit", id="dirty"),
        pytest.param("production", evidence(provenance={}), False, "the commit is unknown", id="unknown"),
        pytest.param(
            "production",
            evidence(provenance=toy.CLEAN.model_copy(update={"images": {"train": "argosy/train:dev"}})),
            False,
            "argosy/train:dev, which is no digest",
            id="image-by-tag",
        ),
        pytest.param(
            "production",
            evidence(provenance=DIRTY, provenance_waiver="a trial (ada)"),
            True,
            "waived by the policy: a trial (ada)",
            id="waived",
        ),
        pytest.param("staging", evidence(provenance=DIRTY), True, "production will refuse it", id="staging-is-told"),
        pytest.param(
            "staging",
            evidence(provenance=DIRTY, provenance_in_staging=True),
            False,
            "commit, run the pipeline",
            id="staging-by-policy",
        ),
        pytest.param(
            "staging",
            evidence(provenance=DIRTY, provenance_in_staging=True, provenance_waiver="A trial (ada)"),
            True,
            "waived by the policy",
            id="staging-waived",
        ),
    ],
)
def test_production_takes_what_can_be_made_again(environment: str, beside: Evidence, passed: bool, reason: str) -> None:
    """A commit, its files, known code; staging takes more, and says what production will not."""
    subject = SUBJECT.model_copy(update={"environment": environment})
    given = version(evidence_digest=beside.content_digest())
    files = promotion_requests.files(subject, given.yaml(), {"evidence.json": beside.canonical_json().encode()})
    (check,) = [one for one in merge_checks.checks(subject, files, main()) if one.name == "provenance"]
    assert (check.passed, check.final) == (passed, True)
    assert reason in check.reason


def test_the_first_release_of_a_model() -> None:
    """Evidence without a champion is right as long as production has none."""
    first = evidence(champion=ChampionRef(model="toy", policy_digest=sha256(POLICY)))
    assert red(proposed(beside=first), main(version=None)) == {}
    assert set(red(proposed(beside=first), main())) == {"champion"}


@pytest.mark.parametrize(
    ("files", "state", "name", "reason"),
    [
        pytest.param(proposed(), OTHER_MAIN, "champion", "by now", id="champion"),
        pytest.param(proposed(), main(version=None), "champion", "production has no model by now", id="champion-gone"),
        pytest.param(proposed(), main(policy=b"stricter"), "policy", "another policy than main's policies/toy.yaml", id="policy"),
        pytest.param(proposed(), main(policy=None), "policy", "another policy", id="policy-gone"),
        pytest.param(proposed(), main(rejected=b"bad canary\n"), "rejected", "bad canary", id="rejected"),
        pytest.param(proposed(), NEWER_MAIN, "newer", "version 4, production has 5; to go back, revert", id="older"),
        pytest.param(proposed(beside=evidence(verdict="inconclusive")), main(), "verdict", "says 'inconclusive'", id="verdict"),
        pytest.param(proposed(version(evidence_digest=OTHER)), main(), "documents", "about the evidence's digest", id="evidence-digest"),
        pytest.param(proposed(version(model_digest=OTHER)), main(), "documents", "about the model's digest", id="model-digest"),
        pytest.param(proposed(version(policy_digest=OTHER)), main(), "documents", "about the policy's digest", id="policy-digest"),
        pytest.param(proposed(version(model="other")), main(), "documents", "about the model", id="model"),
    ],
)  # fmt: skip
def test_each_check_can_fail_alone(files: dict[str, bytes], state: MainState, name: str, reason: str) -> None:
    """One thing wrong turns one check red, and the reason says what."""
    found = red(files, state)
    assert list(found) == [name]
    assert reason in found[name]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        pytest.param({"models/toy/staging/version.yaml": b"model: [\n"}, "version.yaml:1", id="version"),
        pytest.param({"models/toy/staging/evidence/evidence.json": b"{}"}, "validation error", id="evidence"),
    ],
)
def test_documents_that_cannot_be_read(broken: dict[str, bytes], reason: str) -> None:
    """A request whose files are broken is red, not a traceback."""
    found = red({**proposed(), **broken}, main())
    assert list(found) == ["documents"]
    assert reason in found["documents"]


def test_documents_that_are_not_there() -> None:
    """A request without evidence is red."""
    files = proposed()
    del files["models/toy/staging/evidence/evidence.json"]
    assert red(files, main()) == {
        "documents": "version.yaml or evidence.json cannot be used: models/toy/staging/evidence/evidence.json is missing"
    }


def test_only_judgement_can_be_overruled() -> None:
    """What ties a request to one model is final; what a reviewer may weigh is not."""
    final = {check.name: check.final for check in merge_checks.checks(SUBJECT, proposed(), main())}
    assert final == {
        "documents": True,
        "verdict": True,
        "provenance": True,
        "newer": False,
        "champion": False,
        "policy": False,
        "rejected": False,
    }


def test_a_broken_main_is_said() -> None:
    """Where main's own version file cannot be read, nothing is decided."""
    with pytest.raises(errors.Misconfigured, match=r"main:models/toy/production/version\.yaml:1"):
        main(version=b"?\n")


STORE = OnlineStore(uri="s3://store/online/", digest=OTHER)
IMAGE = f"registry/serve@{OTHER}"
NOW = datetime.datetime(2030, 6, 1, tzinfo=datetime.UTC)


def released(**changes: Any) -> Release:
    """The release that the signature vouches for."""
    values = {
        "model": "toy",
        "model_digest": MODEL,
        "counter": 4,
        "not_after": NOW + datetime.timedelta(seconds=1),
        "online_store": STORE,
        "image": IMAGE,
    }
    return Release(**(values | changes))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"model": "other"}, "model is other, the signed release says toy", id="model"),
        pytest.param({"version": 99}, "version is 99, the signed release says 4", id="version"),
        pytest.param({"model_digest": OTHER}, "modelDigest is", id="model-digest"),
        pytest.param({"online_store": None}, "onlineStore is none, the signed release says s3://store/", id="no-store"),
        pytest.param({"online_store": STORE.model_copy(update={"digest": MODEL})}, "onlineStore is", id="store"),
        pytest.param(
            {"online_store": STORE.model_copy(update={"uri": "s3://x/"})}, "onlineStore is s3://x/", id="address"
        ),
        pytest.param({"image": None}, f"image is none, the signed release says {IMAGE}", id="no-image"),
        pytest.param({"image": f"mallory/serve@{OTHER}"}, "image is mallory/serve", id="image"),
    ],
)
def test_every_field_is_held_against_the_release(changes: dict[str, Any], said: str) -> None:
    """What version.yaml says and the signed release does not is refused by its name, and nobody can overrule it."""
    agreed = version(online_store=STORE, image=IMAGE)
    assert merge_checks.of_release(agreed, released(), legacy=False).passed
    check = merge_checks.of_release(agreed.model_copy(update=changes), released(), legacy=False)
    assert (check.passed, check.final) == (False, True)
    assert said in check.reason


def test_a_release_of_before_stores_were_named() -> None:
    """It does for going back to what main had, and for nothing new; what it does name still has to agree."""
    old, asked = released(online_store=None, image=None), version(online_store=STORE)
    assert merge_checks.of_release(asked, old, legacy=True).passed
    assert not merge_checks.of_release(asked, old, legacy=False).passed
    assert not merge_checks.of_release(version(online_store=STORE, image=IMAGE), old, legacy=True).passed
    assert not merge_checks.of_release(version(online_store=STORE, version=9), old, legacy=True).passed


def test_the_term_of_a_release() -> None:
    """The last moment counts; for going back a reviewer may overrule it."""
    assert merge_checks.of_term(released(), NOW, final=True).passed
    check = merge_checks.of_term(released(not_after=NOW), NOW, final=False)
    assert (check.passed, check.final) == (False, False)
    assert "expired at 2030-06-01 00:00 UTC" in check.reason


@pytest.mark.parametrize(
    ("environment", "before", "passed"),
    [
        pytest.param("staging", None, [], id="the-first"),
        pytest.param("production", version(), [True], id="served-before"),
        pytest.param("production", version(model_digest=OTHER), [False], id="another"),
        pytest.param("production", None, [False], id="none"),
    ],
)
def test_the_order_of_environments(environment: str, before: release.Version | None, passed: list[bool]) -> None:
    """Production takes the model that staging serves now; a reviewer may overrule it."""
    found = merge_checks.of_order(SUBJECT.model_copy(update={"environment": environment}), before)
    assert [check.passed for check in found] == passed
    assert not any(check.final for check in found)


def test_a_text_is_held_against_its_commit() -> None:
    """Each field that disagrees is named, with both sides."""
    assert merge_checks.of_subject(SUBJECT, SUBJECT).passed
    check = merge_checks.of_subject(SUBJECT.model_copy(update={"version": 9, "environment": "production"}), SUBJECT)
    assert (check.passed, check.final) == (False, True)
    assert "environment: its text says production, its commit staging" in check.reason
    assert "version: its text says 9, its commit 4" in check.reason


LIVE = version(version=5, model_digest=OTHER)
NOTE = environment_layout.rejected_path("toy", OTHER)
WAY_BACK = SUBJECT.model_copy(update={"reverts": OTHER})
HAD = proposed()


@pytest.mark.parametrize(
    ("files", "live", "earlier", "red"),
    [
        pytest.param({**HAD, NOTE: b"errors\n"}, LIVE, HAD, [], id="what-main-had"),
        pytest.param(HAD, LIVE, HAD, ["documents"], id="no-note"),
        pytest.param({**HAD, NOTE: b"errors\n", "x": b""}, LIVE, HAD, ["documents"], id="one-file-more"),
        pytest.param({NOTE: b"errors\n"}, LIVE, {}, ["documents"], id="main-had-nothing"),
        pytest.param({**HAD, NOTE: b"errors\n"}, version(model_digest=CHAMPION), HAD, ["served"], id="overtaken"),
        pytest.param({**HAD, NOTE: b"errors\n"}, None, HAD, ["served"], id="nothing-is-served"),
    ],
)
def test_a_revert_puts_back_what_main_had(
    files: dict[str, bytes], live: release.Version | None, earlier: dict[str, bytes], red: list[str]
) -> None:
    """Byte for byte, with the reason, and only while main names what is taken out; nobody can overrule either."""
    found = merge_checks.of_revert(WAY_BACK, files, live, earlier)
    assert [check.name for check in found if not check.passed] == red
    assert [(check.name, check.final) for check in found] == [("documents", True), ("served", True)]


def test_what_is_looked_at_outside_the_files() -> None:
    """Each check by its name; that nobody can overrule it counts where it is red, and is said where it is green."""
    claimed = SUBJECT.model_copy(update={"version": 5})
    found = [
        merge_checks.without_subject("no promotion"),
        merge_checks.of_subject(SUBJECT, SUBJECT),
        merge_checks.of_subject(claimed, SUBJECT),
        merge_checks.of_release(version(), released(), legacy=False),
        merge_checks.of_term(released(), NOW, final=True),
        *merge_checks.checks(SUBJECT, {}, main()),
    ]
    assert [(check.name, check.passed, check.final) for check in found] == [
        ("subject", False, True),
        ("subject", True, True),
        ("subject", False, True),
        ("release", False, True),
        ("term", True, True),
        ("documents", False, True),
    ]


def test_the_version_of_production_itself_is_not_older() -> None:
    """A request that names the same number, as the one for production does after staging's, goes on."""
    same = main(version=version(version=4, model_digest=CHAMPION).yaml().encode())
    assert red(proposed(), same) == {}


@pytest.mark.parametrize(
    ("last", "said"),
    [
        pytest.param(5, {"newer": "version 4, production had, before the model was retired, 5"}, id="older"),
        pytest.param(3, {}, id="newer"),
    ],
)
def test_a_model_that_was_retired_comes_back_newer(last: int, said: dict[str, str]) -> None:
    """The first release of a model was compared with none; signed as it is, it must not take the place of a retired one of later."""
    note = f"# Retired from production, 2026-01-02, by ada: sold\n{version(version=last, model_digest=OTHER).yaml()}"
    state = main(version=None, retired=note.encode())
    first = evidence(champion=ChampionRef(model="toy", policy_digest=sha256(POLICY)))
    found = red(proposed(version(evidence_digest=first.content_digest()), first), state)
    assert {name: why.partition(";")[0] for name, why in found.items()} == said


def test_what_it_was_compared_with_is_named() -> None:
    """By the twelve digits that people compare, the model's then and the one's of now."""
    said = red(proposed(), OTHER_MAIN)["champion"]
    then, now = (digest.removeprefix("sha256:")[:12] for digest in (CHAMPION, OTHER))
    assert said == f"it was compared with {then}, but production has {now} by now"


def test_what_main_serves_is_held_against_its_release() -> None:
    """As at the merge, a store that no release names is a problem of version.yaml; evidence that cannot be read is one of its own."""
    old = released(online_store=None, image=None).model_dump_json().encode()
    files = promotion_requests.files(
        SUBJECT, version(online_store=STORE).yaml(), {"evidence.json": b"{}", "release.json": old}
    ) | {"models/toy/staging/version.yaml": version(online_store=STORE, evidence_digest=sha256(b"{}")).yaml().encode()}
    found = {one.path: one.said for one in environment_repo.problems(files)}
    assert found["models/toy/staging/version.yaml"].startswith("onlineStore is s3://store/online/")
    assert found["models/toy/staging/evidence/evidence.json"].startswith("cannot be read: ")


@pytest.mark.parametrize(
    ("changes", "passed"),
    [
        pytest.param({}, None, id="no-cause"),
        pytest.param({"cause": Cause(kind="new data")}, None, id="another-cause"),
        pytest.param({"cause": Cause(kind="drift")}, False, id="held-against-nothing"),
        pytest.param({"cause": Cause(kind="drift"), "recent": recent("not-inferior")}, False, id="not-worse"),
        pytest.param({"cause": Cause(kind="performance"), "recent": recent("better")}, True, id="better"),
    ],
)
def test_a_retraining_for_drift_is_merged_only_if_it_is_better(changes: dict[str, Any], passed: bool | None) -> None:
    """Whatever made the evidence say `promote`; and no reviewer overrules it."""
    found = merge_checks.checks(SUBJECT, proposed(beside=evidence(**changes)), main())
    checks = [(check.passed, check.final) for check in found if check.name == "cause"]
    assert checks == ([] if passed is None else [(passed, True)])


def test_evidence_of_an_earlier_moment_is_never_merged() -> None:
    """Its verdict may be promote; it stood beside no champion, and whoever builds such a request by hand gets no further."""
    old = evidence(as_of=datetime.datetime(2026, 1, 31, tzinfo=datetime.UTC))
    given = version(evidence_digest=old.content_digest())
    files = promotion_requests.files(SUBJECT, given.yaml(), {"evidence.json": old.canonical_json().encode()})
    found = {check.name: check for check in merge_checks.checks(SUBJECT, files, main())}
    assert (found["verdict"].passed, found["verdict"].final) == (False, True)
    assert "evaluated as of 2026-01-31" in found["verdict"].reason


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param(b"model: toy\noverrides: [{gate: auc}]\n", "main:policies/overrides/toy.yaml", id="broken"),
        pytest.param(b"model: other\noverrides: []\n", "it overrides gates of 'other'", id="of-another-model"),
    ],
)
def test_overrides_that_nobody_understands(text: bytes, why: str) -> None:
    """They are the matter of whoever goes by one: that request is red and says where, one that needs none is as it was."""
    state, today = main(overrides=text), datetime.date(2026, 1, 1)
    assert red(proposed(), state) == {}
    assert merge_checks.of_overrides(evidence(), state, today) == []
    word = Override(gate="performance.auc", reason="a trial", by="ann", expires=today)
    gate = GateResult(gate=word.gate, dimension="performance", passed=False, limit=">= 0.8", reason="w", override=word)
    (check,) = merge_checks.of_overrides(evidence(gates=[gate]), state, today)
    assert (check.passed, check.final) == (False, True)
    assert why in check.reason


@pytest.mark.parametrize(
    ("role", "verdict", "passed"),
    [
        pytest.param("candidate", "promote", True, id="a-split-of-what-may-be-promoted"),
        pytest.param("candidate", "reject", False, id="a-split-of-what-may-not"),
        pytest.param("shadow", "reject", True, id="a-shadow-answers-nobody"),
    ],
)
def test_who_answers_entities_needs_a_verdict(role: Literal["shadow", "candidate"], verdict: str, passed: bool) -> None:
    """As who is promoted does, and no reviewer can overrule it; of a shadow the verdict is said."""
    second = SecondFile(
        role=role, percent=10, version=2, model_digest=MODEL, storage_uri="file:///store/", signature="signed"
    )
    check = merge_checks.of_second_evidence(second, evidence(verdict=verdict))
    assert check == merge_checks.Check("evidence", passed, f"the evaluation says {verdict!r}", final=True)


def test_which_model_main_serves() -> None:
    """The very one, and none where production has nothing yet."""
    assert main().serves(CHAMPION)
    assert not main().serves(MODEL)
    assert not dataclasses.replace(main(), champion=None).serves(MODEL)


def test_a_release_that_names_a_store_is_held_to_it() -> None:
    """Also for going back: only one that names none is from before stores were named."""
    other = version(online_store=STORE.model_copy(update={"digest": MODEL}), image=IMAGE)
    assert not merge_checks.of_release(other, released(), legacy=True).passed
    agreed = merge_checks.of_release(version(online_store=STORE, image=IMAGE), released(), legacy=True)
    assert (agreed.passed, agreed.reason) == (True, "version.yaml says what was released as version 4")


def test_each_green_check_says_what_it_found() -> None:
    """People read these before they merge, so none may say what only a red one has to."""
    said = {check.name: check.reason for check in merge_checks.checks(SUBJECT, proposed(), main())}
    assert said["champion"] == f"compared with the model in production, {merge_checks.short(CHAMPION)}"
    assert said["policy"] == "judged by main's policy"
    assert said["rejected"] == "never taken out of service"
    assert said["newer"] == "version 4, production has 3"
    (order,) = merge_checks.of_order(SUBJECT.model_copy(update={"environment": "production"}), version())
    assert order.reason == f"staging serves {merge_checks.short(MODEL)}"
    assert merge_checks.of_term(released(), NOW, final=True).reason == "may be served until 2030-06-01 00:00 UTC"


OVERRIDE = Override(gate="performance.auc", reason="known", by="ada", expires=datetime.date(2030, 6, 1))


def by_override(override: Override = OVERRIDE) -> Evidence:
    """Evidence that goes past one gate by *override*."""
    failed = GateResult(
        gate=override.gate, dimension="performance", passed=False, measured=0.7, limit=">= 0.8", reason="why", override=override
    )  # fmt: skip
    return evidence(gates=[failed])


@pytest.mark.parametrize(
    ("known", "used", "today", "said"),
    [
        pytest.param([OVERRIDE], OVERRIDE, OVERRIDE.expires, None, id="main-has-it"),
        pytest.param([], OVERRIDE, OVERRIDE.expires, "that main has no more", id="taken-back"),
        pytest.param(
            [OVERRIDE.model_copy(update={"reason": "another"})], OVERRIDE, OVERRIDE.expires, "has no more", id="other-words"
        ),
        pytest.param([OVERRIDE], OVERRIDE, datetime.date(2030, 6, 2), "ran out on 2030-06-01", id="ran-out"),
        pytest.param(
            [OVERRIDE.model_copy(update={"model_digest": OTHER})],
            OVERRIDE.model_copy(update={"model_digest": OTHER}),
            OVERRIDE.expires,
            "is for another model",
            id="of-another-model",
        ),
        pytest.param(
            [OVERRIDE.model_copy(update={"model_digest": MODEL})],
            OVERRIDE.model_copy(update={"model_digest": MODEL}),
            OVERRIDE.expires,
            None,
            id="of-this-model",
        ),
    ],
)  # fmt: skip
def test_an_override_counts_while_main_has_it(
    known: list[Override], used: Override, today: datetime.date, said: str | None
) -> None:
    """Word for word, for this model and until its last day; what does not count cannot be overruled, and says how to go on."""
    files, state = proposed(beside=by_override(used)), dataclasses.replace(main(), overrides=known)
    (check,) = merge_checks.of_dated(SUBJECT, files, state, today)
    assert (check.name, check.passed, check.final) == ("overrides", said is None, True)
    if said is None:
        assert check.reason == "performance.auc overridden until 2030-06-01 by ada: known"
    else:
        assert said in check.reason
        assert "renew it in policies/overrides/toy.yaml, and run the pipeline again" in check.reason


def test_a_verdict_is_held_against_its_gates() -> None:
    """Evidence that says promote beside a gate that failed is no evaluation of ours, whoever signed it; a deviation or override is one."""
    failed = by_override().gates[0].model_copy(update={"override": None})
    said = red(proposed(beside=(forged := evidence(gates=[failed]))), main())
    assert said == {"verdict": "the evaluation says 'promote', and performance.auc failed"}
    for let_past in ({"override": OVERRIDE}, {"deviation": True}, {"passed": True}):
        allowed = forged.model_copy(update={"gates": [failed.model_copy(update=let_past)]})
        assert "verdict" not in red(proposed(beside=allowed), main())


def test_overrides_are_asked_where_there_are_some() -> None:
    """Evidence that goes by none has no such check, nor has a request whose documents cannot be read: those are red already."""
    broken = {"models/toy/staging/evidence/evidence.json": b"{}"}
    gone = {path: content for path, content in proposed().items() if not path.endswith("evidence.json")}
    unread = {**proposed(), "models/toy/staging/version.yaml": b"model: [\n"}
    for files in (proposed(), {**proposed(), **broken}, gone, unread):
        assert merge_checks.of_dated(SUBJECT, files, main(), NOW.date()) == []
    fault = dataclasses.replace(main(), overrides=[OVERRIDE], overrides_fault="cannot be read")
    (check,) = merge_checks.of_dated(SUBJECT, proposed(beside=by_override()), fault, NOW.date())
    assert (check.passed, check.final, check.reason) == (False, True, "cannot be read")


def test_what_ended_unmerged_is_merged_no_more() -> None:
    """Its state is a check of its own, which says why it ended, and nobody overrules it."""
    one = promotion_requests.Request(
        number=1, subject=SUBJECT, branch="b", title="t", head="h", url="u", author="a", opened_at="then"
    )
    assert merge_checks.of_state(one) == []
    ended = one.model_copy(update={"state": promotion_requests.State.CLOSED, "reason": "too early"})
    (check,) = merge_checks.of_state(ended)
    assert (check.passed, check.final, check.reason) == (False, True, "it is closed: too early")


def test_the_release_beside_a_version_is_that_version_s() -> None:
    """By every field, and by the address under which its bundle lies; whatever is not is named with its place."""
    content = released(online_store=None, image=None).model_dump_json().encode()
    named = f"s3://store/toy/{sha256(content).removeprefix('sha256:')[:12]}-{'0' * 64}/"
    assert merge_checks.named_release(version(storage_uri=named), content, "here").counter == 4
    refused = {
        "and no release is that long": (version(), b" " * (merge_checks.LONGEST_RELEASE + 1)),
        "here cannot be read": (version(), b"{}"),
        "here is of another version: version is 9": (version(version=9), content),
        "here is not the release that lies at": (
            version(storage_uri=f"s3://store/toy/{'1' * 12}-{'0' * 64}/"),
            content,
        ),
    }
    for said, (of, given) in refused.items():
        with pytest.raises(errors.Misconfigured, match=said):
            merge_checks.named_release(of, given, "here")


def test_online_features_are_there_or_the_request_is_red() -> None:
    """Servers would not start without them; a version that has none needs none."""
    assert merge_checks.of_features(version(), there=False) == []
    (there,) = merge_checks.of_features(version(online_store=STORE), there=True)
    assert (there.passed, there.reason) == (True, "its online features are in the model store")
    (gone,) = merge_checks.of_features(version(online_store=STORE), there=False)
    assert (gone.passed, gone.final) == (False, True)
    assert gone.reason == (
        f"its online features {STORE.uri} are not in the model store any more, so that its servers would not start; {merge_checks.ANEW}"
    )


def told(checks: Iterable[merge_checks.Check]) -> list[tuple[str, bool, bool]]:
    """Name, answer and whether it is final, of each."""
    return [(check.name, check.passed, check.final) for check in checks]


@pytest.mark.parametrize(("oldest", "passed"), [(None, None), (3, True), (4, True), (5, False)])
def test_what_servers_refuse_is_not_merged(oldest: int | None, passed: bool | None) -> None:
    """Nothing older than the values say; without a bound there is no such check."""
    checks = merge_checks.of_minimum("toy", 4, oldest)
    assert told(checks) == ([] if passed is None else [("minimum", passed, True)])
    assert all(check.reason.endswith(", not 4") is not passed for check in checks)


@pytest.mark.parametrize(
    ("retired", "live", "needed", "red"),
    [
        pytest.param(version(), version(), [], [], id="what-main-names"),
        pytest.param(version(image=IMAGE), version(), [], ["documents"], id="another-field"),
        pytest.param(None, version(), [], ["documents"], id="nothing-said"),
        pytest.param(version(), version(model_digest=OTHER), [], ["served", "documents"], id="another-by-now"),
        pytest.param(None, None, [], ["served", "documents"], id="nothing-there"),
        pytest.param(version(), version(), [7, 8], ["needed"], id="needed"),
    ],
)
def test_what_a_retirement_says(
    retired: release.Version | None, live: release.Version | None, needed: list[int], red: list[str]
) -> None:
    """Exactly what main names goes; whether an open request needs it is the reviewer's to weigh, the rest is final."""
    found = merge_checks.of_retirement(SUBJECT, retired, live, needed)
    assert [check.name for check in found if not check.passed] == red
    assert [(check.name, check.final) for check in found] == [("served", True), ("documents", True), ("needed", False)]
    assert ("#7, #8" in found[-1].reason) is bool(needed)


SIGNED = min(environment_layout.SIGNATURES)


def test_a_renewal_changes_signatures_alone() -> None:
    """Of one place; any other file, more or less, or a main that serves nothing, makes it red for good."""
    folder = environment_layout.evidence_folder("toy", "staging")
    live = {
        "models/toy/staging/version.yaml": b"v",
        f"{folder}/evidence.json": b"e",
        f"{folder}/{SIGNED}": b"s",
    }
    signed = {path: (b"t" if path.endswith(SIGNED) else text) for path, text in live.items()}
    assert told(merge_checks.of_renewal(SUBJECT, signed, live)) == [("documents", True, True)]
    for files, main_has in (
        (signed | {"x": b""}, live),
        ({}, live),
        (live | {f"{folder}/evidence.json": b"f"}, live),
        ({}, {}),
    ):
        assert told(merge_checks.of_renewal(SUBJECT, files, main_has)) == [("documents", False, True)]


SHADOW = SecondFile(
    role="shadow", percent=10, version=2, model_digest=MODEL, storage_uri="file:///s/", signature="signed"
)
BESIDE = SUBJECT.model_copy(update={"champion_digest": CHAMPION, "tries": "shadow"})


@pytest.mark.parametrize(
    ("live", "rejected", "red", "final"),
    [
        pytest.param(version(model_digest=CHAMPION), None, [], [False, True, True], id="beside-what-is-served"),
        pytest.param(version(model_digest=OTHER), None, ["served"], [False, True, True], id="beside-another-by-now"),
        pytest.param(None, None, ["served"], [True, True, True], id="beside-nothing"),
        pytest.param(version(), None, ["served", "another"], [False, True, True], id="served-already"),
        pytest.param(version(model_digest=CHAMPION), "errors", ["rejected"], [False, True, True], id="taken-out"),
    ],
)
def test_beside_what_a_second_version_stands(
    live: release.Version | None, rejected: str | None, red: list[str], final: list[bool]
) -> None:
    """The version that it was to stand beside, another model, and none that was taken out of service."""
    found = merge_checks.of_experiment(BESIDE, SHADOW, live, rejected)
    assert [check.name for check in found if not check.passed] == red
    assert [check.final for check in found] == final


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({}, "", id="as-released"),
        pytest.param({"model": "other"}, "model is toy, the signed release says other", id="model"),
        pytest.param({"counter": 5}, "version is 2, the signed release says 5", id="version"),
        pytest.param({"model_digest": OTHER}, "modelDigest is", id="digest"),
    ],
)
def test_a_second_version_is_held_against_its_release(changes: dict[str, Any], said: str) -> None:
    """In every field that says which one it is."""
    check = merge_checks.of_second_release("toy", SHADOW, released(**{"counter": 2, **changes}))
    assert told([check]) == [("release", not said, True)]
    assert said in check.reason


def test_each_answer_is_worded_as_it_is() -> None:
    """A red one says what is wrong and a green one does not; what ended without a reason says so."""
    (agree, *_) = merge_checks.checks(SUBJECT, proposed(), main())
    assert agree.reason == "version and evidence are of one model"
    assert told([merge_checks.of_likeness(""), merge_checks.of_likeness("no")]) == [
        ("schema", True, True),
        ("schema", False, True),
    ]
    assert told(merge_checks.of_experiments_end(there=False)) == [("tried", False, True)]
    request = promotion_requests.Request(
        number=1,
        subject=SUBJECT,
        branch="b",
        title="t",
        head="h",
        url="u",
        author="a",
        opened_at="t",
        state=promotion_requests.State.CLOSED,
    )
    assert [check.reason for check in merge_checks.of_state(request)] == ["it is closed: no reason given"]
    assert [check.name for check in merge_checks.of_features(version(online_store=STORE), there=True)] == ["features"]
    whole = b" " * merge_checks.LONGEST_RELEASE
    with pytest.raises(errors.Misconfigured, match="cannot be read"):
        merge_checks.named_release(version(), whole, "here")


def test_a_digest_in_each_place_counts() -> None:
    """The request's, the version's and the evidence's are one, or it is red."""
    for subject, given, beside in (
        (SUBJECT.model_copy(update={"model_digest": OTHER}), version(), evidence()),
        (SUBJECT, version(model_digest=OTHER), evidence()),
        (SUBJECT, version(evidence_digest=evidence(model_digest=OTHER).content_digest()), evidence(model_digest=OTHER)),
    ):
        (documents, *_) = merge_checks.checks(subject, proposed(given, beside), main())
        assert (documents.passed, documents.reason.endswith("disagree about the model's digest")) == (False, True)
