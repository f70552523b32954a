"""What a change is about, by its paths alone: one model in one environment, rules, or neither."""

import pytest

from argosy import errors
from argosy.domain import changes, environment_layout
from argosy.domain.changes import ChangedFile, Kind, TreeEntry
from argosy.domain.promotion_requests import Subject
from argosy.testing.forge_contract import digest, end_of_experiment, experiment, proposal, revert

VERSION, EVIDENCE = "models/toy/staging/version.yaml", "models/toy/staging/evidence/evidence.json"
NOTE = f"models/toy/rejected/{'a' * 64}.txt"
PROMOTION = [ChangedFile(EVIDENCE, Kind.ADDED), ChangedFile(VERSION, Kind.CHANGED)]
RETIREMENT = [ChangedFile(VERSION, Kind.REMOVED), ChangedFile("models/toy/staging/retired.yaml", Kind.ADDED)]
SECOND = "models/toy/staging/second.yaml"


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param([ChangedFile(SECOND, Kind.ADDED, "120000")], id="link"),
        pytest.param(
            [ChangedFile(SECOND, Kind.ADDED), ChangedFile("policies/toy.yaml", Kind.CHANGED)], id="and-a-rule"
        ),
        pytest.param(
            [ChangedFile(SECOND, Kind.ADDED), ChangedFile(SECOND.replace("staging", "production"), Kind.ADDED)],
            id="two",
        ),
        pytest.param([ChangedFile(SECOND.replace("staging", "testing"), Kind.ADDED)], id="no-environment"),
    ],
)
def test_what_is_no_experiment(changed: list[ChangedFile]) -> None:
    """An experiment is one plain file, alone: whatever else comes with it, people must review and merge."""
    files = {VERSION: proposal("a").files[VERSION], SECOND: experiment("b", beside="a").files[SECOND]}
    with pytest.raises(errors.Rejected, match=r"plain files only|changes no version"):
        changes.subject(changed, files.get)


def test_an_experiment() -> None:
    """Its subject is what the file says, beside the version that the commit has; where the file goes, nothing is tried."""
    proposed = experiment("b", beside="a")
    files = {VERSION: proposal("a").files[VERSION], **proposed.files}
    assert changes.subject([ChangedFile(SECOND, Kind.CHANGED)], files.get) == proposed.subject
    assert changes.subject([ChangedFile(SECOND, Kind.REMOVED)], files.get) == end_of_experiment("a").subject
    with pytest.raises(errors.Rejected, match=r"has no models/toy/staging/version\.yaml"):
        changes.subject([ChangedFile(SECOND, Kind.ADDED)], proposed.files.get)


def test_the_difference_of_two_trees() -> None:
    """Content, mode, what comes and what goes; what stays is not in it."""
    before = {
        "a": TreeEntry("100644", "1"),
        "b": TreeEntry("100644", "2"),
        "c": TreeEntry("120000", "3"),
        "d": TreeEntry("100644", "4"),
    }
    after = {
        "a": TreeEntry("100644", "1"),
        "b": TreeEntry("100755", "2"),
        "d": TreeEntry("100644", "5"),
        "e": TreeEntry("100644", "3"),
    }
    assert changes.difference(before, after) == [
        ChangedFile("b", Kind.CHANGED, "100755"),
        ChangedFile("c", Kind.REMOVED, "120000"),
        ChangedFile("d", Kind.CHANGED),
        ChangedFile("e", Kind.ADDED),
    ]


@pytest.mark.parametrize(
    ("path", "place"),
    [
        pytest.param(VERSION, ("toy", "staging"), id="version"),
        pytest.param("models/toy/production/evidence/a/b.svg", ("toy", "production"), id="evidence"),
        pytest.param("models/toy/staging/evidence", None, id="evidence-that-is-a-file"),
        pytest.param("models/toy/Staging/version.yaml", None, id="upper-case"),
        pytest.param("models/Toy/staging/version.yaml", None, id="upper-case-model"),
        pytest.param("models/toy/staging/version.yaml\n", None, id="line-break"),
        pytest.param("models/toy/staging/version.yaml/x", None, id="version-that-is-a-folder"),
        pytest.param("models/toy/testing/version.yaml", None, id="no-environment"),
        pytest.param("x/models/toy/staging/version.yaml", None, id="below"),
        pytest.param("models/toy/values.yaml", None, id="values"),
    ],
)
def test_where_a_path_belongs(path: str, place: changes.Place | None) -> None:
    """Exactly the names that are read belong to a place; what only looks like one belongs to none."""
    assert changes.place_of(path) == place


