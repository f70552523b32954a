"""The contract suite of model stores (the port ``artifacts``)."""

import datetime
from pathlib import Path

import pytest

from argosy import errors
from argosy.ports.artifacts import Artifacts


def make_folder(path: Path, **files: str) -> Path:
    """A folder with *files* (name to text); a double underscore in a name is a subfolder."""
    for name, text in files.items():
        target = path / name.replace("__", "/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return path


class ArtifactsContract:
    """Inherit, and provide a fixture ``artifacts``."""

    def test_what_was_put_comes_back(self, artifacts: Artifacts, tmp_path: Path) -> None:
        """A folder comes back with its subfolders, byte for byte."""
        uri = artifacts.put(make_folder(tmp_path / "a", model="m", sub__part="p"), "models/m/aa")
        artifacts.get(uri, tmp_path / "back" / "here")
        assert (tmp_path / "back" / "here" / "model").read_text() == "m"
        assert (tmp_path / "back" / "here" / "sub" / "part").read_text() == "p"

    def test_an_address_ends_in_a_slash(self, artifacts: Artifacts, tmp_path: Path) -> None:
        """Who fetches by what keys begin with gets this folder and no neighbour; an address without it is read as well."""
        uri = artifacts.put(make_folder(tmp_path / "a", model="m"), "models/m/aa")
        artifacts.put(make_folder(tmp_path / "b", model="n", more="n"), "models/m/aab")
        assert uri.endswith("/aa/")
        for number, address in enumerate((uri, uri.removesuffix("/"))):
            artifacts.get(address, tmp_path / f"back{number}")
            assert [path.name for path in (tmp_path / f"back{number}").iterdir()] == ["model"]

    def test_putting_twice_is_one(self, artifacts: Artifacts, tmp_path: Path) -> None:
        """A step that was retried stores nothing new and gets the same URI."""
        folder = make_folder(tmp_path / "a", model="m")
        assert artifacts.put(folder, "models/m/aa") == artifacts.put(folder, "models/m/aa")

    def test_what_was_put_last_is_the_newest(self, artifacts: Artifacts, tmp_path: Path) -> None:
        """Content that was there already, too, and still whole: nobody who collects the old takes what is needed just now."""
        first, second = make_folder(tmp_path / "a", model="m"), make_folder(tmp_path / "b", model="n")
        artifacts.put(first, "models/m/aa")
        artifacts.put(second, "models/m/bb")
        begun = {each.name: each.at for each in artifacts.folders("models/")}
        while {each.name: each.at for each in artifacts.folders("models/")}["models/m/aa"] <= begun["models/m/bb"]:
            uri = artifacts.put(first, "models/m/aa")  # some stores count whole seconds
        artifacts.get(uri, tmp_path / "back")
        assert (tmp_path / "back" / "model").read_text() == "m"

    @pytest.mark.parametrize(
        "other",
        [
            pytest.param({"model": "n"}, id="changed"),
            pytest.param({"model": "m", "more": ""}, id="more"),
            pytest.param({"x": "m"}, id="renamed"),
        ],
    )
    def test_stored_content_never_changes(self, artifacts: Artifacts, tmp_path: Path, other: dict[str, str]) -> None:
        """Other content under the same name is refused, and the first content stays."""
        uri = artifacts.put(make_folder(tmp_path / "a", model="m"), "models/m/aa")
        with pytest.raises(errors.Misconfigured, match="other content"):
            artifacts.put(make_folder(tmp_path / "b", **other), "models/m/aa")
        artifacts.get(uri, tmp_path / "back")
        assert [path.name for path in (tmp_path / "back").iterdir()] == ["model"]

    def test_nothing_there_is_said(self, artifacts: Artifacts, tmp_path: Path) -> None:
        """A URI that leads nowhere is an error and leaves no folder."""
        uri = artifacts.put(make_folder(tmp_path / "a", model="m"), "models/m/aa")
        with pytest.raises(errors.Misconfigured, match="nothing at"):
            artifacts.get(uri.replace("/aa", "/bb"), tmp_path / "back")
        assert not (tmp_path / "back").exists()

    def test_links_are_refused(self, artifacts: Artifacts, tmp_path: Path) -> None:
        """A link would store, or later read, what nobody digested."""
        folder = make_folder(tmp_path / "a", model="m")
        (folder / "link").symlink_to("/etc/hostname")
        with pytest.raises(errors.Misconfigured, match="plain file"):
            artifacts.put(folder, "models/m/aa")

    @pytest.mark.parametrize("name", ["", "../x", "/x", "a//b", "a/../b", ".incoming/x"])
    def test_names_stay_inside(self, artifacts: Artifacts, tmp_path: Path, name: str) -> None:
        """No name leads out of the store."""
        with pytest.raises(errors.Misconfigured, match="no name"):
            artifacts.put(make_folder(tmp_path / "a", model="m"), name)

    def test_what_there_is(self, artifacts: Artifacts, tmp_path: Path) -> None:
        """Each folder by its name and address, with the time at which it came; a file of it can be read by itself."""
        names = ["models/m/aa", "models/m/ab", "models/n/aa", "online/m/aa"]
        for name in names:
            artifacts.put(make_folder(tmp_path / name, model=name, sub__part="p"), name)
        found = list(artifacts.folders("models/"))
        assert [one.name for one in found] == names[:3]
        for one in found:
            artifacts.get(one.uri, tmp_path / "back" / one.name)
            assert abs(one.at - datetime.datetime.now(datetime.UTC)) < datetime.timedelta(hours=1)
        assert artifacts.read("models/n/aa", "model") == b"models/n/aa"
        assert artifacts.read("models/n/aa", "sub/part") == b"p"
        assert artifacts.read("models/n/aa", "more") is artifacts.read("models/n/none", "model") is None
        assert list(artifacts.folders("none/")) == []

    def test_what_is_removed(self, artifacts: Artifacts, tmp_path: Path) -> None:
        """It is gone, and nothing else is; removing it again is no error, and it may be put again."""
        folder = make_folder(tmp_path / "a", model="m")
        uris = {name: artifacts.put(folder, name) for name in ("models/m/aa", "models/m/aab")}
        for _ in range(2):
            artifacts.remove("models/m/aa")
        with pytest.raises(errors.Misconfigured):
            artifacts.get(uris["models/m/aa"], tmp_path / "none")
        artifacts.get(uris["models/m/aab"], tmp_path / "there")
        assert [one.name for one in artifacts.folders("models/")] == ["models/m/aab"]
        assert artifacts.put(folder, "models/m/aa") == uris["models/m/aa"]
