"""Settings, the addresses of stores and services and their keys: one frozen object, read from the environment once.

Only ``wiring``, ``cli``, and the entry of ``serving`` look at it. On a cluster the values come from a ConfigMap and a Secret per class of
step; on a laptop everything defaults to a place under the home.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from argosy import errors, plugins
from argosy.domain import channel_addresses, executor_names, source_addresses, table_places

OBJECT_STORE = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_CA_BUNDLE",
)

FORGE_APP = ("ARGOSY_FORGE_APP_ID", "ARGOSY_FORGE_APP_KEY")

NO_FOLDER = frozenset("?#%")
"""Characters that the name of the home cannot have: databases, registry and stores below it are reached by address."""
POD = "KUBERNETES_SERVICE_HOST"
"""The variable that every pod has."""
REDIS = ("redis://", "rediss://")
KAFKA = "ARGOSY_KAFKA_"
POSTGRESQL = ("postgresql://", "postgres://")
SPARK = re.compile(r"local(\[([0-9]+|\*)\])?|(spark|k8s|sc)://\S+|yarn")
"""A place of Spark: this process, the master of a cluster, or a server of Spark Connect."""


@dataclass(frozen=True)
class SpoolSettings:
    """Settings of where logged predictions are kept until they are shipped."""

    folder: Path
    """ARGOSY_PREDICTIONS_SPOOL: a folder of this machine. Default: one under the home."""
    mebibytes: int
    """ARGOSY_PREDICTIONS_SPOOL_MEBIBYTES: size from which on nothing more is logged. Default: 2048."""
    ship_seconds: int
    """ARGOSY_PREDICTIONS_SHIP_SECONDS: age at which records are shipped. Default: 300."""


@dataclass(frozen=True)
class SparkSettings:
    """Settings of the Spark that models with ``compute: {engine: spark}`` ask."""

    master: str = field(repr=False)
    """ARGOSY_SPARK_MASTER: ``local[N]``, ``spark://<host>:<port>``, ``k8s://…``, ``yarn``, or a server of Spark Connect,
    ``sc://<host>:<port>/;token=…``. Default: ``local[*]``, in the step's own process."""
    folder: str | None
    """ARGOSY_SPARK_FOLDER: a folder or ``s3://<bucket>/<prefix>`` that steps and Spark's executors both see. Default: none; a Spark on
    this machine needs none."""
    pods: "ExecutorPodSettings | None"
    """What a step in a pod is told that may start executors beside it. Default: none; it may not."""


@dataclass(frozen=True)
class ExecutorPodSettings:
    """Settings of executors that are pods. Manifest and platform give them, and nobody sets them by hand."""

    token: str = field(repr=False)
    """ARGOSY_SPARK_TOKEN: what the API server knows the step by."""
    authority: str = field(repr=False)
    """ARGOSY_SPARK_AUTHORITY: the certificate (PEM) that the API server's own is signed with."""
    namespace: str
    """ARGOSY_SPARK_NAMESPACE: where the step's pod is, and executors are."""
    image: str
    """ARGOSY_SPARK_IMAGE: the step's own image."""
    pod: str
    """ARGOSY_SPARK_POD: the name of the step's pod, with which executors go."""
    placement: Mapping[str, object]
    """ARGOSY_SPARK_PLACEMENT: where the step's pod may run, and so executors, as a JSON object of fields of a pod. Default: anywhere."""


