"""Artifacts by their location: which kind it is, and what it takes to load from it, save to it, delete it.

A location with a key and no bucket lies in the artifact repository: the one of the given files, or this machine's own.
What a kind takes is imported when the first artifact of that kind comes up: most runs have none.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from argosy import scratch
from argosy.engine.artifacts.buckets import Bucket, OwnBucket
from argosy.engine.artifacts.failures import ArtifactFailure
from argosy.engine.artifacts.secrets import Secrets
from argosy.engine.manifest.artifact_model import Artifact, HTTPArtifact, S3Artifact
from argosy.engine.nodes import Json

WEB = ("http", "artifactory")


def _on_the_web(artifact: Artifact) -> HTTPArtifact:
    """The location of *artifact* as an ``http`` one: Artifactory speaks that, its name and password beside the URL."""
    if artifact.http.url:
        return artifact.http
    keys = {name: key for name, key in artifact.artifactory.written.items() if name != "url"}
    return HTTPArtifact({"url": artifact.artifactory.url, "auth": {"basicAuth": keys}})


@dataclass(frozen=True)
class Remote:
    """Loads and saves. *own*: the folder of this machine's bucket; *repository*: the ``s3`` location of the run's, if it has one."""

    own: Path
    secrets: Secrets
    repository: Json | None = None

    def load(self, artifact: Artifact, target: Path) -> None:
        """Put *artifact* at *target*, unpacked. Raises ArtifactFailure, and ArtifactMissing where it is not there."""
        from argosy.engine.artifacts import archives, git, urls

        kind = artifact.location_kind
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".loading-", dir=target.parent) as folder:
            loaded = Path(folder) / "loaded"
            if kind == "s3":
                location = self._located(artifact.s3)
                self._bucket(location).get(location.key, loaded)
            elif kind in WEB:
                urls.load(_on_the_web(artifact), loaded, self.secrets)
            else:
                git.load(artifact.git, loaded, self.secrets)
            archives.place(loaded, artifact.archive, target)

    def save(self, artifact: Artifact, source: Path) -> Json:
        """Keep the file or folder *source* where *artifact* says, archived as it says. Returns the location, complete."""
        kind = artifact.location_kind
        if kind == "git":
            raise ArtifactFailure("git output artifacts unsupported")
        from argosy.engine.artifacts import archives, urls

        with scratch.folder("saving") as folder:
            packed = archives.pack(source, artifact.archive, folder)
            if kind in WEB:
                urls.save(_on_the_web(artifact), packed, self.secrets)
                return {kind: artifact.written[kind]}
            location = self._located(artifact.s3)
            self._bucket(location).put(location.key, packed)
            return {"s3": location.written}

    def keys(self, artifact: Artifact) -> list[str]:
        """The keys of the files below the ``s3`` place of *artifact*, in order."""
        location = self._located(artifact.s3)
        key = location.key.rstrip("/")
        return sorted(self._bucket(location).keys(f"{key}/" if key else ""))

    def delete(self, artifact: Artifact) -> None:
        """Remove what :meth:`save` kept. Raises ArtifactFailure where that is not possible."""
        kind = artifact.location_kind
        if kind != "s3":
            raise ArtifactFailure(f"{kind} artifacts cannot be deleted")
        location = self._located(artifact.s3)
        self._bucket(location).delete(location.key)

    def _located(self, location: S3Artifact) -> S3Artifact:
        """*location* with the repository's bucket, where it names none of its own."""
        if location.endpoint and location.bucket:
            return location
        return S3Artifact({**(self.repository or {}), "key": location.key})

    def _bucket(self, location: S3Artifact) -> Bucket:
        if not location.bucket:
            return OwnBucket(self.own)
        from argosy.engine.artifacts.s3 import S3Bucket

        return S3Bucket(location, self.secrets)
