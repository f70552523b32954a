"""The demonstration as far as it needs no cluster: its steps, who may begin it where, and what is refused in one line."""

import json
from pathlib import Path
from typing import Any

import pytest

from argosy import errors
from argosy_kind import customers, demo, install, pipelines, services, site, story, up, ways
from argosy_kind.demo import STEPS, Step
from argosy_kind.kube import Kubectl
from argosy_kind.ledger import Ledger
from argosy_kind.pins import Pins
from argosy_kind.site import Choices, Site
from argosy_kind.story import Story
from kind_cluster.conftest import FakeCluster

DIGEST = "sha256:" + "d" * 64


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our images, as if `make images` had built them."""
    lock = tmp_path / "images.lock"
    lock.write_text(
        json.dumps({"repository": "argosy", "images": {"serve": {"digest": DIGEST}, "promote": {"digest": DIGEST}}})
    )
    monkeypatch.setattr(services, "LOCK", lock)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered lies in the test's folder."""
    monkeypatch.setattr(demo, "FOLDER", tmp_path / "demo")
    monkeypatch.setattr(demo, "LEDGER", tmp_path / "demo.json")


def installed(cluster: FakeCluster) -> None:
    """Have the parts be there."""
    cluster.answers(f"get secret {site.CREDENTIALS}", {"data": {}})
    cluster.answers("get configmap argosy-endpoints", {"data": {}})