@dataclass(frozen=True)
class Settings:
    """All settings of this process."""

    home: Path
    """ARGOSY_HOME: the state of a laptop (runs, cache, registry, forge). Default: the user's data folder."""
    tracking_uri: str
    """ARGOSY_TRACKING_URI: the MLflow server. Default: an SQLite file under the home."""
    store_uri: str
    """ARGOSY_STORE_URI: where bundles are kept. Default: a folder under the home."""
    forge_uri: str
    """ARGOSY_FORGE_URI: the environment repo, ``local:<path>``, ``github:<owner>/<name>``, ``github:https://<host>/<owner>/<name>``
    (Enterprise), ``gitea:https://<host>/<owner>/<name>``, or one that begins with the name of an installed package's forge. Default: a bare
    repository under the home."""
    search_storage_uri: str
    """ARGOSY_SEARCH_STORAGE_URI: the database all trials of a search share. Default: an SQLite file under the home."""
    loop_storage_uri: str | None
    """ARGOSY_LOOP_STORAGE_URI: the database of the ledgers of retrainings, ``sqlite:///<file>`` or ``postgresql://…``. Default: an SQLite
    file under the home; none in a pod, whose files end with it: a ledger that forgets lets everything in."""
    online_store_uri: str | None
    """ARGOSY_ONLINE_STORE_URI: the database in which servers share online features, ``redis://…``, ``rediss://…``, ``postgresql://…``, or
    of the scheme of an installed package's store. Default: none; each server reads files of its own."""
    rate_limits_uri: str | None = field(repr=False)
    """ARGOSY_RATE_LIMITS_URI: the Redis in which the replicas of a server count requests together, ``redis://…`` or ``rediss://…``.
    Default: none; each replica counts by itself."""
    kafka: Mapping[str, str] = field(repr=False)
    """ARGOSY_KAFKA_<SETTING>: settings of Kafka's client as librdkafka names them, with underscores for dots:
    ARGOSY_KAFKA_BOOTSTRAP_SERVERS, ARGOSY_KAFKA_SASL_PASSWORD. Default: none; no stream is read."""
    source_addresses: Mapping[str, str] = field(repr=False)
    """ARGOSY_SOURCE_<NAME>: addresses of databases that sources name by `secret`, ``postgresql://<user>:<password>@<host>/<database>``,
    ``duckdb:///<path>`` or as SQLAlchemy has them, and values of headers that sources behind HTTPS are asked with; by variable.
    Default: none."""
    spark: SparkSettings
    serving_image: str | None
    """ARGOSY_SERVING_IMAGE: the server's image that models are released for, ``<name>@sha256:<digest>``. Default: none; environments have
    their own."""
    predictions_uri: str
    """ARGOSY_PREDICTIONS_URI: where prediction logs are shipped, ``file://…`` or ``s3://<bucket>/<prefix>``. Default: a folder under the
    home."""
    spool: SpoolSettings
    serve_workers: int
    """ARGOSY_SERVE_WORKERS: processes by which a model server answers, where it is not told how many. Default: 1."""
    """ARGOSY_PREDICTIONS_SPOOL and its siblings."""
    monitoring_uri: str
    """ARGOSY_MONITORING_URI: where counts, looks and notices are kept, ``file://…`` or ``s3://<bucket>/<prefix>``. Default: a folder under
    the home."""
    data_root: Path
    """ARGOSY_DATA_ROOT: what a relative ``data`` parameter is relative to. Default: the working directory."""
    signing_key: Path
    """ARGOSY_SIGNING_KEY_FILE: private key (PEM). Default: a key under the home."""
    signing_key_text: str | None
    """ARGOSY_SIGNING_KEY: the private key itself (PEM), in place of a file: how a Secret hands it over."""
    verifying_key: Path
    """ARGOSY_VERIFYING_KEY_FILE: public key (PEM). Default: beside the private one."""
    forge_token: str | None
    """ARGOSY_FORGE_TOKEN: only ``propose``, ``converge`` and ``champion`` are given one; on a cluster that of ``champion`` only reads."""
    forge_app: tuple[str, str] | None = field(repr=False)
    """ARGOSY_FORGE_APP_ID and ARGOSY_FORGE_APP_KEY: on GitHub, an app's id and its private key (PEM), in place of a token: Argosy gets
    itself tokens for this one repository that last an hour."""
    next_on_merge: bool
    """ARGOSY_NEXT_REQUEST: what production's request follows, staging's ``merge`` (default) or, where the step ``converge`` watches the
    rollouts, staging being ``healthy``."""
    object_store: Mapping[str, str]
    """AWS_*: keys, region and address of the object store, as every S3 tool takes them; only steps that reach for it are given them."""
    chat_key: str | None = field(repr=False)
    """ARGOSY_CHAT_KEY: the key of the endpoint that language models ask, and of the one that judges."""
    notify: Mapping[str, str] = field(repr=False)
    """ARGOSY_NOTIFY_<CHANNEL>: the addresses of the channels that models name in ``notify``, as Apprise writes them."""
    hash_key: Path
    """ARGOSY_HASH_KEY_FILE: the secret under which ids are hashed in logs, and below it those of before. Default: a key under the home."""
    hash_key_text: str | None
    """ARGOSY_HASH_KEY: that secret itself, in place of a file: how a Secret hands it to the step that joins labels."""
    retention: str
    """ARGOSY_RETENTION: how long ``argosy gc`` keeps each class of data, such as
    ``runs=30d,snapshots=365d,predictions=400d,measures=90d,looks=365d,performance=365d,results=90d``.
    Default: runs for 30 days, the others for good."""
    prices: str
    """ARGOSY_PRICES: prices of an hour of a core, of a GiB and of a GPU, such as ``cpu=0.04,memory=0.005,gpu=2.5``, for ``argosy
    cost``. Default: none."""
    archive_uri: str | None = field(repr=False)
    """ARGOSY_ARCHIVE_URI: the PostgreSQL in which Argo archives workflows, ``postgresql://…``, for ``argosy cost``. Default: none; only the
    workflows that a cluster still has are counted."""
    lineage_uri: str | None
    """ARGOSY_LINEAGE_URI: who is told by OpenLineage's events what steps read and make, ``https://<host>/api/v1/lineage`` or ``file://…``.
    Default: none; nobody is."""
    in_pod: bool
    """KUBERNETES_SERVICE_HOST: whether this is a pod, whose own files end with it."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read the settings. Raises Misconfigured where a value cannot be one."""
        given = os.environ if environment is None else environment
        home = home_of(given)
        return cls(
            home=home,
            tracking_uri=given.get("ARGOSY_TRACKING_URI") or f"sqlite:///{home}/registry/mlflow.db",
            store_uri=given.get("ARGOSY_STORE_URI") or f"file://{home}/store",
            forge_uri=given.get("ARGOSY_FORGE_URI") or f"local:{home}/forge/environment.git",
            search_storage_uri=given.get("ARGOSY_SEARCH_STORAGE_URI") or f"sqlite:///{home}/search/optuna.db",
            loop_storage_uri=_loop_storage_uri(given, home),
            online_store_uri=_online_store_uri(given),
            rate_limits_uri=_rate_limits_uri(given),
            kafka=_kafka(given),
            source_addresses=source_addresses.addresses(given),
            spark=_spark(given),
            serving_image=_serving_image(given),
            predictions_uri=given.get("ARGOSY_PREDICTIONS_URI") or f"file://{home}/predictions",
            spool=_spool(given, home),
            serve_workers=_number(given, "ARGOSY_SERVE_WORKERS", 1),
            monitoring_uri=given.get("ARGOSY_MONITORING_URI") or f"file://{home}/monitoring",
            data_root=Path(given.get("ARGOSY_DATA_ROOT") or Path.cwd()),
            signing_key=Path(given.get("ARGOSY_SIGNING_KEY_FILE") or home / "keys" / "signing.pem"),
            signing_key_text=given.get("ARGOSY_SIGNING_KEY") or None,
            verifying_key=Path(given.get("ARGOSY_VERIFYING_KEY_FILE") or home / "keys" / "signing.pub.pem"),
            forge_token=given.get("ARGOSY_FORGE_TOKEN") or None,
            forge_app=_forge_app(given),
            next_on_merge=_next_on_merge(given),
            object_store={name: given[name] for name in OBJECT_STORE if given.get(name)},
            chat_key=given.get("ARGOSY_CHAT_KEY") or None,
            notify=channel_addresses.channels(given),
            hash_key=Path(given.get("ARGOSY_HASH_KEY_FILE") or home / "keys" / "ids.key"),
            hash_key_text=given.get("ARGOSY_HASH_KEY") or None,
            retention=given.get("ARGOSY_RETENTION") or "",
            prices=given.get("ARGOSY_PRICES") or "",
            archive_uri=given.get("ARGOSY_ARCHIVE_URI") or None,
            lineage_uri=given.get("ARGOSY_LINEAGE_URI") or None,
            in_pod=POD in given,
        )

    def own_place(self, uri: str) -> Path | None:
        """Where below the home *uri* leads to, as its default does; None for any other place."""
        path = _local(uri, "file://") or _local(uri, "local:")
        return path if path is not None and path.is_relative_to(self.home) else None

    def endpoints(self) -> dict[str, str]:
        """Addresses for every step: the content of the ConfigMap ``argosy-endpoints``. No address in it holds a password."""
        image = {"ARGOSY_SERVING_IMAGE": self.serving_image} if self.serving_image else {}
        lineage = {"ARGOSY_LINEAGE_URI": self.lineage_uri} if self.lineage_uri else {}
        return {
            **image,
            **lineage,
            "ARGOSY_TRACKING_URI": self.tracking_uri,
            "ARGOSY_STORE_URI": self.store_uri,
            "ARGOSY_PREDICTIONS_URI": self.predictions_uri,
            "ARGOSY_MONITORING_URI": self.monitoring_uri,
            "ARGOSY_FORGE_URI": self.forge_uri,
            "ARGOSY_NEXT_REQUEST": "merge" if self.next_on_merge else "healthy",
            "ARGOSY_DATA_ROOT": str(self.data_root),
            "ARGOSY_HOME": str(self.home),
        }

    def secrets(self) -> dict[str, dict[str, str]]:
        """Secrets for some steps only: the content of the Secrets, by name."""
        forge = {"ARGOSY_FORGE_TOKEN": self.forge_token} if self.forge_token else {}
        if self.forge_app:
            forge = dict(zip(FORGE_APP, self.forge_app, strict=True))
        online = {"ARGOSY_ONLINE_STORE_URI": self.online_store_uri} if self.online_store_uri else {}
        return {
            "argosy-chat": {"ARGOSY_CHAT_KEY": self.chat_key} if self.chat_key else {},
            "argosy-forge": forge,
            "argosy-forge-reader": forge,
            "argosy-signing": {"ARGOSY_SIGNING_KEY_FILE": str(self.signing_key)},
            "argosy-search": {"ARGOSY_SEARCH_STORAGE_URI": self.search_storage_uri},
            "argosy-loop": {"ARGOSY_LOOP_STORAGE_URI": self.loop_storage_uri} if self.loop_storage_uri else {},
            "argosy-notify": {channel_addresses.variable(name): address for name, address in self.notify.items()}
            | dict(self.object_store),
            "argosy-online": online,
            "argosy-registry": {},
            "argosy-store": dict(self.object_store),
            # Labels may be rows of a database, as sources are.
            "argosy-predictions": {
                **self.object_store,
                **self.source_addresses,
                "ARGOSY_HASH_KEY_FILE": str(self.hash_key),
            },
            "argosy-data": {**self.object_store, **self.source_addresses, **self._kafka_variables()},
            # Results may be rows of a database.
            "argosy-scores": {
                **self.object_store,
                **self.source_addresses,
                "ARGOSY_HASH_KEY_FILE": str(self.hash_key),
            },
            "argosy-spark": {**self.object_store, **self._spark_variables()},
        }

    def places(self) -> dict[str, list[tuple[Path, bool]]]:
        """Places of this machine for steps that are given a Secret, by the Secret's name: each with whether it writes there."""
        forge = [_local(self.forge_uri, "local:")]
        keys = [(self.signing_key, False), (self.verifying_key, False)]
        store = [*_written(_local(self.store_uri, "file://")), *self._certificates()]
        watched = [self.spool.folder, *(_local(uri, "file://") for uri in (self.predictions_uri, self.monitoring_uri))]
        return {
            "argosy-chat": list(self._certificates()),
            "argosy-forge": _written(*forge),
            "argosy-forge-reader": [(path, False) for path in forge if path],
            "argosy-signing": keys,
            "argosy-search": _written(_folder_of_database(self.search_storage_uri)),
            "argosy-notify": [*_written(_local(self.monitoring_uri, "file://")), *self._certificates()],
            "argosy-loop": _written(_folder_of_database(self.loop_storage_uri or "")),
            "argosy-registry": _written(_folder_of_database(self.tracking_uri)),
            "argosy-store": store,
            # Who watches a model reads its bundle too.
            "argosy-predictions": [
                *_written(*watched),
                *((path, False) for path in [_local(self.store_uri, "file://"), self.hash_key] if path),
                (self.data_root / "data", False),  # labels lie with the sources
                *self._certificates(),
                *self._databases(),
            ],
            "argosy-data": [*self._certificates(), *self._databases()],
            "argosy-spark": [*_written(_spark_folder(self.spark.folder)), *self._certificates()],
            # Where tables and results lie, whoever runs it says (`--allow`).
            "argosy-scores": [
                *_written(_local(self.predictions_uri, "file://")),
                *(
                    (path, False)
                    for path in [_local(self.store_uri, "file://"), self.hash_key, self.verifying_key]
                    if path
                ),
                (self.data_root / "data", False),
                *self._certificates(),
                *((folder, True) for folder, _ in self._databases()),
            ],
        }

    def states(self) -> dict[str, tuple[Path, ...]]:
        """The files and folders that hold what steps read and change outside a run, by the names that their specs have for it.

        What lies on a server is not here: nobody sees from this machine whether it has changed.
        """
        found: dict[str, tuple[Path, ...]] = {}
        if forge := _local(self.forge_uri, "local:"):
            main = ("HEAD", "packed-refs", "refs/heads/main", "reftable")
            found |= {"forge": (forge,), "main": tuple(forge / name for name in main)}
        if store := _local(self.store_uri, "file://"):
            found |= {name: (store / name,) for name in ("models", "online", "signatures", "snapshots")}
        if watched := _local(self.monitoring_uri, "file://"):
            found["references"] = (watched / "references",)
        if (notices := self._notices()) is not None:
            found["notices"] = notices
        for name, uri in (("registry", self.tracking_uri), ("loop", self.loop_storage_uri)):
            if folder := _folder_of_database(uri or ""):
                found[name] = (folder,)
        if self.signing_key_text is None:
            found["signing"] = (self.signing_key, self.verifying_key)
        if self.online_store_uri is None:
            found["shared-online"] = ()
        return found

    def _notices(self) -> tuple[Path, ...] | None:
        """What nobody could be told of yet, and the names of the channels; None where there is any, or nobody sees it from here.

        Whoever tells people does it again, then; and of what is open a channel that is new has to hear.
        """
        if not self.notify:
            return ()
        watched = _local(self.monitoring_uri, "file://")
        if watched is None:
            return None
        untold = watched / channel_addresses.UNTOLD
        waits = any(path.is_file() for path in untold.rglob("*"))
        return None if waits else (untold, *(untold / channel for channel in sorted(self.notify)))

    def _spark_variables(self) -> dict[str, str]:
        folder = {"ARGOSY_SPARK_FOLDER": self.spark.folder} if self.spark.folder else {}
        return {"ARGOSY_SPARK_MASTER": self.spark.master, **folder}

    def _kafka_variables(self) -> dict[str, str]:
        return {KAFKA + name.upper().replace(".", "_"): value for name, value in self.kafka.items()}

    def _databases(self) -> list[tuple[Path, bool]]:
        """The folders of sources that are files of SQLite or DuckDB: a reader of one that is written to needs the files beside it."""
        files = [
            _local(each, f"{kind}:///") for each in self.source_addresses.values() for kind in ("sqlite", "duckdb")
        ]
        return [(file.parent, False) for file in files if file]

    def _certificates(self) -> list[tuple[Path, bool]]:
        named = self.object_store.get("AWS_CA_BUNDLE")
        return [(Path(named), False)] if named else []


