"""The prerequisites of a namespace's pipelines: accounts, Secrets with their keys, a place for artifacts.

Read from the WorkflowTemplates that are installed and from the addresses that steps are given, so that nothing is wanted that nobody uses,
and nothing forgotten that somebody does.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from argosy.domain import source_addresses
from argosy.domain.diagnosis import PLATFORM, CheckResult, CheckState

Manifest = Mapping[str, Any]
FORGES = ("argosy-forge", "argosy-forge-reader")
"""Secrets that hold what the forge asks for."""
Held = Callable[[str], Sequence[str] | None]
"""The keys of a Secret that hold something; None where there is no such Secret."""

SECRET_FIX = "bring it (docs/chart-platform.md says what each holds)"  # noqa: S105 - advice
AWS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
STEP, EXECUTOR, LOOP = "argosy-step", "argosy-executor", "argosy-loop"
CLASSES = ("data", "forge", "forge-reader", "online", "predictions", "registry", "search", "signing", "store")
"""Classes of steps, each with a Secret ``argosy-<class>``."""
USUAL_ACCOUNTS = frozenset(
    {STEP, EXECUTOR, *(f"argosy-{name}" for name in CLASSES if name not in {"online", "predictions"})}
)
"""The service accounts that compiled pipelines name."""


@dataclass(frozen=True)
class Needs:
    """The names that pipelines refer to. *secrets*: name to whether pods start without it."""

    accounts: frozenset[str]
    executors: frozenset[str]
    """Of *accounts*, those that Argo's own containers report results with; each needs a token."""
    secrets: Mapping[str, bool]


USUAL = Needs(USUAL_ACCOUNTS, frozenset({EXECUTOR}), {f"argosy-{name}": True for name in (*CLASSES, "loop", "notify")})


def of(pipelines: Sequence[Manifest]) -> Needs:
    """The needs of *pipelines* (WorkflowTemplates); the usual ones where there is none."""
    if not pipelines:
        return USUAL
    specs = [pipeline.get("spec") or {} for pipeline in pipelines]
    templates = [template for spec in specs for template in spec.get("templates") or []]
    holders = (*specs, *templates)
    executors = {str(one["executor"]["serviceAccountName"]) for one in holders if one.get("executor")}
    named = {str(one["serviceAccountName"]) for one in holders if one.get("serviceAccountName")}
    secrets: dict[str, bool] = {}
    for name, optional in (one for template in templates for one in _secrets(template)):
        secrets[name] = secrets.get(name, True) and optional
    return Needs(frozenset(named | executors), frozenset(executors), secrets)


def _secrets(template: Manifest) -> Iterator[tuple[str, bool]]:
    """The Secrets that the containers of *template* name, and whether each may be absent."""
    single = [template[kind] for kind in ("container", "script") if kind in template]
    several = [
        *(template.get("initContainers") or []),
        *(template.get("sidecars") or []),
        *((template.get("containerSet") or {}).get("containers") or []),
    ]
    for container in (*single, *several):
        sources = [entry["secretRef"] for entry in container.get("envFrom") or [] if "secretRef" in entry]
        values = [entry.get("valueFrom") or {} for entry in container.get("env") or []]
        sources += [value["secretKeyRef"] for value in values if "secretKeyRef" in value]
        yield from ((source["name"], bool(source.get("optional"))) for source in sources)
    for volume in template.get("volumes") or []:
        if "secret" in volume:
            yield volume["secret"]["secretName"], bool(volume["secret"].get("optional"))


def accounts(needs: Needs, there: Iterable[str], namespace: str) -> CheckResult:
    """Check that the service accounts exist that pipelines name."""
    missing = sorted(needs.accounts - set(there))
    if missing:
        return CheckResult(
            "accounts", CheckState.WRONG, f"{namespace} has no service account {', '.join(missing)}", PLATFORM
        )
    return CheckResult("accounts", CheckState.OK, f"all {len(needs.accounts)} that pipelines name are in {namespace}")


def secrets(
    needs: Needs, endpoints: Mapping[str, str], held: Held, forge: Sequence[Sequence[str]] | None = None
) -> Iterator[CheckResult]:
    """Check that each Secret holds what its steps need, with the addresses *endpoints* that they are given.

    *forge*: what the forge there asks for, sets of keys any of which is enough; None where nobody here can tell.
    """
    for executor in sorted(needs.executors):
        yield _secret(f"{executor}.service-account-token", ("token",), held, PLATFORM)
    for name, optional in sorted(needs.secrets.items()):
        # Pipelines tell the ledger what a retraining came to; it has to be there where one decides about them.
        keys = () if name == LOOP and LOOP not in needs.accounts else _keys(name, endpoints)
        if name in FORGES:
            yield _of_forge(name, forge, held, optional=optional)
            continue
        if keys == AWS and held(name) is None and optional:
            said = f"there is no Secret {name}: pods reach the object store by an identity of their own, or not at all"
            yield CheckResult("secrets", CheckState.UNKNOWN, said, SECRET_FIX)
        elif keys or not optional:
            yield _secret(name, keys, held, SECRET_FIX)
        else:
            yield CheckResult("secrets", CheckState.OK, f"{name} need not be there{_why_not(name)}")


