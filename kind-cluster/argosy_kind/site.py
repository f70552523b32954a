"""The site of an installation: which cluster, what its owner decided, what is downloaded, and which secrets its parts share."""

import base64
import secrets
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from argosy import errors
from argosy.adapters import keys
from argosy.domain import access_rules
from argosy_kind import kube
from argosy_kind.kube import Kubectl
from argosy_kind.ledger import Ledger
from argosy_kind.pins import Pins

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "kind-cluster"
SERVICES, MONITORING = "argosy-services", "monitoring"
PIPELINES = "argosy"
ENVIRONMENTS = {"staging": "argosy-staging", "production": "argosy-production"}
OURS = "argosy.dev/installed-by"
"""The label of every namespace that was made here, so that nobody else's is changed or removed."""
OWNER = "kind-cluster"
DISPOSABLE = "argosy.dev/disposable"
CREDENTIALS = "argosy-credentials"
CALLERS_KEY = "callers-key"
"""What whoever calls a model of this cluster proves with who it is."""
SIGNING, VERIFYING = "signing.pem", "signing.pub.pem"
RANDOM = (
    "postgresql-password",
    "objects-access-key",
    "objects-secret-key",
    "forge-password",
    "forge-secret-key",
    "reviewer-password",
    "grafana-password",
    "alertmanager-token",
    "push-secret",
)
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


@dataclass(frozen=True)
class Choices:
    """What the owner of a cluster decided: the file that `--settings` names."""

    images: Mapping[str, str] = field(default_factory=dict)
    """Images in place of the pinned ones, by the name that pins.yaml has."""
    pull_policy: str = "IfNotPresent"
    storage_class: str = ""
    """Of the disks of our own parts; empty: the cluster's default, and where it has none, disks that end with their pod."""
    without: tuple[str, ...] = ()
    """Parts that are not installed."""
    platform: Mapping[str, Any] = field(default_factory=dict)
    """Values of the chart `platform` over ours."""
    models: Mapping[str, Any] = field(default_factory=dict)
    """Values over those of every model in the environment repo, as it is begun."""

    @classmethod
    def read(cls, path: Path | None) -> "Choices":
        """Those of *path*. Raises UsageError where it holds anything else."""
        if path is None:
            return cls()
        try:
            read = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except OSError as error:
            raise errors.UsageError(f"--settings {path}: {error.strerror}") from error
        except yaml.YAMLError as error:
            raise errors.UsageError(f"--settings {path} is no YAML: {' '.join(str(error).split())}") from error
        if not isinstance(read, dict):
            raise errors.UsageError(f"--settings {path}: expected a mapping, found a {type(read).__name__}")
        if strange := sorted(set(map(str, read)) - set(cls.__dataclass_fields__)):
            known = ", ".join(cls.__dataclass_fields__)
            raise errors.UsageError(f"--settings {path}: there is no setting {strange[0]}; there are {known}")
        _known_images(path, read.get("images"))
        for name, kind in (("images", dict), ("platform", dict), ("models", dict), ("without", list)):
            if not isinstance(read.get(name, kind()), kind):
                raise errors.UsageError(f"--settings {path}: {name} has to be a {kind.__name__}")
        return cls(**{**read, "without": tuple(read.get("without", ()))})


def _known_images(path: Path, images: object) -> None:
    known = [name for name in (*Pins.read().images, "mlflow") if name != "node"]
    if isinstance(images, Mapping) and (strange := sorted(set(map(str, images)) - set(known))):
        raise errors.UsageError(f"--settings {path}: there is no image {strange[0]}; there are {', '.join(known)}")


