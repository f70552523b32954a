"""Archives as Argo's executor makes and opens them: what goes into a bucket, and what comes out of one.

An archive is not trusted. Nothing of it is ever written outside the folder it is unpacked into: names with ``..``, links that lead outside,
names that pass through a link, devices and pipes end it, and so does one that unpacks into more than this machine should hold.
"""

import contextlib
import gzip
import os
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from argosy.engine.artifacts.failures import ArtifactFailure
from argosy.engine.manifest.artifact_model import Archive
from argosy.engine.state import trees

MOST_ENTRIES = 1_000_000
ALWAYS_ALLOWED = 1 << 30
"""Bytes that any archive may unpack into."""
MOST_FOLD = 200
"""The multiple of its own size that a larger one may unpack into."""
UNREADABLE = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, gzip.BadGzipFile, NotImplementedError)


def pack(source: Path, archive: Archive, folder: Path) -> Path:
    """The file or folder *source* as its ``archive`` field has it stored: *source* itself, or a new file in *folder*."""
    if archive.is_none:
        return source
    if archive.zip is not None:
        return _zipped(source, folder / "packed.zip")
    level = archive.tar.compression_level if archive.tar else None
    packed = folder / "packed.tgz"
    with tarfile.open(packed, "w:gz", compresslevel=9 if level is None else level) as tar:
        for entry, name in _named(source):
            tar.add(entry, arcname=name, recursive=False)
    return packed


def _named(source: Path) -> Iterator[tuple[Path, str]]:
    """The file or folder *source* and all that is in it, each with its name in an archive."""
    yield source, source.name
    for entry in trees.walk(source) if source.is_dir() else ():
        yield entry, entry.relative_to(source.parent).as_posix()


def _zipped(source: Path, packed: Path) -> Path:
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for entry, name in _named(source):
            if not name.isprintable() and any(0xDC80 <= ord(char) <= 0xDCFF for char in name):
                raise ArtifactFailure(f"{name!r} cannot be named in a zip archive: it is no UTF-8")
            if entry.is_symlink():
                archive.writestr(name, b"")  # as Argo's executor has it
            elif not entry.is_dir():
                archive.write(entry, name)
    return packed


def leaving(source: Path) -> Iterator[str]:
    """The symbolic links in the folder *source* that point out of an archive of it, as that names them, and what each points to."""
    for path in trees.walk(source) if source.is_dir() else ():
        if path.is_symlink():
            link, target = path.relative_to(source.parent).as_posix(), os.readlink(path)  # noqa: PTH115 - as it is written
            if leaves(link, target):
                yield f"{link} -> {target}"


def leaves(link: str, target: str) -> bool:
    """True where the symbolic link *link* of an archive points out of the folder it is unpacked into, or to that itself."""
    base = PurePosixPath(link).parent
    return _leaves(base, target) or os.path.normpath(base / target) == "."


def place(loaded: Path, archive: Archive, target: Path) -> None:
    """Put what was *loaded* at *target*, unpacked as the ``archive`` field says: where it says nothing, only what is a tar file.

    An archive of one file or one folder becomes that, any other a folder. Raises ArtifactFailure.
    """
    if archive.is_none:
        kind = "none"
    elif archive.zip is not None:
        kind = "zip"
    else:
        kind = "tar" if archive.tar is not None or _is_tar(loaded) else "none"
    target.parent.mkdir(parents=True, exist_ok=True)
    if kind == "none":
        shutil.move(loaded, target)
        return
    unpacked = target.with_name(f".{target.name}.unpacked")
    unpacked.mkdir()
    try:
        (_unzip if kind == "zip" else _untar)(loaded, unpacked)
        _rename(unpacked, target)
    except UNREADABLE as error:
        raise ArtifactFailure(f"it is no readable {kind} archive: {error}") from None
    finally:
        with contextlib.suppress(OSError):
            trees.remove(unpacked)
        loaded.unlink(missing_ok=True)


def _rename(unpacked: Path, target: Path) -> None:
    entries = list(unpacked.iterdir())
    (entries[0] if len(entries) == 1 else unpacked).rename(target)


def _is_tar(path: Path) -> bool:
    """True where *path* is a compressed tar file, the one kind that is known by itself."""
    if path.is_dir():
        return False
    with contextlib.suppress(*UNREADABLE, OSError), tarfile.open(path, "r:gz") as tar:
        return tar.next() is not None
    return False


class _Ration:
    """The files and bytes that an archive may still unpack into."""

    def __init__(self, archive: Path) -> None:
        self._entries = MOST_ENTRIES
        self._bytes = max(ALWAYS_ALLOWED, MOST_FOLD * archive.stat().st_size)

    def take(self, size: int) -> None:
        self._entries -= 1
        self._bytes -= size
        if self._entries < 0 or self._bytes < 0:
            raise ArtifactFailure(
                f"the archive unpacks into more than {MOST_ENTRIES} files, or {MOST_FOLD} times its size: it is not unpacked"
            )


def _untar(archive: Path, folder: Path) -> None:
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in _sound(tar, _Ration(archive)):
                tar.extract(member, folder, filter="data")
    except tarfile.FilterError as error:
        raise ArtifactFailure(f"illegal file in the archive: {error}") from None


def _sound(tar: tarfile.TarFile, ration: _Ration) -> Iterator[tarfile.TarInfo]:
    """The members of *tar*, each looked at before it is given out. tarfile's own filter is a second look."""
    links: set[PurePosixPath] = set()
    for member in tar:
        name = PurePosixPath(member.name.lstrip("/"))
        ration.take(member.size)
        if ".." in name.parts:
            raise ArtifactFailure(f"illegal file path: {member.name}")
        if any(parent in links for parent in (name, *name.parents)):
            raise ArtifactFailure(f"illegal file path: {member.name} passes through a link of the archive")
        if member.issym():
            if leaves(str(name), member.linkname):
                raise ArtifactFailure(f"illegal symlink target: {member.name} -> {member.linkname}")
            links.add(name)
        elif member.islnk():
            if _leaves(PurePosixPath(), member.linkname):
                raise ArtifactFailure(f"illegal link target: {member.name} -> {member.linkname}")
        elif not (member.isreg() or member.isdir()):
            raise ArtifactFailure(f"illegal file: {member.name} is a device or a pipe")
        yield member


def _leaves(base: PurePosixPath, target: str) -> bool:
    """True where *target*, seen from the folder *base* of the archive, lies outside the archive."""
    joined = os.path.normpath(base / target)
    return target.startswith("/") or joined == ".." or joined.startswith("../")


def _unzip(archive: Path, folder: Path) -> None:
    ration = _Ration(archive)
    with zipfile.ZipFile(archive) as opened:
        for entry in opened.infolist():
            ration.take(entry.file_size)
            if entry.filename.startswith("/") or ".." in PurePosixPath(entry.filename).parts:
                raise ArtifactFailure(f"illegal file path: {entry.filename}")
            written = Path(opened.extract(entry, folder))
            if mode := (entry.external_attr >> 16) & 0o777:
                written.chmod(mode | 0o600 | (0o100 if written.is_dir() else 0))