def _local(uri: str, scheme: str) -> Path | None:
    return Path(uri.removeprefix(scheme)) if uri.startswith(f"{scheme}/") else None


def _folder_of_database(uri: str) -> Path | None:
    # SQLite keeps its journal beside the file.
    file = _local(uri, "sqlite:///")
    return file.parent if file else None


def _written(*paths: Path | None) -> list[tuple[Path, bool]]:
    return [(path, True) for path in paths if path]


def _spool(given: Mapping[str, str], home: Path) -> SpoolSettings:
    return SpoolSettings(
        Path(given.get("ARGOSY_PREDICTIONS_SPOOL") or home / "spool"),
        _number(given, "ARGOSY_PREDICTIONS_SPOOL_MEBIBYTES", 2048),
        _number(given, "ARGOSY_PREDICTIONS_SHIP_SECONDS", 300),
    )


def _number(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name) or str(default)
    if re.fullmatch(r"[1-9][0-9]{0,8}", text):
        return int(text)
    raise errors.Misconfigured(f"{name} is {text!r}; expected a whole number from 1 on")


def _forge_app(given: Mapping[str, str]) -> tuple[str, str] | None:
    app, key = (given.get(name, "").strip() for name in FORGE_APP)
    if bool(app) != bool(key):
        there, missing = FORGE_APP if app else FORGE_APP[::-1]
        raise errors.Misconfigured(
            f"{there} is set and {missing} is empty; an app needs both, a token (ARGOSY_FORGE_TOKEN) neither"
        )
    return (app, key) if app else None