def test_steps_have_names_of_their_own() -> None:
    """By which each can be done again."""
    names = [step.name for step in STEPS]
    assert names == ["train", "staging", "production", "usual", "drift", "retraining", "canary"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--from", "drfit"], "there is no step drfit; there are train, staging, ", id="no-step"),
        pytest.param(["--settings", "/nowhere.yaml"], "--settings /nowhere.yaml: No such file", id="no-settings"),
    ],
)
def test_wrong_words(
    words: list[str], said: str, fake_cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line each."""
    assert demo.main(words) == errors.UsageError.exit_code
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_nothing_is_installed(fake_cluster: FakeCluster, capsys: pytest.CaptureFixture[str]) -> None:
    """The next command is named."""
    assert demo.main([]) == errors.Misconfigured.exit_code
    assert (
        "somewhere has none of the parts, or not all; `make kind-up` or `make kind-install`" in capsys.readouterr().err
    )


def test_a_cluster_that_nobody_marked(fake_cluster: FakeCluster, capsys: pytest.CaptureFixture[str]) -> None:
    """Has to be named here, too."""
    fake_cluster.answers("get namespace kube-system", {"metadata": {"labels": {}}})
    assert demo.main([]) == errors.UsageError.exit_code
    assert "say so: --context somewhere" in capsys.readouterr().err


def test_a_story_that_was_told(fake_cluster: FakeCluster, capsys: pytest.CaptureFixture[str]) -> None:
    """Its model would never be proposed twice."""
    installed(fake_cluster)
    fake_cluster.answers("get rollout churn", {"status": {}})
    assert demo.main([]) == errors.UsageError.exit_code
    assert "staging serves churn already; go on with --from drift" in capsys.readouterr().err


def test_a_story_from_its_beginning(
    fake_cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every step in order, each in the ledger, and how long the way to the first model was."""
    told: list[str] = []
    monkeypatch.setattr(
        demo, "STEPS", [Step(name, "…", lambda *_, name=name: told.append(name)) for name in ("train", "staging")]
    )
    monkeypatch.setattr(demo, "Ledger", lambda file: Ledger(file, clock=lambda: float(len(told) * 60)))
    monkeypatch.setattr(up, "LEDGER", Path("/nowhere"))
    monkeypatch.setattr(install, "LEDGER", Path("/nowhere"))
    installed(fake_cluster)
    assert demo.main([]) == 0
    assert told == ["train", "staging"]
    assert "first model served after 2 min" in capsys.readouterr().out


def test_a_story_that_was_not_begun(fake_cluster: FakeCluster, capsys: pytest.CaptureFixture[str]) -> None:
    """Cannot go on."""
    installed(fake_cluster)
    assert demo.main(["--from", "drift"]) == errors.UsageError.exit_code
    assert "no demonstration was begun here; leave --from away" in capsys.readouterr().err


def test_a_step_that_fails_names_the_command_that_goes_on(tmp_path: Path) -> None:
    """With the kind of failure that it was."""

    def fails(_story: Story, _by_hand: bool) -> None:
        raise errors.Rejected("the canary was given up")

    at = Site(Kubectl(""), Pins.read(), Choices(), Ledger(tmp_path / "ledger.json"))
    with pytest.raises(
        errors.Rejected, match=r"canary: the canary was given up; once .* make kind-demo ARGUMENTS='--from canary'"
    ):
        demo.tell(Story(at, tmp_path), [Step("canary", "a canary", fails)], by_hand=False)
    assert at.ledger.lines[0]["outcome"] == "failed"


def test_the_way_to_the_first_model_is_told(tmp_path: Path) -> None:
    """With the newest ledger of what made the cluster; nothing is made up where the story did not begin at its beginning."""
    told, made = Ledger(tmp_path / "demo.json"), Ledger(tmp_path / "up.json")
    assert demo.first_served(told, (made.file,)) == ""
    made.add("cluster", "done", 60)
    for part in ("train", "staging", "production"):
        told.add(part, "done", 120)
    assert demo.first_served(told, (tmp_path / "none.json", made.file)).startswith(
        "first model served after 5 min: 60 s for"
    )


@pytest.mark.usefixtures("built")
def test_callers_fit_their_namespace() -> None:
    """The profile restricted, though nobody enforces it there."""
    pod = story.caller("argosy-staging", "IfNotPresent")
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert container["image"] == f"docker.io/argosy/serve@{DIGEST}"
    (key,) = (one for one in container["env"] if one["name"] == "KEY")
    assert key["valueFrom"]["secretKeyRef"]["name"] == pipelines.CALLERS


@pytest.mark.usefixtures("built")
def test_whoever_is_here_gets_a_key_that_signs_nothing(tmp_path: Path) -> None:
    """The public half is what a reviewer checks with."""
    held: dict[str, str] = {
        **dict.fromkeys(("objects-access-key", "objects-secret-key", "token"), "x"),
        site.VERIFYING: "public",
    }
    found = ways.settings(
        {**held, site.SIGNING: "private"},
        "token",
        dict.fromkeys(("gitea", "mlflow", "objects"), "x:1"),
        tmp_path / "key",
    )
    assert (tmp_path / "key").read_text(encoding="utf-8") == "public"
    assert "private" not in found.values()


def test_customers_who_changed_are_others(tmp_path: Path) -> None:
    """The same each time, and each with a time at which they were known."""
    customers.write_customers(tmp_path / "usual.csv", changed=False)
    customers.write_customers(tmp_path / "changed.csv", changed=True)
    customers.write_customers(tmp_path / "again.csv", changed=True)
    texts = [
        (tmp_path / f"{name}.csv").read_text(encoding="utf-8").splitlines() for name in ("usual", "changed", "again")
    ]
    assert texts[1] == texts[2]
    assert texts[1][: len(texts[0])] == texts[0]
    assert len(texts[1]) == len(texts[0]) + 3000
    assert customers.TIME in texts[0][0].split(",")


def test_what_a_step_said() -> None:
    """Output parameters, by the template that made them."""
    nodes: dict[str, Any] = {
        "a": {"templateName": "retrain-admission", "outputs": {"parameters": [{"name": "admitted", "value": "true"}]}},
        "b": {"templateName": "train", "outputs": {"parameters": [{"name": "admitted", "value": "no"}]}},
        "c": {"templateName": "retrain-admission"},
    }
    assert story.values_of({"status": {"nodes": nodes}}, "retrain-admission") == {"admitted": "true"}