@pytest.mark.parametrize(
    ("other", "said"),
    [
        pytest.param(ChangedFile("policies/toy.yaml", Kind.CHANGED), "is a rule, and changed", id="policy"),
        pytest.param(ChangedFile("models/toy/values.yaml", Kind.CHANGED), "is a rule, and changed", id="values"),
        pytest.param(ChangedFile("models/toy/staging/second.yaml", Kind.ADDED), "is a rule, and added", id="second"),
        pytest.param(ChangedFile("CODEOWNERS", Kind.REMOVED), "is a rule, and removed", id="owners"),
        pytest.param(ChangedFile(".github/workflows/x.yaml", Kind.ADDED), "is a rule, and added", id="workflow"),
        pytest.param(ChangedFile("clusters/production/x.yaml", Kind.ADDED), "is a rule", id="cluster"),
        pytest.param(ChangedFile("models/toy/.gitattributes", Kind.ADDED), "is a rule", id="attributes"),
        pytest.param(ChangedFile("notes.md", Kind.ADDED), "is added together with a version", id="anything"),
        pytest.param(
            ChangedFile("models/toy/production/version.yaml", Kind.ADDED),
            "promotes toy in staging beside toy in production",
            id="environment",
        ),
        pytest.param(
            ChangedFile("models/other/staging/version.yaml", Kind.REMOVED),
            "promotes other in staging beside",
            id="removed-elsewhere",
        ),
        pytest.param(
            ChangedFile(f"models/other/rejected/{'a' * 64}.txt", Kind.ADDED),
            "is added together",
            id="another-model-s-note",
        ),
        pytest.param(
            ChangedFile(f"models/toy/rejected/{'b' * 64}.txt", Kind.REMOVED),
            "is removed together",
            id="note-taken-away",
        ),
        pytest.param(
            ChangedFile("models/toy/staging/evidence/x", Kind.ADDED, "120000"), "is a symbolic link", id="link"
        ),
        pytest.param(
            ChangedFile("models/toy/staging/evidence/x", Kind.ADDED, "160000"), "is a submodule", id="submodule"
        ),
        pytest.param(
            ChangedFile("models/toy/staging/evidence/x", Kind.CHANGED, "100755"),
            "is an executable file",
            id="executable",
        ),
    ],
)
def test_what_no_request_may_change(other: ChangedFile, said: str) -> None:
    """It is refused beside a version, with its path, whatever else is right."""
    found = changes.problems([*PROMOTION, other])
    assert any(said in problem.said for problem in found), found
    with pytest.raises(errors.Rejected):
        changes.subject([*PROMOTION, other], lambda path: proposal("a").files[path])


@pytest.mark.parametrize(
    "allowed",
    [
        pytest.param(
            [*PROMOTION, ChangedFile("models/toy/staging/evidence/old.svg", Kind.REMOVED)], id="stale-evidence"
        ),
        pytest.param([*PROMOTION, ChangedFile(NOTE, Kind.ADDED)], id="revert"),
        pytest.param(
            [ChangedFile("policies/toy.yaml", Kind.CHANGED), ChangedFile("CODEOWNERS", Kind.ADDED)], id="rules"
        ),
        pytest.param([ChangedFile(one.path, Kind.REMOVED) for one in PROMOTION], id="gone"),
        pytest.param([*RETIREMENT, ChangedFile(SECOND, Kind.REMOVED)], id="retired-with-its-second"),
    ],
)
def test_what_one_request_may_change(allowed: list[ChangedFile]) -> None:
    """A promotion, a revert, rules alone, a retirement."""
    assert changes.problems(allowed) == []


def test_no_second_version_comes_with_a_retirement() -> None:
    """It may go with the first."""
    found = changes.problems([*RETIREMENT, ChangedFile(SECOND, Kind.ADDED)])
    assert [(one.path, "stands beside a first" in one.said) for one in found] == [(SECOND, True)]


def test_two_notes_are_two_questions() -> None:
    """One request takes one model out of service."""
    notes = [ChangedFile(f"models/toy/rejected/{letter * 64}.txt", Kind.ADDED) for letter in "ab"]
    assert [one.said for one in changes.problems([*PROMOTION, *notes])] == [
        "takes a second model out of service; one request, one model"
    ]


def test_the_version_stays() -> None:
    """Evidence that changes while its version goes is no promotion, and no retirement."""
    changed = [ChangedFile(EVIDENCE, Kind.CHANGED), ChangedFile(VERSION, Kind.REMOVED)]
    assert [one.path for one in changes.problems(changed)] == [VERSION]


EVIDENCE_OF_A = "models/toy/staging/evidence/evidence.json"


