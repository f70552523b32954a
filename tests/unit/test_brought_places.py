"""The forge and the online store that a package brings: chosen by their address, and refused in words where they are not there."""

from pathlib import Path

import pytest

from argosy import errors, plugins, wiring
from argosy.cli import doctor
from argosy.settings import Settings
from kit.installed_package import install

MODULE = """
from argosy.adapters.memory_forge import MemoryForge


class Forge(MemoryForge):
    def __init__(self, place):
        super().__init__({"README.md": place.address.encode()})
        self.place = place


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
    """A package with two forges, one of which is half of one, and a store."""
    points = {
        plugins.FORGES: {"forgejo": "own_places:Forge", "half": "own_places:Half"},
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
