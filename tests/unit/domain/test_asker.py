"""Who asked for a run: by Argo's creator label first, then by whoever typed the command."""

import pytest

from argosy.domain import asker
from argosy.domain.asker import Asker

CREATOR = "workflows.argoproj.io/creator"


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        pytest.param({f"{CREATOR}-email": "ann.at.example.com", CREATOR: "9f-1"}, "ann@example.com", id="email"),
        pytest.param({f"{CREATOR}-preferred-username": "ann", CREATOR: "9f-1"}, "ann", id="name"),
        pytest.param({CREATOR: "system-serviceaccount-argo-events"}, "system-serviceaccount-argo-events", id="account"),
    ],
)
def test_the_label_comes_first(labels: dict[str, str], name: str) -> None:
    """Argo's server writes it by a token; the parameter is the word of whoever typed the command."""
    found = asker.of_workflow(labels, Asker(name="Mallory", known="git").text())
    assert (found.name, found.known) == (name, "argo")


def test_the_parameter_is_who_typed_it() -> None:
    """Where no server was asked, and nobody where nothing was written down."""
    said = Asker(name="Ann <ann@example.com>", known="git", machine="box")
    assert asker.of_workflow({"app": "x"}, said.text()) == said
    assert asker.of_workflow({}, "").known == "nobody"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Ann", id="no-json"),
        pytest.param('{"name":"Ann","known":"argo"}', id="speaks-for-the-server"),
        pytest.param('{"name":"' + "x" * 201 + '","known":"git"}', id="long"),
        pytest.param('{"known":"nobody","unread":"Ann"}', id="speaks-for-us"),
        pytest.param("\udcff", id="no-utf-8"),
    ],
)
def test_what_was_typed_by_hand_names_nobody(text: str) -> None:
    """Whoever starts a workflow may write what they like into it; it is kept in part, and stops nothing."""
    found = asker.of_workflow({}, text)
    assert (found.name, found.known) == ("", "nobody")
    assert found.unread == text.replace("\udcff", "?")[:200]
    assert Asker.model_validate_json(found.canonical_json()) == found


def test_a_name_is_never_evaluated() -> None:
    """A name is whatever git was told; Argo puts the parameter into texts that it evaluates."""
    said = Asker(name="{{workflow.uid}} $(id) `id` <a@b>", known="git")
    assert not {"{{", "$", "`", "<"} & {
        said.text()[at : at + size] for at in range(len(said.text())) for size in (1, 2)
    }
    assert Asker.from_text(said.text()) == said
