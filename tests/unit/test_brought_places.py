"""The forge and the online store that a package brings: chosen by their address, and refused in words where they are not there."""

from pathlib import Path

import pytest

from argosy import errors, plugins, wiring
from argosy.cli import doctor
from argosy.domain import prerequisites
from argosy.domain.diagnosis import CheckState
from argosy.settings import Settings
from kit.installed_package import install

MODULE = """
from argosy.adapters.memory_forge import MemoryForge


class Forge(MemoryForge):
    def __init__(self, place):
        super().__init__({"README.md": place.address.encode()})
        self.place = place

    keys = (("OWN_KEY",), ("OWN_USER", "OWN_PASSWORD"))


class Odd(Forge):
    keys = "OWN_KEY"


class Half:
    def __init__(self, place):
        pass

    def head(self):
        return "0"


class Store:
    def __init__(self, uri):
        self.uri = uri

    def load(self, folder, digest, model): ...
    def open(self, digest): ...
    def held(self): return []
    def drop(self, digest): ...
"""
TOKEN = "not-to-be-shown"


@pytest.fixture
def brought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with forges, one of which is half of one and one says its keys wrongly, and a store."""
    points = {
        plugins.FORGES: {"forgejo": "own_places:Forge", "half": "own_places:Half", "odd": "own_places:Odd"},
        plugins.ONLINE_STORES: {"valkey": "own_places:Store"},
    }
    install(tmp_path, {"name": "own-places", "version": "3", "entry-points": points}, "own_places", MODULE)
    monkeypatch.syspath_prepend(tmp_path)


def settings(**given: str) -> Settings:
    """Those of an environment with *given*."""
    return Settings.from_environment({"ARGOSY_HOME": "/nonexistent", "ARGOSY_FORGE_TOKEN": TOKEN, **given})


@pytest.mark.usefixtures("brought")
def test_a_forge_is_chosen_by_its_address() -> None:
    """It is made of the whole address, and of the key to it, which no repr shows."""
    forge = wiring.forge(settings(ARGOSY_FORGE_URI="forgejo:https://git.example/team/environment"))
    assert forge.read("README.md") == b"forgejo:https://git.example/team/environment"
    place = vars(forge)["place"]
    assert place.token == TOKEN
    assert TOKEN not in repr(place)


@pytest.mark.usefixtures("brought")
def test_half_a_forge_is_none() -> None:
    """What it cannot do is said before anything is promised."""
    with pytest.raises(
        errors.Misconfigured, match=r"half of argosy\.forges, which own-places 3 brings, has no .*`merge_later`"
    ):
        wiring.forge(settings(ARGOSY_FORGE_URI="half:here"))


@pytest.mark.usefixtures("brought")
def test_a_store_is_chosen_by_its_scheme() -> None:
    """Settings let it pass, and it is made of its address."""
    store = wiring.shared_online_store(settings(ARGOSY_ONLINE_STORE_URI="valkey://:secret@cache:6379/0"))
    assert vars(store)["uri"] == "valkey://:secret@cache:6379/0"


@pytest.mark.usefixtures("brought")
def test_doctor_shows_them() -> None:
    """Like every part that a package brings."""
    said = {each.name: each.said for each in doctor.plugin_results()}
    assert said["plugin forgejo"] == "argosy.forges, by own-places 3"
    assert said["plugin valkey"] == "argosy.online_stores, by own-places 3"


@pytest.mark.usefixtures("brought")
def test_addresses_of_no_package() -> None:
    """They are refused with what there is; of a store's only the scheme is said, the rest may hold a password."""
    with pytest.raises(errors.Misconfigured, match=r"gitlab:a/b.*forgejo:….*entry point argosy\.forges"):
        wiring.forge(settings(ARGOSY_FORGE_URI="gitlab:a/b"))
    with pytest.raises(
        errors.Misconfigured, match=r"begins with mongo://; expected .*valkey://.*argosy\.online_stores"
    ) as said:
        settings(ARGOSY_ONLINE_STORE_URI="mongo://:secret@cache")
    assert "secret" not in str(said.value)


@pytest.mark.usefixtures("brought")
@pytest.mark.parametrize(
    ("address", "held", "said"),
    [
        pytest.param("forgejo:x", ["OWN_KEY"], (CheckState.OK, "argosy-forge holds OWN_KEY"), id="one-key"),
        pytest.param(
            "forgejo:x",
            ["OWN_PASSWORD", "OWN_USER"],
            (CheckState.OK, "argosy-forge holds OWN_USER, OWN_PASSWORD"),
            id="or-two",
        ),
        pytest.param(
            "forgejo:x",
            ["ARGOSY_FORGE_TOKEN", "OWN_USER"],
            (CheckState.WRONG, "argosy-forge holds nothing under OWN_KEY"),
            id="another-forge-s",
        ),
        pytest.param("forgejo:x", None, (CheckState.WRONG, "there is no Secret argosy-forge"), id="no-secret"),
        pytest.param(
            "half:x",
            None,
            (
                CheckState.UNKNOWN,
                "what argosy-forge has to hold is not known here: whatever brings that forge is not installed, or does not say",
            ),
            id="does-not-say",
        ),
        pytest.param("local:/x", None, (CheckState.OK, "argosy-forge need not be there: the forge wants no key"), id="folder"),
        pytest.param("gitea:https://g/a/b", ["ARGOSY_FORGE_TOKEN"], (CheckState.OK, "argosy-forge holds ARGOSY_FORGE_TOKEN"), id="gitea"),
    ],
)  # fmt: skip
def test_a_forge_says_what_its_secret_holds(address: str, held: list[str] | None, said: tuple[CheckState, str]) -> None:
    """Doctor wants of the Secret what the adapter says, and of one that says nothing it wants nothing."""
    needs = prerequisites.Needs(frozenset(), frozenset(), {"argosy-forge": True})
    (found,) = prerequisites.secrets(needs, {}, lambda _: held, wiring.forge_keys(address))
    assert (found.state, found.said) == said


@pytest.mark.usefixtures("brought")
def test_keys_that_are_none() -> None:
    """A text is no set of names: each of its letters would be one."""
    with pytest.raises(errors.Misconfigured, match=r"odd of argosy\.forges.* says in `keys` 'OWN_KEY'"):
        wiring.forge_keys("odd:x")