@dataclass(frozen=True)
class Site:
    """One installation."""

    kubectl: Kubectl
    pins: Pins
    choices: Choices
    ledger: Ledger

    def image(self, name: str) -> str:
        """The image that the part *name* runs."""
        return self.choices.images.get(name) or self.pins.image(name)

    def make_namespace(self, name: str, labels: Mapping[str, str] | None = None) -> None:
        """Make the namespace *name*, marked as made here; one that somebody else made is left as it is."""
        if self.kubectl.get("namespace", name) is None or self.is_ours(name):
            head = kube.metadata(name, labels={OURS: OWNER, **(RESTRICTED if labels is None else labels)})
            self.kubectl.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": head}])

    def is_ours(self, namespace: str) -> bool:
        """True where *namespace* was made here."""
        found = self.kubectl.get("namespace", namespace)
        return found is not None and found["metadata"].get("labels", {}).get(OURS) == OWNER

    def credentials(self) -> dict[str, str]:
        """The secrets that parts share, kept in the cluster: whoever installs again has the same."""
        held = self._read() or self._make()
        if CALLERS_KEY in held:
            return held
        # They were made when no model asked who called it.
        return self._add(held, {CALLERS_KEY: _callers_key()})

    def remember(self, **values: str) -> None:
        """Add *values* to the credentials."""
        named = {name.replace("_", "-"): value for name, value in values.items()}
        self._add(self.credentials(), named)

    def _add(self, held: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
        whole = {**held, **more}
        self.kubectl.apply([kube.secret(CREDENTIALS, SERVICES, whole)])
        return whole

    def _read(self) -> dict[str, str]:
        found = self.kubectl.get("secret", CREDENTIALS, SERVICES)
        data = (found or {}).get("data", {})
        return {name: base64.b64decode(value).decode() for name, value in data.items()}

    def _make(self) -> dict[str, str]:
        made = {name: secrets.token_hex(20) for name in RANDOM}
        made |= {"hash-key": secrets.token_hex(32), CALLERS_KEY: _callers_key()}
        with tempfile.TemporaryDirectory() as folder:
            private, public = Path(folder) / SIGNING, Path(folder) / VERIFYING
            keys.ensure_signing_pair(private, public)
            made |= {file.name: file.read_text(encoding="utf-8") for file in (private, public)}
        # `create`, so that of two at once one wins, and both go on with its.
        self.kubectl.attempt("create", "--filename=-", given=yaml.safe_dump(kube.secret(CREDENTIALS, SERVICES, made)))
        if not (found := self._read()):
            raise errors.TryAgain(f"the Secret {SERVICES}/{CREDENTIALS} cannot be made; may you make Secrets there?")
        return found


def _callers_key() -> str:
    text, _ = access_rules.new_key("callers", [access_rules.EVERY_MODEL])
    return text


def context_of(kubectl: Kubectl) -> str:
    """The context that *kubectl* asks. Raises Misconfigured where none is chosen."""
    if kubectl.context:
        return kubectl.context
    try:
        return kubectl.run("config", "current-context").strip()
    except errors.TryAgain as error:
        raise errors.Misconfigured(
            f"KUBECONFIG names no cluster ({error}); set it, name one with --context, or make one with `make kind-up`"
        ) from error


def check_cluster(kubectl: Kubectl, named: str) -> str:
    """Whether somebody means this cluster: one that is marked as disposable, or whose context is *named*. Returns how it is called."""
    context = context_of(kubectl)
    try:
        found = kubectl.get("namespace", "kube-system")
    except errors.TryAgain as error:
        raise errors.Misconfigured(
            f"no cluster answers at context {context!r}: {error}; set KUBECONFIG, or make one with `make kind-up`"
        ) from error
    if not is_disposable(found) and named != context:
        raise errors.UsageError(
            f"context {context!r} is not marked as a cluster to throw away; where you mean it, say so: --context {context}"
        )
    return context


def is_disposable(kube_system: Mapping[str, Any] | None) -> bool:
    """True where the namespace *kube_system* carries the label of clusters that may be thrown away."""
    return bool(kube_system) and (kube_system or {})["metadata"].get("labels", {}).get(DISPOSABLE) == "true"


def address(service: str, port: int, namespace: str = SERVICES) -> str:
    """``host:port`` of *service* for pods and controllers."""
    return f"{service}.{namespace}.svc:{port}"


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """*over* laid over *under*, mapping by mapping."""
    both = {
        key: merged(under[key], over[key])
        for key in under
        if isinstance(under[key], Mapping) and isinstance(over.get(key), Mapping)
    }
    return {**under, **over, **both}


def known(names: Iterable[str], there: Iterable[str], what: str) -> None:
    """Raises UsageError where one of *names* is not *there*."""
    if strange := sorted(set(names) - set(there)):
        raise errors.UsageError(f"there is no {what} {strange[0]}; there are {', '.join(there)}")
