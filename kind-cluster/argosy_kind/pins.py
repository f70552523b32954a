"""Downloads by version and checksum, as pins.yaml has them: read, checked, and brought here whole or not at all."""

import hashlib
import os
import re
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from argosy import errors

FOLDER = Path(__file__).resolve().parents[1]
PINS = FOLDER / "pins.yaml"
LOCK = "run `make kind-lock` once, where there is a network"
SECONDS = 120


@dataclass(frozen=True)
class File:
    """A file that is downloaded."""

    name: str
    version: str
    url: str
    sha256: str
    of: str
    """The version that *sha256* is of."""

    @property
    def address(self) -> str:
        """Where this version lies."""
        return self.url.format(version=self.version)


@dataclass(frozen=True)
class Image:
    """An image that pods run."""

    name: str
    version: str
    repository: str
    digest: str
    of: str
    """The version that *digest* is of."""

    @property
    def tagged(self) -> str:
        """Its name by its version alone."""
        return f"{self.repository}:{self.version}"


@dataclass(frozen=True)
class Pins:
    """All downloads."""

    files: Mapping[str, File]
    images: Mapping[str, Image]

    @classmethod
    def read(cls, path: Path = PINS) -> "Pins":
        """Those of *path*. Raises Misconfigured where it cannot be understood."""
        try:
            # As text, whatever it looks like: 1.10 is a version and no number.
            read = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - makes text only
            files = _named(File(**each) for each in read["files"])
            images = _named(Image(**each) for each in read["images"])
        except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
            raise errors.Misconfigured(f"{path.name} cannot be read: {' '.join(str(error).split())}") from error
        return cls(files, images)

    def image(self, name: str) -> str:
        """The image *name* by its digest. Raises Misconfigured where nobody has locked this version."""
        pinned = self.images[name]
        if not is_digest(pinned.digest) or pinned.of != pinned.version:
            raise unlocked(name, pinned.version, pinned.of)
        return f"{pinned.repository}@{pinned.digest}"

    def check_file(self, name: str) -> File:
        """The entry of the file *name*. Raises Misconfigured where nobody has locked this version."""
        pinned = self.files[name]
        if not re.fullmatch(r"[0-9a-f]{64}", pinned.sha256) or pinned.of != pinned.version:
            raise unlocked(name, pinned.version, pinned.of)
        return pinned

    def file(self, name: str, cache: Path) -> Path:
        """The file *name*, from *cache* or from where it lies. Raises Misconfigured where it is not locked, or is another than it was."""
        pinned = self.check_file(name)
        kept = cache / f"{pinned.sha256}.yaml"
        if kept.exists() and hashlib.sha256(kept.read_bytes()).hexdigest() == pinned.sha256:
            return kept
        content = download(pinned.address)
        if (found := hashlib.sha256(content).hexdigest()) != pinned.sha256:
            raise errors.Misconfigured(
                f"{pinned.address} is another file than the one that was pinned (sha256 {found}, not {pinned.sha256}); find out why it "
                "changed, then `make kind-lock`"
            )
        return _keep(kept, content)


def is_digest(text: str) -> bool:
    """True where *text* is the digest of an image."""
    return re.fullmatch(r"sha256:[0-9a-f]{64}", text) is not None


def unlocked(name: str, version: str, of: str) -> errors.Misconfigured:
    """The refusal of *name* in a *version* of which pins.yaml has no checksum."""
    has = f"the checksum of {of}" if of else "no checksum"
    return errors.Misconfigured(f"pins.yaml has {has} for {name} {version}; {LOCK}")


def download(url: str, headers: Mapping[str, str] | None = None) -> bytes:
    """What lies at *url*. Raises TryAgain where it cannot be had."""
    try:
        asked = urllib.request.Request(url, headers=dict(headers or {}))  # noqa: S310 - pins.yaml says which
        with urllib.request.urlopen(asked, timeout=SECONDS) as answer:  # noqa: S310
            content: bytes = answer.read()
            return content
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise errors.TryAgain(
            f"{url} cannot be downloaded: {error}; is there a network, or a proxy to name?"
        ) from error


def _keep(kept: Path, content: bytes) -> Path:
    kept.parent.mkdir(parents=True, exist_ok=True)
    partial = kept.with_name(f".{kept.name}.{os.getpid()}")
    partial.write_bytes(content)
    partial.replace(kept)
    return kept


def _named(entries: Iterable[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for entry in entries:
        if entry.name in found:
            raise KeyError(f"{entry.name} stands there twice")
        found[entry.name] = entry
    return found