def _next_on_merge(given: Mapping[str, str]) -> bool:
    text = given.get("ARGOSY_NEXT_REQUEST") or "merge"
    if text in {"merge", "healthy"}:
        return text == "merge"
    raise errors.Misconfigured(f"ARGOSY_NEXT_REQUEST is {text!r}; expected merge or healthy")


def _serving_image(given: Mapping[str, str]) -> str | None:
    image = given.get("ARGOSY_SERVING_IMAGE")
    if image and not re.fullmatch(r"[^@\s]+@sha256:[0-9a-f]{64}", image):
        raise errors.Misconfigured(
            f"ARGOSY_SERVING_IMAGE is {image!r}; expected an image by digest, <name>@sha256:<64 hex digits>"
        )
    return image or None


def _online_store_uri(given: Mapping[str, str]) -> str | None:
    uri = given.get("ARGOSY_ONLINE_STORE_URI")
    if not uri or uri.startswith((*REDIS, *POSTGRESQL)):
        return uri or None
    # Only the scheme: the rest may hold a password. Said here, because the step that connects comes after hours of training.
    scheme, separator, _ = uri.partition("://")
    brought = plugins.installed(plugins.ONLINE_STORES)
    if separator and scheme in brought:
        return uri
    begins = scheme + separator if separator else "no scheme"
    others = "".join(f", {name}://" for name in brought)
    raise errors.Misconfigured(
        f"ARGOSY_ONLINE_STORE_URI begins with {begins}; expected redis://, rediss://, postgresql://{others}, or nothing for files (another "
        f"store is brought by a package, entry point {plugins.ONLINE_STORES})"
    )


