"""Which forge an address leads to."""

from pathlib import Path

import pytest

from argosy import errors, wiring
from argosy.adapters.hosted_forge.promotion_pulls import HostedForge
from argosy.adapters.local_forge.forge import LocalForge
from argosy.cli import main, state_folder
from argosy.settings import Settings
from kit import toy


def settings(tmp_path: Path, uri: str, token: str = "") -> Settings:
    """Settings with that address."""
    return Settings.from_environment(
        {
            "ARGOSY_HOME": str(tmp_path),
            "ARGOSY_FORGE_URI": uri,
            "ARGOSY_FORGE_TOKEN": token,
            "ARGOSY_DATA_ROOT": str(tmp_path),
        }
    )


def test_local(tmp_path: Path) -> None:
    """A path of this machine."""
    assert isinstance(wiring.forge(settings(tmp_path, f"local:{tmp_path}/x.git")), LocalForge)


def test_a_slip_in_the_address_makes_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A verb that only asks says what is not there and what to do; what begins work makes one. In a state folder it is made by all."""
    there = tmp_path / "mistyped"
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ARGOSY_FORGE_URI", f"local:{there}")
    here = Settings.from_environment()
    for asks in (["pr", "list"], ["serve", "toy"], ["drift", "toy"], ["env", "adopt-policy", "toy"]):
        assert main.run(asks) in {errors.Misconfigured.exit_code, errors.UsageError.exit_code}
        assert not there.exists(), asks
    with pytest.raises(errors.Misconfigured, match=r"mistyped, where ARGOSY_FORGE_URI leads: mend .*`argosy setup`"):
        wiring.forge(here)
    state_folder.ensure_environment_repo(here)
    assert wiring.forge(here).requests() == []
    monkeypatch.delenv("ARGOSY_FORGE_URI")
    with pytest.raises(errors.Misconfigured, match=r"there is no state folder at .*`argosy setup` makes it"):
        wiring.forge(Settings.from_environment())
    here.home.mkdir()
    assert wiring.forge(Settings.from_environment()).requests() == []


@pytest.mark.parametrize(
    "uri",
    [
        "github:owner/name",
        "github:https://git.example.com/owner/name",
        "gitea:https://git.example.com/owner/name",
        "gitea:https://example.com:3000/below/a/path/owner/name",
        "gitea:http://gitea.gitea.svc:3000/owner/name",
    ],
)
def test_a_repository_of_a_server(tmp_path: Path, uri: str) -> None:
    """Nothing is asked yet."""
    assert isinstance(wiring.forge(settings(tmp_path, uri, "token")), HostedForge)


@pytest.mark.parametrize(
    ("uri", "token", "message"),
    [
        pytest.param(
            "gitea:https://git.example.com/owner/name", "", "ARGOSY_FORGE_TOKEN is empty", id="gitea-no-token"
        ),
        pytest.param("gitea:owner/name", "token", "expected gitea:https://<host>/<owner>/<name>", id="gitea-no-host"),
        pytest.param("gitea:https://a:b@host/owner/name", "token", "names 'https://a:b@host", id="gitea-password"),
        pytest.param("github:owner/name", "", "ARGOSY_FORGE_TOKEN is empty", id="no-token"),
        pytest.param("github:name", "token", "names 'name'", id="no-owner"),
        pytest.param("github:http://plain.example.com/owner/name", "token", "names 'http://plain", id="not-encrypted"),
        pytest.param("gitlab:owner/name", "token", "expected local:<path>, github:", id="unknown"),
    ],
)
def test_addresses_that_lead_nowhere(tmp_path: Path, uri: str, token: str, message: str) -> None:
    """One error that names the setting."""
    with pytest.raises(errors.Misconfigured, match=message):
        wiring.forge(settings(tmp_path, uri, token))


def test_an_app_in_place_of_a_token(tmp_path: Path) -> None:
    """On GitHub; half of it is a setting to mend, and steps that open requests are given both."""
    given = {"ARGOSY_HOME": str(tmp_path), "ARGOSY_FORGE_URI": "github:owner/name", "ARGOSY_FORGE_APP_ID": "12345"}
    with pytest.raises(errors.Misconfigured, match="ARGOSY_FORGE_APP_ID is set and ARGOSY_FORGE_APP_KEY is empty"):
        Settings.from_environment(given)
    app = Settings.from_environment(given | {"ARGOSY_FORGE_APP_KEY": "a key"})
    assert isinstance(wiring.forge(app), HostedForge)
    assert app.secrets()["argosy-forge"] == {"ARGOSY_FORGE_APP_ID": "12345", "ARGOSY_FORGE_APP_KEY": "a key"}
    assert "a key" not in repr(app)


def test_the_template_is_found_from_a_folder_inside(tmp_path: Path) -> None:
    """`argosy` may be called anywhere in a project; a repository of its own in the folder stays out."""
    (tmp_path / "gitops-env" / "policies").mkdir(parents=True)
    (tmp_path / "gitops-env" / "policies" / "toy.yaml").write_bytes(toy.POLICY)
    (tmp_path / "gitops-env" / ".git").mkdir()
    (tmp_path / "gitops-env" / ".git" / "HEAD").write_text("x", encoding="utf-8")
    (tmp_path / "workflows" / "toy").mkdir(parents=True)
    here = Settings.from_environment(
        {"ARGOSY_HOME": str(tmp_path / "home"), "ARGOSY_DATA_ROOT": str(tmp_path / "workflows" / "toy")}
    )
    assert wiring.forge(here, make=True).read("policies/toy.yaml") == toy.POLICY
    assert wiring.forge(here).read(".git/HEAD") is None


def linked(tmp_path: Path) -> Settings:
    """A project whose environment folder is a link, and so is the folder of policies in that; one link leads back up."""
    policies = tmp_path / "rules"
    policies.mkdir()
    (policies / "toy.yaml").write_bytes(toy.POLICY)
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "policies").symlink_to(policies)
    (shared / "again").symlink_to(shared)
    (shared / "gone").symlink_to(tmp_path / "nothing")
    project = tmp_path / "project"
    project.mkdir()
    (project / "gitops-env").symlink_to(shared)
    return Settings.from_environment({"ARGOSY_HOME": str(tmp_path / "home"), "ARGOSY_DATA_ROOT": str(project)})


def test_links_of_the_template_are_followed(tmp_path: Path) -> None:
    """A folder of policies that several projects share is in the environment repo as any other, once."""
    forge = wiring.forge(linked(tmp_path), make=True)
    assert forge.read("policies/toy.yaml") == toy.POLICY
    assert forge.read("again/policies/toy.yaml") is None


def test_policies_that_main_has_otherwise_are_known(tmp_path: Path) -> None:
    """None before there is a repository, none while both are equal, none of a server's repository."""
    here = linked(tmp_path)
    assert wiring.other_policies(here) == []
    wiring.forge(here, make=True)
    assert wiring.other_policies(here) == []
    (tmp_path / "rules" / "toy.yaml").write_text("model: toy  # stricter\n", encoding="utf-8")
    assert wiring.other_policies(here) == ["policies/toy.yaml"]
    assert wiring.other_policies(settings(tmp_path, "github:owner/name", "token")) == []