def _of_forge(name: str, forge: Sequence[Sequence[str]] | None, held: Held, *, optional: bool) -> CheckResult:
    """Whether the Secret *name* holds one of the sets of keys that the *forge* asks for."""
    if forge is None:
        said = (
            f"what {name} has to hold is not known here: whatever brings that forge is not installed, or does not say"
        )
        return CheckResult("secrets", CheckState.UNKNOWN, said, "its package's documentation says what it asks for")
    if not forge and optional:
        return CheckResult("secrets", CheckState.OK, f"{name} need not be there: the forge wants no key")
    found = held(name) or ()
    enough = next((keys for keys in forge if set(keys) <= set(found)), forge[0] if forge else ())
    return _secret(name, enough, held, SECRET_FIX)


def _keys(name: str, endpoints: Mapping[str, str]) -> tuple[str, ...]:
    """The keys that the Secret *name* must hold; empty where steps do without it."""
    bucket = AWS if endpoints.get("ARGOSY_STORE_URI", "s3://").startswith("s3://") else ()
    logs = ("ARGOSY_PREDICTIONS_URI", "ARGOSY_MONITORING_URI")
    watched = AWS if any(endpoints.get(name, "s3://").startswith("s3://") for name in logs) else ()
    return {
        "argosy-signing": ("ARGOSY_SIGNING_KEY",),
        LOOP: ("ARGOSY_LOOP_STORAGE_URI",),
        "argosy-search": ("ARGOSY_SEARCH_STORAGE_URI",),
        "argosy-store": bucket,
        "argosy-predictions": watched,
        "argosy-data": AWS,
        "argosy-scores": AWS,
    }.get(name, ())


def _why_not(name: str) -> str:
    return {
        "argosy-chat": ": without it endpoints of language models are asked without a key",
        LOOP: ": no template here trains a model by itself",
        "argosy-online": ": without it servers read files of their own",
        "argosy-registry": ": without it MLflow is asked without a password",
        "argosy-spark": ": without it Spark runs in the pods of the steps that ask it",
        "argosy-store": ": the model store is a folder",
        "argosy-notify": ": without it no channel has an address, and nobody is told",
        "argosy-predictions": ": predictions and what is made of them lie in folders",
    }.get(name, "")


def _secret(name: str, keys: Sequence[str], held: Held, fix: str) -> CheckResult:
    found = held(name)
    if found is None:
        return CheckResult("secrets", CheckState.WRONG, f"there is no Secret {name}", fix)
    if keys == AWS and any(key.startswith(source_addresses.PREFIX) for key in found):
        keys = ()  # sources are rows of databases, and a bucket may be reached by the pod's own identity
    if missing := [key for key in keys if key not in found]:
        return CheckResult("secrets", CheckState.WRONG, f"{name} holds nothing under {', '.join(missing)}", fix)
    return CheckResult("secrets", CheckState.OK, f"{name} holds {', '.join(keys) or 'something'}")


def artifact_store(repository: Manifest | None, namespace: str, held: Held) -> CheckResult:
    """Check where steps keep artifacts. *repository*: Argo's artifact repository for *namespace*, empty where there is none, None
    where that cannot be seen."""
    name = "artifact store"
    if repository is None:
        return CheckResult(
            name, CheckState.UNKNOWN, "the controller's ConfigMap cannot be read, and the namespace names none"
        )
    kinds = [kind for kind, value in repository.items() if isinstance(value, Mapping)]
    if not kinds:
        said = f"Argo knows no artifact repository for {namespace}: the first step that hands on a file, `ingest`, waits for ever"
        return CheckResult(name, CheckState.WRONG, said, "set `artifacts` in the values of the chart platform")
    content = repository[kinds[0]]
    for reference in (value for value in content.values() if isinstance(value, Mapping)):
        if {"name", "key"} <= reference.keys() and reference["key"] not in (held(reference["name"]) or ()):
            said = f"it is opened by the key {reference['key']} of the Secret {reference['name']}, which is not in {namespace}"
            return CheckResult(name, CheckState.WRONG, said, SECRET_FIX)
    where = content.get("bucket") or content.get("container") or ""
    return CheckResult(name, CheckState.OK, f"{kinds[0]} {where}".strip())