def _kafka(given: Mapping[str, str]) -> dict[str, str]:
    named = {name: value for name, value in given.items() if name.startswith(KAFKA) and value}
    return {name.removeprefix(KAFKA).lower().replace("_", "."): value for name, value in named.items()}


def _spark_folder(folder: str | None) -> Path | None:
    return None if folder is None else table_places.path_of(folder)


def _spark(given: Mapping[str, str]) -> SparkSettings:
    master, folder = given.get("ARGOSY_SPARK_MASTER") or "local[*]", given.get("ARGOSY_SPARK_FOLDER") or None
    if not SPARK.fullmatch(master):
        raise errors.Misconfigured(
            f"ARGOSY_SPARK_MASTER is {master.split(';')[0]!r}; expected local[N], spark://<host>:<port>, k8s://<address>, yarn, or "
            "sc://<host>:<port> of a server of Spark Connect"
        )
    if not master.startswith("local") and folder is None:
        raise errors.Misconfigured(
            "ARGOSY_SPARK_MASTER names a Spark elsewhere, and ARGOSY_SPARK_FOLDER is empty: name a folder, or s3://<bucket>/<prefix>, that "
            "steps and Spark's executors both see, through which tables pass"
        )
    return SparkSettings(master, folder, _executor_pods(given))