def test_the_image_that_a_release_names(tmp_path: Path) -> None:
    """By digest, or none; every step is told."""
    by_digest = f"registry.example/serve@sha256:{'0' * 64}"
    given = {"ARGOSY_HOME": str(tmp_path), "ARGOSY_SERVING_IMAGE": by_digest}
    assert Settings.from_environment(given).endpoints()["ARGOSY_SERVING_IMAGE"] == by_digest
    assert "ARGOSY_SERVING_IMAGE" not in Settings.from_environment({"ARGOSY_HOME": str(tmp_path)}).endpoints()
    with pytest.raises(
        errors.Misconfigured, match="ARGOSY_SERVING_IMAGE is 'serve:latest'; expected an image by digest"
    ):
        Settings.from_environment(given | {"ARGOSY_SERVING_IMAGE": "serve:latest"})


def test_ids_are_hashed_under_the_first_of_several_keys(tmp_path: Path) -> None:
    """The others are of before: only labels are looked for under them. A file of one line is what it always was."""
    key = tmp_path / "ids.key"
    here = Settings.from_environment({"ARGOSY_HOME": str(tmp_path), "ARGOSY_HASH_KEY_FILE": str(key)})
    key.write_text("the only one\n", encoding="utf-8")
    assert wiring.hash_key(here) == b"the only one"
    key.write_text("new\n\nold\nolder\n", encoding="utf-8")
    tools = wiring.performance_tools(here)
    assert (wiring.hash_key(here), tools.hash_key, tools.older_keys) == (b"new", b"new", (b"old", b"older"))
    key.write_text(" \n", encoding="utf-8")
    with pytest.raises(errors.Misconfigured, match=r"ids\.key is empty"):
        wiring.hash_key(here)
