"""Write the checksums of pins.yaml: `make kind-lock`. Downloads every file, asks every registry, and keeps everything else of the file.

A version whose checksum is known already and is another now is refused: what was published has been changed. `--again` takes it.
"""

import argparse
import hashlib
import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from argosy import errors
from argosy_kind import install, pins
from argosy_kind.pins import PINS, File, Image, Pins

MANIFESTS = (
    "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
)
REGISTRIES = {"docker.io": "registry-1.docker.io"}
UNAUTHORIZED = 401


def run(arguments: argparse.Namespace) -> None:
    """Lock what has no checksum of its version; all of it where *again* is said."""
    read = Pins.read(arguments.file)
    entries: list[File | Image] = [*read.files.values(), *read.images.values()]
    for entry in entries:
        found = checksum(entry)
        before = checksum_of(entry)
        if entry.of == entry.version and before not in {"", found} and not arguments.again:
            raise errors.Rejected(
                f"{entry.name} {entry.version} is {found} now, and was {before}: somebody changed what was published. Find out who and "
                "why; `make kind-lock ARGUMENTS=--again` takes it as it is"
            )
        write(arguments.file, entry, found)
        print(f"{entry.name:<16} {entry.version:<18} {found}{'' if before == found else '  new'}", flush=True)


def checksum(entry: File | Image) -> str:
    """The checksum of what is published now."""
    if isinstance(entry, File):
        return hashlib.sha256(pins.download(entry.address)).hexdigest()
    return digest(entry)


def checksum_of(entry: File | Image) -> str:
    """The checksum that pins.yaml has."""
    return entry.sha256 if isinstance(entry, File) else entry.digest


def digest(image: Image) -> str:
    """The digest of *image*'s version in its registry; of all platforms where it has an index. Raises TryAgain without an answer."""
    host, _, path = image.repository.partition("/")
    registry = REGISTRIES.get(host, host)
    scheme = "http" if registry.startswith(("127.0.0.1:", "localhost:")) else "https"
    url = f"{scheme}://{registry}/v2/{path}/manifests/{image.version}"
    body = _manifest(url, {"Accept": MANIFESTS})
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def write(path: Path, entry: File | Image, found: str) -> None:
    """Write the checksum *found* into the lines of *entry*; nothing else of the file changes."""
    locked = replace(entry, of=entry.version)
    key = "sha256" if isinstance(locked, File) else "digest"
    blocks = re.split(r"(?m)^(?=  - name: )", path.read_text(encoding="utf-8"))
    for number, block in enumerate(blocks):
        if re.match(rf"  - name: {re.escape(entry.name)}\n", block) and f"    {key}: " in block:
            block = re.sub(rf"(?m)^    {key}: .*$", f"    {key}: {found}", block)  # noqa: PLW2901
            blocks[number] = re.sub(r"(?m)^    of: .*$", f"    of: {locked.of}", block)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text("".join(blocks), encoding="utf-8")
    partial.replace(path)


def _manifest(url: str, headers: Mapping[str, str]) -> bytes:
    """A manifest, with a token for anybody where the registry wants one."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=dict(headers)), timeout=pins.SECONDS) as answer:  # noqa: S310
            body: bytes = answer.read()
            return body
    except urllib.error.HTTPError as error:
        asked = error.headers.get("WWW-Authenticate", "")
        if error.code != UNAUTHORIZED or "Authorization" in headers or not asked.lower().startswith("bearer "):
            raise errors.TryAgain(f"{url}: {error}; is there such a version?") from error
        return _manifest(url, {**headers, "Authorization": f"Bearer {_token(asked)}"})
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise errors.TryAgain(f"{url}: {error}; is there a network, or a proxy to name?") from error


def _token(asked: str) -> str:
    said = dict(re.findall(r'(\w+)="([^"]*)"', asked))
    query = urllib.parse.urlencode({key: said[key] for key in ("service", "scope") if key in said})
    answer = json.loads(pins.download(f"{said['realm']}?{query}"))
    return str(answer.get("token") or answer["access_token"])


def parser() -> argparse.ArgumentParser:
    """What may be said."""
    found = argparse.ArgumentParser(prog="make kind-lock", description=(__doc__ or "").splitlines()[0])
    found.add_argument("--again", action="store_true", help="also where a known version has another checksum now")
    found.add_argument("--file", type=Path, default=PINS, help=argparse.SUPPRESS)
    return found


def main(words: Sequence[str] | None = None) -> int:
    """Run, and say in one line what goes wrong."""
    return install.ended(lambda: run(parser().parse_args(words)))


if __name__ == "__main__":
    sys.exit(main())