def test_the_subject_is_what_the_commit_has() -> None:
    """Every field comes from the files of the commit: a promotion's champion from its evidence, a revert's rival from its note."""
    proposed, back = proposal("a", champion="c"), revert("b", to="a")
    for one in (proposed, back):
        changed = [ChangedFile(path, Kind.ADDED) for path in one.files]
        assert changes.subject(changed, one.files.get) == one.subject
    assert back.subject.reverts == digest("b")
    compared = {**proposal("a", champion="c").files, **back.files, EVIDENCE_OF_A: proposed.files[EVIDENCE_OF_A]}
    again = changes.subject([ChangedFile(path, Kind.ADDED) for path in compared], compared.get)
    assert again.champion_digest is None, "a way back is compared with nobody"


def test_no_version_is_no_subject() -> None:
    """Rules are for people to merge, whatever a request's text says of them."""
    with pytest.raises(errors.Rejected, match=r"changes no version \(CODEOWNERS\).*people must review"):
        changes.subject([ChangedFile("CODEOWNERS", Kind.CHANGED)], lambda _path: None)
    with pytest.raises(errors.Rejected, match=r"changes no version \(nothing\)"):
        changes.subject([], lambda _path: None)


SIGNED = [
    ChangedFile(f"models/toy/staging/evidence/{name}", Kind.CHANGED) for name in sorted(environment_layout.SIGNATURES)
]

MISPLACED = ChangedFile(f"models/toy/staging/{SIGNED[0].path.rpartition('/')[2]}", Kind.CHANGED)


def of(changed: list[ChangedFile]) -> Subject:
    """The subject of a commit that makes *changed* and has all files of one version, of which one says that it is retired."""
    files = {**proposal("a").files, RETIREMENT[1].path: proposal("a").files[VERSION]}
    return changes.subject(changed, files.get)


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        pytest.param(SIGNED, "renewal", id="signatures"),
        pytest.param(SIGNED[:1], "renewal", id="one-signature"),
        pytest.param([*SIGNED, ChangedFile(EVIDENCE, Kind.CHANGED)], "promotion", id="and-evidence"),
        pytest.param([ChangedFile(one.path, Kind.ADDED) for one in SIGNED], "promotion", id="where-there-were-none"),
        pytest.param([ChangedFile(EVIDENCE, Kind.CHANGED)], "promotion", id="evidence-alone"),
        pytest.param([MISPLACED, SIGNED[0]], None, id="elsewhere"),
        pytest.param(RETIREMENT, "retirement", id="retired"),
        pytest.param([ChangedFile(VERSION, Kind.CHANGED), RETIREMENT[1]], None, id="retired-and-served"),
        pytest.param([*RETIREMENT, ChangedFile(EVIDENCE, Kind.REMOVED)], None, id="retired-without-its-evidence"),
        pytest.param([ChangedFile(VERSION, Kind.CHANGED), ChangedFile(RETIREMENT[1].path, Kind.REMOVED)], "promotion", id="back-again"),
        pytest.param([RETIREMENT[0], ChangedFile(RETIREMENT[1].path, Kind.REMOVED), PROMOTION[0]], None, id="neither"),
    ],
)  # fmt: skip
def test_what_kind_of_request_a_commit_makes(changed: list[ChangedFile], kind: str | None) -> None:
    """By its paths and whether they come, change or go; where those do not fit together it is none that may be merged as one."""
    if kind is None:
        with pytest.raises(errors.Rejected):
            of(changed)
    else:
        assert of(changed).kind == kind


def test_problems_come_in_the_order_of_their_paths() -> None:
    """Whatever the order in which a forge lists files, the same is said."""
    others = [ChangedFile(path, Kind.ADDED) for path in ("z", "CODEOWNERS", "m")]
    assert [one.path for one in changes.problems([*others, *PROMOTION])] == ["CODEOWNERS", "m", "z"]
    assert changes.problems([*reversed(PROMOTION), *others]) == changes.problems([*others, *PROMOTION])


def test_what_lies_where() -> None:
    """A file that both change, or one beside it in the same place: a merge of texts would mix them."""
    theirs = [ChangedFile(EVIDENCE, Kind.CHANGED), ChangedFile("models/toy/production/version.yaml", Kind.CHANGED)]
    assert changes.overlap([ChangedFile(VERSION, Kind.CHANGED)], theirs) == [EVIDENCE]
    assert changes.overlap([ChangedFile("notes", Kind.ADDED)], [ChangedFile("other", Kind.ADDED)]) == []
    assert changes.overlap([ChangedFile("notes", Kind.ADDED)], [ChangedFile("notes", Kind.ADDED)]) == ["notes"]


def test_what_a_text_says_otherwise() -> None:
    """Each field by its name, and nothing where they agree."""
    said = proposal("a").subject
    assert changes.disagreements(said, said) == []
    assert changes.disagreements(said, said.model_copy(update={"version": 9, "model": "other"})) == [
        "model: its text says toy, its commit other",
        f"version: its text says {said.version}, its commit 9",
    ]
