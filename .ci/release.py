"""Everything of a release that can be made before anything is published: `make release`.

    python .ci/release.py [--tag v1.2.3] [--out dist/release]

Of the commit at hand, never of what lies beside it: wheel and source distribution, each built twice and equal; both charts as Helm
packages; a list of what the lock holds (CycloneDX); images/images.lock, where images were pushed; the section of CHANGELOG.md as notes;
SHA256SUMS over all of it. With a tag, that version, charts and changelog are of that release. Publishing is the workflow's, see
docs/releasing.md.
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CHARTS = ("inference", "platform")
UNRELEASED = "Unreleased"
LOCK = Path("images", "images.lock")
NOTES, SUMS = "NOTES.md", "SHA256SUMS"


class Failed(Exception):
    """What is wrong, and what to do."""


def main(argv: Sequence[str] | None = None) -> None:
    """Make the files, or say what keeps them from being made."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tag", help="the tag of the release, v and its version; default: none, a rehearsal")
    parser.add_argument("--out", type=Path, default=ROOT / "dist" / "release", help="default %(default)s; made anew")
    given = parser.parse_args(argv)
    try:
        make(ROOT, given.out, given.tag)
    except Failed as failure:
        sys.exit(f"error: {failure}")


def make(root: Path, out: Path, tag: str | None) -> None:
    """Make the files of the commit that *root* is at in *out*."""
    if changed := _git(root, "status", "--porcelain", "--untracked-files=no"):
        raise Failed(f"{changed.split()[-1]} is not committed; a release is of a commit")
    with tempfile.TemporaryDirectory(prefix="argosy-release-") as scratch:
        sources = _exported(root, Path(scratch) / "sources")
        version = version_of(sources, tag)
        notes = notes_of((sources / "CHANGELOG.md").read_text(encoding="utf-8"), version if tag else UNRELEASED)
        epoch = _git(root, "log", "-1", "--format=%ct")
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        _distributions(sources, out, epoch, Path(scratch))
        for chart in CHARTS:
            (out / f"{chart}-{version}.tgz").write_bytes(packaged(sources / "charts" / chart, int(epoch)))
        _bill_of_materials(sources, out / f"argosy-{version}.cdx.json")
    _images(root / LOCK, out, required=tag is not None)
    (out / NOTES).write_text(notes, encoding="utf-8")
    (out / SUMS).write_text(sums(out), encoding="utf-8")
    print(
        f"{out}: argosy {version}{'' if tag else ', a rehearsal'}\n{(out / SUMS).read_text(encoding='utf-8')}", end=""
    )


def version_of(sources: Path, tag: str | None) -> str:
    """The version, which pyproject.toml says and everything else repeats. Raises Failed where something says another."""
    version: str = tomllib.loads((sources / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if tag is not None and tag != f"v{version}":
        raise Failed(f"the tag is {tag}, pyproject.toml says {version}; tag v{version}, or change the version first")
    for chart in CHARTS:
        file = sources / "charts" / chart / "Chart.yaml"
        said = dict(
            re.findall(r'^(version|appVersion): "?([^"\s]+)"?$', file.read_text(encoding="utf-8"), re.MULTILINE)
        )
        for field in ("version", "appVersion"):
            if said.get(field) != version:
                raise Failed(
                    f"charts/{chart}/Chart.yaml has {field} {said.get(field)}, pyproject.toml {version}; make them equal"
                )
    return version


def notes_of(changes: str, wanted: str) -> str:
    """The section *wanted* of the changelog. Raises Failed where there is none, or nothing in it."""
    sections = re.split(r"^## ", changes, flags=re.MULTILINE)[1:]
    found = next((one for one in sections if re.match(rf"\[?{re.escape(wanted)}\]?(\s|$)", one)), None)
    if found is None:
        raise Failed(f"CHANGELOG.md has no section {wanted!r}; rename {UNRELEASED!r} to it, and begin a new one above")
    _, _, text = found.partition("\n")
    if not text.strip():
        raise Failed(f"the section {wanted!r} of CHANGELOG.md is empty; say what changed for whoever upgrades")
    return text.strip() + "\n"


def packaged(chart: Path, moment: int) -> bytes:
    """The folder *chart* as Helm packages one, the same bytes for the same files: no names of users, and *moment* for every time."""
    listed = chart / ".helmignore"
    ignored = set(listed.read_text(encoding="utf-8").split()) if listed.exists() else set()
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(path for path in chart.rglob("*") if path.is_file()):
            relative = path.relative_to(chart)
            if {str(relative), f"{relative.parts[0]}/", relative.name} & ignored:
                continue
            entry = tarfile.TarInfo(f"{chart.name}/{relative.as_posix()}")
            entry.size, entry.mtime, entry.mode = path.stat().st_size, moment, 0o644
            archive.addfile(entry, io.BytesIO(path.read_bytes()))
    return gzip.compress(held.getvalue(), mtime=moment)


def sums(folder: Path) -> str:
    """The digests of the files in *folder*, as `sha256sum --check` reads them."""
    files = sorted(path for path in folder.iterdir() if path.name != SUMS)
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)


def _exported(root: Path, to: Path) -> Path:
    """The files of the commit, without anything that only lies in the checkout."""
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=root, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as found:
        found.extractall(to, filter="data")
    return to


def _distributions(sources: Path, out: Path, epoch: str, scratch: Path) -> None:
    """Build wheel and source distribution twice, and keep one. Raises Failed where the two differ."""
    places = [scratch / "once", scratch / "again"]
    for place in places:
        _call(sys.executable, "-m", "hatchling", "build", "-d", str(place), cwd=sources, SOURCE_DATE_EPOCH=epoch)
    for file in sorted(places[0].iterdir()):
        if file.read_bytes() != (places[1] / file.name).read_bytes():
            raise Failed(f"{file.name} differs from build to build; nobody could prove what it was built from")
        shutil.copy(file, out)


def _bill_of_materials(sources: Path, file: Path) -> None:
    """What the lock holds, the same bytes for the same lock."""
    program = Path(sys.executable).with_name("cyclonedx-py")
    lock = sources / "requirements" / "all.txt"
    _call(
        *(str(program), "requirements", str(lock), "--pyproject", str(sources / "pyproject.toml")),
        *("--output-reproducible", "--of", "JSON", "--output-file", str(file)),
        cwd=sources,
    )


def _images(lock: Path, out: Path, *, required: bool) -> None:
    """The images that `make images` pushed: a release names them by digest. Raises Failed where one is only on this machine."""
    if not lock.exists():
        if required:
            raise Failed(f"there is no {LOCK}; push the images first: make images ARGUMENTS='--push REGISTRY'")
        print(f"note: there is no {LOCK}, so no images in this rehearsal", file=sys.stderr)
        return
    if "/" not in json.loads(lock.read_text(encoding="utf-8"))["repository"] and required:
        raise Failed(f"{LOCK} is of images that no registry has; push them: make images ARGUMENTS='--push REGISTRY'")
    shutil.copy(lock, out)


def _git(root: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def _call(*command: str, cwd: Path, **variables: str) -> None:
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise Failed(f"`{' '.join(command[-6:])}` ended with {done.returncode}: {done.stderr.strip()[-500:]}")


if __name__ == "__main__":
    main()
