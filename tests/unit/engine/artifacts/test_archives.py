"""Archives of artifacts: what is packed comes out again, and nothing that was packed to do harm gets out of its folder."""

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy.engine.artifacts import archives
from argosy.engine.artifacts.failures import ArtifactFailure
from argosy.engine.manifest.artifact_model import Archive


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    """Where archives are unpacked; beside it lies what they must not touch."""
    (tmp_path / "precious").write_text("kept", encoding="utf-8")
    folder = tmp_path / "step"
    folder.mkdir()
    return folder


def _member(
    name: str, kind: bytes = tarfile.REGTYPE, link: str = "", content: bytes = b""
) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.size = kind, link, len(content)
    return member, content


def _tar(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member, content in members:
            tar.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize(
    "archive",
    [
        pytest.param({}, id="tar-by-default"),
        pytest.param({"tar": {"compressionLevel": 0}}, id="tar-uncompressed"),
        pytest.param({"zip": {}}, id="zip"),
        pytest.param({"none": {}}, id="none"),
    ],
)
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_packed_comes_out_again(archive: dict[str, object], kind: str, tmp_path: Path) -> None:
    """A file or a folder goes through each kind of archive, whatever its name is where it arrives."""
    source = tmp_path / "made"
    if kind == "folder":
        (source / "sub").mkdir(parents=True)
        (source / "sub" / "f").write_text("one", encoding="utf-8")
        (source / "g").write_text("two", encoding="utf-8")
    else:
        source.write_text("one", encoding="utf-8")
    packing = tmp_path / "packing"
    packing.mkdir()
    archives.place(archives.pack(source, Archive(archive), packing), Archive(archive), tmp_path / "got")
    got = tmp_path / "got" / "sub" / "f" if kind == "folder" else tmp_path / "got"
    assert got.read_text(encoding="utf-8") == "one"


def test_a_tar_of_several_becomes_a_folder(inside: Path) -> None:
    """Only an archive of one thing becomes that thing."""
    loaded = _tar(inside / "loaded", _member("a", content=b"1"), _member("b", content=b"2"))
    archives.place(loaded, Archive({}), inside / "got")
    assert sorted(path.name for path in (inside / "got").iterdir()) == ["a", "b"]


def test_a_zip_is_not_guessed(inside: Path) -> None:
    """Without a word about it a zip file stays one, as a tar file does that is not compressed."""
    with zipfile.ZipFile(inside / "loaded", "w") as archive:
        archive.writestr("f", "one")
    archives.place(inside / "loaded", Archive({}), inside / "got")
    assert zipfile.is_zipfile(inside / "got")


HOSTILE = [
    pytest.param([_member("../precious", content=b"gone")], "illegal file path: ../precious", id="dots"),
    pytest.param([_member("a/../../precious", content=b"gone")], "illegal file path", id="dots-inside"),
    pytest.param([_member("out", tarfile.SYMTYPE, "../../precious")], "illegal symlink target", id="link-outside"),
    pytest.param([_member("out", tarfile.SYMTYPE, "/etc")], "illegal symlink target", id="absolute-link"),
    pytest.param([_member("a/out", tarfile.SYMTYPE, "..")], "illegal symlink target", id="link-to-the-folder-itself"),
    pytest.param([_member("out", tarfile.LNKTYPE, "../precious")], "illegal link target", id="hard-link-outside"),
    pytest.param(
        [_member("d", tarfile.SYMTYPE, "e"), _member("d/../../precious", content=b"gone")],
        "illegal file path",
        id="dots-through-a-link",
    ),
    pytest.param(
        [_member("e", tarfile.DIRTYPE), _member("d", tarfile.SYMTYPE, "e"), _member("d/f", content=b"gone")],
        "passes through a link",
        id="through-a-link",
    ),
    pytest.param(
        [_member("f", tarfile.SYMTYPE, "g"), _member("f", content=b"gone")], "passes through a link", id="over-a-link"
    ),
    pytest.param([_member("d", tarfile.CHRTYPE)], "is a device or a pipe", id="device"),
    pytest.param([_member("p", tarfile.FIFOTYPE)], "is a device or a pipe", id="pipe"),
]


@pytest.mark.parametrize(("members", "message"), HOSTILE)
def test_nothing_gets_out(members: list[tuple[tarfile.TarInfo, bytes]], message: str, inside: Path) -> None:
    """A hostile tar ends with one error, leaves nothing behind, and touches nothing outside."""
    with pytest.raises(ArtifactFailure, match=message):
        archives.place(_tar(inside / "loaded", *members), Archive({}), inside / "got")
    assert list(inside.iterdir()) == []
    assert (inside.parent / "precious").read_text(encoding="utf-8") == "kept"


def test_an_absolute_name_lands_inside(inside: Path) -> None:
    """As in the executor, a leading slash means the folder it is unpacked into."""
    loaded = _tar(inside / "loaded", _member("/etc/argosy", content=b"1"), _member("/b", content=b"2"))
    archives.place(loaded, Archive({}), inside / "got")
    assert (inside / "got" / "etc" / "argosy").read_text(encoding="utf-8") == "1"


@pytest.mark.parametrize("name", [pytest.param("../precious", id="dots"), pytest.param("/precious", id="absolute")])
def test_nothing_gets_out_of_a_zip(name: str, inside: Path) -> None:
    """A zip file's names are held to its folder too."""
    with zipfile.ZipFile(inside / "loaded", "w") as archive:
        archive.writestr(name, "gone")
    with pytest.raises(ArtifactFailure, match="illegal file path"):
        archives.place(inside / "loaded", Archive({"zip": {}}), inside / "got")
    assert list(inside.iterdir()) == []


def _tar_bomb(path: Path) -> None:
    member = tarfile.TarInfo("zeros")
    member.size = 8 << 20
    with tarfile.open(path, "w:gz") as tar:
        tar.addfile(member, io.BytesIO(bytes(member.size)))


def _zip_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(8 << 20))


@pytest.mark.parametrize(
    ("make", "archive"), [pytest.param(_tar_bomb, {}, id="tar"), pytest.param(_zip_bomb, {"zip": {}}, id="zip")]
)
def test_a_bomb_is_not_unpacked(
    make: Callable[[Path], None], archive: dict[str, object], inside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond a gigabyte, an archive may not unpack into more than two hundred times its size."""
    monkeypatch.setattr(archives, "ALWAYS_ALLOWED", 1 << 20)
    make(inside / "loaded")
    with pytest.raises(ArtifactFailure, match="it is not unpacked"):
        archives.place(inside / "loaded", Archive(archive), inside / "got")
    assert list(inside.iterdir()) == []


@pytest.mark.parametrize("archive", [pytest.param({"tar": {}}, id="tar"), pytest.param({"zip": {}}, id="zip")])
def test_what_is_no_archive_is_told(archive: dict[str, object], inside: Path) -> None:
    """Where the manifest says that it is an archive, it must be one."""
    (inside / "loaded").write_text("neither", encoding="utf-8")
    with pytest.raises(ArtifactFailure, match="no readable"):
        archives.place(inside / "loaded", Archive(archive), inside / "got")


def test_a_cut_tar_is_told(inside: Path) -> None:
    """An archive that ends too early is an error, not half a folder."""
    whole = _tar(inside / "whole", _member("f", content=bytes(range(256)) * 4096)).read_bytes()
    (inside / "whole").unlink()
    (inside / "loaded").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ArtifactFailure, match="no readable tar archive"):
        archives.place(inside / "loaded", Archive({"tar": {}}), inside / "got")
    assert list(inside.iterdir()) == []
