"""Artifacts by name: what is declared of one, and where its content lies."""

from dataclasses import dataclass
from typing import Annotated

from argosy.engine.manifest.manifest_object import ManifestObject, Named
from argosy.engine.manifest.pod_model import Header, KeySelector


class RawArtifact(ManifestObject):
    """Content that is written in the manifest."""

    data: str


class S3Artifact(ManifestObject):
    """A key of a bucket."""

    endpoint: str
    bucket: str
    region: str
    key: str
    insecure: bool
    access_key_secret: KeySelector | None
    secret_key_secret: KeySelector | None
    session_token_secret: KeySelector | None
    makes_bucket: Annotated[ManifestObject | None, "createBucketIfNotPresent"]
    addressing_style: str


class BasicAuth(ManifestObject):
    """A name and a password."""

    username_secret: KeySelector | None
    password_secret: KeySelector | None


class OAuth2EndpointParam(ManifestObject):
    """A field of a request for a token."""

    key: str
    value: str


class OAuth2Auth(ManifestObject):
    """The way to a token."""

    client_id_secret: Annotated[KeySelector | None, "clientIDSecret"]
    client_secret_secret: KeySelector | None
    token_url_secret: Annotated[KeySelector | None, "tokenURLSecret"]
    scopes: list[str]
    endpoint_params: list[OAuth2EndpointParam]


class ClientCertAuth(ManifestObject):
    """A certificate of the client's."""

    client_cert_secret: KeySelector | None
    client_key_secret: KeySelector | None


class HTTPAuth(ManifestObject):
    """The credentials for a server."""

    basic: Annotated[BasicAuth, "basicAuth"]
    oauth2: OAuth2Auth
    client_cert: ClientCertAuth


class HTTPArtifact(ManifestObject):
    """A URL."""

    url: str
    headers: list[Header]
    auth: HTTPAuth


class GitArtifact(BasicAuth):
    """A revision of a git repository."""

    repo: str
    revision: str
    branch: str
    depth: int | None
    fetch: list[str]
    ssh_private_key_secret: KeySelector | None
    insecure_ignore_host_key: bool
    insecure_skip_tls: Annotated[bool, "insecureSkipTLS"]
    single_branch: bool
    disable_submodules: bool


class ArtifactoryArtifact(BasicAuth):
    """A URL of an Artifactory."""

    url: str


class TarArchive(ManifestObject):
    """A compressed tar file."""

    compression_level: int | None


class Archive(ManifestObject):
    """The archive that an artifact is packed into."""

    tar: TarArchive | None
    none: ManifestObject | None
    zip: ManifestObject | None

    @property
    def is_none(self) -> bool:
        """True where the artifact is not packed."""
        return self.none is not None


class ArtifactGC(ManifestObject):
    """The strategy by which an artifact is deleted."""

    strategy: str


class WorkflowArtifactGC(ArtifactGC):
    """The strategy by which a workflow's artifacts are deleted that do not have their own."""

    force_finalizer_removal: bool


KINDS = ("s3", "http", "artifactory", "git")
"""The kinds of location outside a run that are known here."""
ALL_KINDS = (*KINDS, "raw", "hdfs", "oss", "gcs", "azure", "plugin")


@dataclass(frozen=True)
class StoredContent:
    """The content of an artifact in the object store. *plain*: it is handed on as it is, not as an archive."""

    digest: str
    plain: bool
    leaving: str
    """The first link in it that points out of it."""


class Artifact(Named):
    """An artifact, declared or handed on."""

    path: str
    mode: int | None
    recurse_mode: bool
    archive: Archive
    raw: RawArtifact | None
    s3: S3Artifact
    http: HTTPArtifact
    artifactory: ArtifactoryArtifact
    git: GitArtifact
    gc: Annotated[ArtifactGC, "artifactGC"]
    source: Annotated[str, "from"]
    source_expression: Annotated[str, "fromExpression"]
    sub_path: str
    optional: bool
    global_name: str

    @property
    def stored(self) -> StoredContent | None:
        """Its content in the object store: what a step of the run gave."""
        found = self.written.get("stored")
        return StoredContent(found["digest"], bool(found.get("plain")), found.get("leaving") or "") if found else None

    @property
    def location_kind(self) -> str | None:
        """The kind of its location; None where it has none outside the run."""
        content = {"s3": self.s3.key, "http": self.http.url, "artifactory": self.artifactory.url, "git": self.git.repo}
        return next((kind for kind, found in content.items() if found), None)

    @property
    def is_located(self) -> bool:
        """True where the artifact says where its content is."""
        return self.raw is not None or self.stored is not None or self.location_kind is not None

    @property
    def refers(self) -> bool:
        """True where the artifact's content is that of another."""
        return bool(self.source or self.source_expression)