def _executor_pods(given: Mapping[str, str]) -> ExecutorPodSettings | None:
    token, authority, namespace, image, pod = told = [given.get(name, "") for name in executor_names.TOLD]
    if not all(told):
        return None
    return ExecutorPodSettings(token, authority, namespace, image, pod, _placement(given))


def _placement(given: Mapping[str, str]) -> Mapping[str, object]:
    text = given.get(executor_names.PLACEMENT) or "{}"
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise errors.Misconfigured(
            f"{executor_names.PLACEMENT} is no JSON object: {text[:80]!r}; compile the pipeline again, which fills it"
        )
    return found


def _rate_limits_uri(given: Mapping[str, str]) -> str | None:
    uri = given.get("ARGOSY_RATE_LIMITS_URI")
    if not uri or uri.startswith(REDIS):
        return uri or None
    raise errors.Misconfigured("ARGOSY_RATE_LIMITS_URI has to begin with redis:// or rediss://, or be nothing")


def _loop_storage_uri(given: Mapping[str, str], home: Path) -> str | None:
    if uri := given.get("ARGOSY_LOOP_STORAGE_URI"):
        return uri
    return None if POD in given else f"sqlite:///{home}/loop/loop.db"


def home_of(given: Mapping[str, str]) -> Path:
    """The state folder that the environment *given* names. Raises Misconfigured where it cannot be one."""
    text = given.get("ARGOSY_HOME")
    home = Path(os.path.expanduser(text)) if text else Path(platformdirs.user_data_dir("argosy", appauthor=False))  # noqa: PTH111 - `~nobody` stays
    whole = str(home.absolute())
    if odd := next((each for each in whole if each in NO_FOLDER or not each.isprintable()), None):
        raise errors.Misconfigured(
            f"ARGOSY_HOME is {whole!r}, and addresses of files give {odd!r} another meaning; name a folder without it"
        )
    if home.exists() and not home.is_dir():
        raise errors.Misconfigured(f"ARGOSY_HOME is {home}, which is a file; name a folder")
    # Links are resolved, because child processes compare and mount these paths.
    return home.absolute()
