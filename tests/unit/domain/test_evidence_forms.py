"""Evidence of an older and of a newer release: what is not known is left out, what means something else is refused."""

import json
from typing import Any

import pytest

from argosy import errors
from argosy.domain import evidence as evidences
from argosy.domain.evidence import Evidence

OLD: dict[str, Any] = {
    "model": "toy",
    "task": "binary",
    "model_digest": "sha256:m",
    "snapshot_digest": "sha256:s",
    "policy_digest": "sha256:p",
    "champion": {"model": "toy", "policy_digest": "sha256:p"},
    "rows_train": 80,
    "rows_holdout": 20,
    "metrics": {"performance.auc": 0.8},
    "gates": [
        {"gate": "performance.auc", "dimension": "performance", "passed": True, "limit": ">= 0.6", "reason": "w"}
    ],
    "curves": [
        {"title": "t", "dimension": "d", "x_label": "x", "y_label": "y", "series": {"model": [[0.0, 1.0], [1.0, 2.0]]}}
    ],
    "verdict": "promote",
    "explanation": "It was looked at.",
}


def read(given: dict[str, Any]) -> Evidence:
    """As a check reads it."""
    return evidences.parse(json.dumps(given).encode(), "evidence.json")


def newer(form: str) -> dict[str, Any]:
    """What another release might add: to the whole, to a gate, and to the champion."""
    gates = [{**OLD["gates"][0], "owner": "ann"}]
    return {**OLD, "form": form, "carbon": 1.5, "gates": gates, "champion": {**OLD["champion"], "age": 3}}


def test_an_older_form() -> None:
    """It says no form, nor by what sizes it measured."""
    found = read(OLD)
    assert (found.form, found.measuring) == ("1.0", None)


def test_a_newer_form_of_the_same_meaning() -> None:
    """Everything that this release knows is as it would be without the rest."""
    found = read(newer("1.99"))
    assert found.model_copy(update={"form": "1.0"}) == read(OLD)


@pytest.mark.parametrize("form", [evidences.FORM, "1.0"])
def test_unknown_fields_of_a_known_form_are_refused(form: str) -> None:
    """Nobody wrote them but somebody by hand."""
    with pytest.raises(errors.Misconfigured, match="Extra inputs"):
        read(newer(form))


@pytest.mark.parametrize("form", ["2.0", "0.9"])
def test_another_meaning_is_refused(form: str) -> None:
    """With what to do."""
    with pytest.raises(errors.Misconfigured, match=rf"form {form}, and this Argosy reads 1\.x: take the release"):
        read(newer(form))


@pytest.mark.parametrize("form", ["1", "1.x", "", 1.5])
def test_a_form_that_is_none(form: Any) -> None:
    """Is no way round the fields that are known."""
    with pytest.raises(errors.Misconfigured):
        read(newer(form) | {"form": form})


def test_an_override_is_of_its_own_gate() -> None:
    """Else what may be overridden would let past what nobody may."""
    word = {"gate": "performance.f1", "reason": "r", "by": "ann", "expires": "2027-01-01"}
    gate = {**OLD["gates"][0], "passed": False, "override": word}
    with pytest.raises(errors.Misconfigured, match="goes by an override of another gate"):
        read({**OLD, "gates": [gate]})
    own = read({**OLD, "gates": [{**gate, "override": {**word, "gate": "performance.auc"}}]})
    assert [one.gate for one in own.overridden] == ["performance.auc"]


@pytest.mark.parametrize(
    ("commit", "known"),
    [
        ("a" * 40, "a" * 40),
        ("a" * 40 + "-dirty", "a" * 40),
        ("a" * 41, "unknown"),
        ("a" * 39, "unknown"),
        (None, "unknown"),
    ],
)
def test_evidence_that_named_a_commit_and_nothing_else(commit: str | None, known: str) -> None:
    """Its commit is known where it was one; the rest of where it comes from is not."""
    provenance = read({**OLD, "git_commit": commit}).provenance
    assert (provenance.commit, provenance.tree) == (known, "unknown")


@pytest.mark.parametrize("content", [b"[]", b'"x"', b"7", b"null"])
def test_what_is_no_object(content: bytes) -> None:
    """Is refused with its place."""
    with pytest.raises(errors.Misconfigured, match=r"^here cannot be read"):
        evidences.parse(content, "here")
