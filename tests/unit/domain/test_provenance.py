"""What is said of where a run comes from, and what is in doubt where it is not said."""

import pytest

from argosy import errors
from argosy.domain.provenance import Provenance
from kit import toy

PINNED = "registry/argosy/train@sha256:" + "a" * 64


def test_what_is_whole_is_not_in_doubt() -> None:
    """A clean commit, with images by digest or processes of known code."""
    assert toy.CLEAN.doubts() == []
    assert toy.CLEAN.model_copy(update={"code": None, "images": {"train": PINNED}}).doubts() == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param({"commit": "unknown"}, "the commit is unknown", id="no-commit"),
        pytest.param({"tree": "unknown"}, "nobody looked", id="no-look"),
        pytest.param({"tree": "sha256:" + "b" * 64}, "not those of the commit", id="dirty"),
        pytest.param({"images": {"train": "argosy/train:dev"}}, "step train ran in argosy/train:dev", id="dev"),
        pytest.param({"images": {"train": "a@sha256:12"}}, "which is no digest", id="half-a-digest"),
        pytest.param({"code": None}, "the code that the steps ran is unknown", id="no-code"),
    ],
)
def test_each_gap_is_said(change: dict[str, object], told: str) -> None:
    """One sentence each; nothing else is in doubt."""
    (doubt,) = toy.CLEAN.model_copy(update=change).doubts()
    assert told in doubt


def test_it_travels_as_text() -> None:
    """The parameter holds all of it, in one line that no controller takes for an expression; nothing says nothing."""
    full = toy.CLEAN.model_copy(update={"images": {"train": PINNED, "ingest": PINNED}})
    text = full.text()
    assert Provenance.from_text(text) == full
    assert "\n" not in text
    assert "{{" not in text
    assert Provenance.from_text("") == Provenance()


@pytest.mark.parametrize("text", ["main", '{"commit": "main"}', '{"tree": "dirty"}', '{"who": "me"}', "[]"])
def test_something_else_is_refused(text: str) -> None:
    """A branch is no commit, and "dirty" says not what was there."""
    with pytest.raises(errors.Misconfigured, match=r"argosy compile --stamp"):
        Provenance.from_text(text)


def test_the_registry_is_told_every_image() -> None:
    """By step, with the commit where MLflow looks for it."""
    tags = toy.CLEAN.model_copy(update={"images": {"train": PINNED}}).tags()
    assert tags["image.train"] == PINNED
    assert tags["mlflow.source.git.commit"] == tags["git_commit"] == "0" * 40
    assert tags["tree"] == "clean"


def test_what_a_registry_and_people_read() -> None:
    """The commit, marked where files differ; every part by its name, the same image of several steps once."""
    dirty = "sha256:" + "b" * 64
    run = toy.CLEAN.model_copy(
        update={"tree": dirty, "manifest": "m", "images": {"b": PINNED, "a": PINNED}, "code": "c"}
    )
    assert [one.code_version for one in (run, toy.CLEAN, Provenance())] == ["0" * 40 + "-dirty", "0" * 40, "unknown"]
    tags = run.tags()
    assert (tags["tree"], tags["manifest_digest"], tags["code_digest"]) == (dirty, "m", "c")
    assert "code_digest" not in run.model_copy(update={"code": None}).tags()
    assert run.rows() == [
        ["commit", "0" * 40],
        ["files", f"not those of the commit: {dirty}"],
        ["manifest", "m"],
        ["image of a, b", PINNED],
        ["code of the steps", "c"],
    ]
    assert toy.CLEAN.model_copy(update={"code": None}).rows()[1:] == [
        ["files", "those of the commit"],
        ["manifest", toy.CLEAN.manifest],
    ]
    assert Provenance().rows()[1] == ["files", "unknown"]


def test_doubts_of_images_are_in_order_and_whole() -> None:
    """By step; what stands behind a digest makes it another name."""
    told = toy.CLEAN.model_copy(update={"images": {"b": "x:1", "a": f"{PINNED}0"}}).doubts()
    assert [one.split()[1] for one in told] == ["a", "b"]
    for change in ({"commit": "a" * 41}, {"commit": "a" * 39}, {"tree": "clean!"}, {"tree": "sha256:" + "b" * 63}):
        with pytest.raises(errors.Misconfigured):
            Provenance.from_text(toy.CLEAN.model_copy(update=change).text())
