"""Check a cluster, the stores and the forge, one line each, with the fix where something is wrong.

Looks at what KUBECONFIG names; addresses come from this environment and, for what it does not say, from the cluster's ConfigMap
`argosy-endpoints`. In a project's folder also at the loop after a merge, model by model: what nobody set (`monitor`, `labels`, `notify`),
and whether what is served is logged and looked at.

The one thing it writes is a probe of a few bytes in each store. Ends 78 where anything is wrong.
"""

import argparse
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path

from argosy import errors, plugins, scratch, wiring
from argosy.cli import loop_check, provenance
from argosy.domain import channel_addresses, diagnosis, event_secrets, prerequisites, team_checks
from argosy.domain.diagnosis import CheckResult, CheckState
from argosy.ports.inspection import Inspection
from argosy.settings import OBJECT_STORE, Settings

MARKS = {
    CheckState.OK: "ok     ",
    CheckState.WRONG: "WRONG  ",
    CheckState.UNKNOWN: "unknown",
    CheckState.UNSET: "unset  ",
}
SQLITE = "sqlite:///"
PROBE = "doctor/probe"
LOOP_READS = frozenset({"predictions", "monitoring", "forge"})
"""Places without which nothing can be said of what is served: that they fail is said once."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--namespace", "-n", default="argosy", help="where pipelines run; default argosy")
    parser.add_argument("--context", help="a context of KUBECONFIG; default the current one")
    parser.add_argument(
        "--no-cluster", action="store_true", help="look at the stores and the forge of this environment only"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(arguments: argparse.Namespace) -> int:
    """Look, and say what was found."""
    wrong = 0
    for finding in findings(arguments):
        print(json.dumps(asdict(finding)) if arguments.json else _line(finding), flush=True)
        wrong += finding.state is CheckState.WRONG
    if not arguments.json:
        print("nothing is wrong" if not wrong else "1 thing is wrong" if wrong == 1 else f"{wrong} things are wrong")
    return errors.Misconfigured.exit_code if wrong else errors.DONE


def _line(finding: CheckResult) -> str:
    fix = f"\n{'':31}fix: {finding.fix}" if finding.fix else ""
    return f"{MARKS[finding.state]} {finding.name:<22} {finding.said}{fix}"


def findings(arguments: argparse.Namespace) -> Iterator[CheckResult]:
    """Everything that is looked at, in order; what cannot be asked is a finding too."""
    given: dict[str, str] = {}
    addresses: Collection[str] | None = None
    if not arguments.no_cluster:
        inspection = _connected(arguments)
        if isinstance(inspection, CheckResult):
            yield inspection
        else:
            yield from _cluster(inspection, arguments.namespace)
            given = _endpoints(inspection, arguments.namespace)
            addresses = _channels(inspection, arguments.namespace)
    for name in OBJECT_STORE:  # an S3 client reads its own environment, and would ask AWS
        if name in given:
            os.environ.setdefault(name, given[name])
    settings = Settings.from_environment({**given, **os.environ})
    places: dict[str, Callable[[], CheckResult]] = {
        "model store": lambda: _store(settings),
        "predictions": lambda: _objects(settings, "predictions", settings.predictions_uri),
        "monitoring": lambda: _objects(settings, "monitoring", settings.monitoring_uri),
        "registry": lambda: _registry(settings),
        "forge": lambda: _forge(settings),
    }
    if settings.online_store_uri:
        places["online store"] = lambda: _online(settings)
    reached = True
    for name, ask in places.items():
        for one in _asked(name, lambda ask=ask: [ask()]):  # type: ignore[misc]
            reached = reached and (one.state is CheckState.OK or name not in LOOP_READS)
            yield one
    yield from _asked("plugins", plugin_results)
    known = {channel_addresses.variable(name) for name in settings.notify}
    yield from _asked(
        "loop", lambda: loop_check.results(settings, known if arguments.no_cluster else addresses, served=reached)
    )


def plugin_results() -> list[CheckResult]:
    """What installed packages bring, each loaded once; nothing where none brings anything."""
    found = []
    for group in plugins.GROUPS:
        try:
            brought = plugins.installed(group)
        except errors.Misconfigured as error:
            found.append(CheckResult("plugins", CheckState.WRONG, str(error), _fix(error)))
            continue
        for name, plugin in brought.items():
            try:
                plugin.load()
            except errors.Misconfigured as error:
                found.append(CheckResult(f"plugin {name}", CheckState.WRONG, str(error), _fix(error)))
            else:
                said = f"{group}, by {plugin.package} {plugin.version}"
                found.append(CheckResult(f"plugin {name}", CheckState.OK, said))
    return found


def _connected(arguments: argparse.Namespace) -> Inspection | CheckResult:
    try:
        return wiring.inspection(arguments.context)
    except errors.Misconfigured as error:
        return CheckResult("cluster", CheckState.WRONG, str(error), "or look at the rest only: --no-cluster")


def _cluster(inspection: Inspection, namespace: str) -> Iterator[CheckResult]:
    reached = list(_asked("kubernetes", lambda: [diagnosis.kubernetes(inspection.version())]))
    yield from reached
    if reached[0].state is CheckState.WRONG and reached[0].fix == _fix(errors.TryAgain("")):
        return  # nothing else will be answered either
    yield from _asked("clock", lambda: [diagnosis.clock(inspection.ahead())])
    yield from _asked("resource types", lambda: _controllers(inspection))
    yield from _asked("rights", lambda: [_rights(inspection, namespace)])
    yield from _asked("pipelines", lambda: [_pipelines(inspection, namespace)])
    found = _needs(inspection, namespace)
    yield from _asked("accounts", lambda: [prerequisites.accounts(found, inspection.accounts(namespace), namespace)])
    yield from _asked(
        diagnosis.ENDPOINTS, lambda: diagnosis.endpoints(inspection.config_map(diagnosis.ENDPOINTS, namespace))
    )
    yield from _asked(diagnosis.POD_SECURITY, lambda: _pod_security(inspection, namespace))
    yield from _asked(team_checks.SEMAPHORES, lambda: _semaphores(inspection, namespace))
    yield from _team(inspection, namespace)
    yield from _asked("prediction log", lambda: _ids(inspection))
    yield from _asked("who may ask", lambda: _access(inspection))
    held = partial(inspection.secret_keys, namespace=namespace)
    yield from _asked("secrets", lambda: _secrets(found, _endpoints(inspection, namespace), held))
    yield from _asked(event_secrets.NAME, lambda: event_secrets.results(inspection.event_sources(namespace), held))
    yield from _asked(
        "artifact store",
        lambda: [prerequisites.artifact_store(inspection.artifact_repository(namespace), namespace, held)],
    )


def _secrets(
    needs: prerequisites.Needs, endpoints: Mapping[str, str], held: prerequisites.Held
) -> Iterable[CheckResult]:
    return prerequisites.secrets(needs, endpoints, held, wiring.forge_keys(endpoints.get("ARGOSY_FORGE_URI", "")))


def _controllers(inspection: Inspection) -> list[CheckResult]:
    definitions, images = inspection.definitions(), inspection.images()
    return [one for wanted in diagnosis.CONTROLLERS for one in diagnosis.controller(wanted, definitions, images)]


def _pod_security(inspection: Inspection, namespace: str) -> list[CheckResult]:
    namespaces = inspection.namespaces()
    if namespaces is None:
        return [CheckResult(diagnosis.POD_SECURITY, CheckState.UNKNOWN, "namespaces may not be listed")]
    pipelines, serving = diagnosis.restricted(namespaces, pipelines=namespace)
    return [
        diagnosis.executor(pipelines, inspection.executors() if pipelines else {}),
        diagnosis.initializer(serving, inspection.initializers() if serving else {}),
    ]


def _team(inspection: Inspection, namespace: str) -> Iterator[CheckResult]:
    """What a team's namespace has besides; of any other, only whether the controller runs templates only."""
    team = list(_asked(team_checks.QUOTA, lambda: _quota(inspection, namespace)))
    yield from team
    if team:
        yield from _asked(team_checks.POLICIES, lambda: [team_checks.policies(namespace, inspection.policy_holds())])
    yield from _asked(
        team_checks.REFERENCING,
        lambda: team_checks.referencing(inspection.template_referencing(), team=bool(team)),
    )


def _semaphores(inspection: Inspection, namespace: str) -> list[CheckResult]:
    """Empty where pipelines may not be listed, which is said already, or name none."""
    wanted = team_checks.semaphores_of(inspection.pipelines(namespace) or [])
    return [team_checks.semaphores(namespace, wanted, inspection.config_map)] if wanted else []


def _quota(inspection: Inspection, namespace: str) -> list[CheckResult]:
    """Empty where *namespace* is no team's."""
    quotas = inspection.quotas(namespace)
    if not team_checks.is_team(namespace, inspection.namespaces(), quotas):
        return []
    return [team_checks.quota(namespace, quotas)]


def _ids(inspection: Inspection) -> list[CheckResult]:
    serving = diagnosis.serving(inspection.namespaces() or {})
    return [diagnosis.ids(name, inspection.secret_keys(diagnosis.IDS, name)) for name in serving]


def _access(inspection: Inspection) -> list[CheckResult]:
    serving = diagnosis.serving(inspection.namespaces() or {})
    return [
        diagnosis.access(name, inspection.secret_keys(diagnosis.ACCESS, name), inspection.server_arguments(name))
        for name in serving
    ]


def _rights(inspection: Inspection, namespace: str) -> CheckResult:
    denied = [right for right in diagnosis.SUBMITTER if not inspection.may(right, namespace)]
    return diagnosis.rights(denied, namespace)


def _pipelines(inspection: Inspection, namespace: str) -> CheckResult:
    """Which pipelines are installed, and whether each says where it comes from."""
    there = inspection.pipelines(namespace)
    if there is None:
        return CheckResult(
            "pipelines",
            CheckState.UNKNOWN,
            "WorkflowTemplates may not be listed; looking for what pipelines usually name",
        )
    if not there:
        said = f"none is installed in {namespace}; looking for what pipelines usually name"
        return CheckResult(
            "pipelines",
            CheckState.UNKNOWN,
            said,
            "argosy compile --stamp workflows/MODEL | kubectl apply --server-side -f -",
        )
    names = [one["metadata"]["name"] for one in there]
    doubtful = [one["metadata"]["name"] for one in there if (origin := provenance.stated(one)) and origin.doubts()]
    if doubtful:
        said = (
            f"{', '.join(names)}; production refuses what {', '.join(doubtful)} makes: no commit and images are known"
        )
        return CheckResult(
            "pipelines",
            CheckState.UNKNOWN,
            said,
            "install it with `argosy compile --stamp`, from a clean commit and pinned images",
        )
    return CheckResult("pipelines", CheckState.OK, ", ".join(names))


def _needs(inspection: Inspection, namespace: str) -> prerequisites.Needs:
    try:
        return prerequisites.of(inspection.pipelines(namespace) or [])
    except errors.ArgosyError:
        return prerequisites.USUAL  # said already, as a finding


def _endpoints(inspection: Inspection, namespace: str) -> dict[str, str]:
    try:
        found = dict(inspection.config_map(diagnosis.ENDPOINTS, namespace) or {})
    except errors.ArgosyError:
        return {}  # said already, as a finding
    found.pop("ARGOSY_HOME", None)  # a pod's
    return found


def _channels(inspection: Inspection, namespace: str) -> Collection[str] | None:
    """The variables that the Secret of channels holds; None where it cannot be seen."""
    try:
        return inspection.secret_keys("argosy-notify", namespace) or ()
    except errors.ArgosyError:
        return None


def _store(settings: Settings) -> CheckResult:
    """Write and read back a few bytes: rights are only shown by using them."""
    with scratch.folder("doctor") as place:
        folder, back = place / "probe", place / "back"
        folder.mkdir()
        (folder / "probe.txt").write_text("argosy doctor\n", encoding="utf-8")
        store = wiring.artifacts(settings)
        store.get(store.put(folder, PROBE), back)
        if (back / "probe.txt").read_bytes() != (folder / "probe.txt").read_bytes():
            return CheckResult(
                "model store", CheckState.WRONG, f"{settings.store_uri} gives back other bytes than it was given"
            )
    return CheckResult("model store", CheckState.OK, f"{settings.store_uri} takes and gives")


def _objects(settings: Settings, name: str, uri: str) -> CheckResult:
    store = wiring.objects(settings, uri)
    store.put(PROBE, b"argosy doctor\n")
    back = store.get(PROBE)
    store.delete(PROBE)
    if back != b"argosy doctor\n":
        return CheckResult(name, CheckState.WRONG, f"{uri} gives back other bytes than it was given")
    return CheckResult(name, CheckState.OK, f"{uri} takes and gives")


def _registry(settings: Settings) -> CheckResult:
    file = Path(settings.tracking_uri.removeprefix(SQLITE))
    if settings.tracking_uri.startswith(SQLITE) and not file.exists():
        return CheckResult("registry", CheckState.OK, f"{file} will be made by its first use, or by `argosy setup`")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")  # seven by default, over minutes
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    wiring.registry(settings).check()
    return CheckResult("registry", CheckState.OK, f"{settings.tracking_uri} answers")


def _online(settings: Settings) -> CheckResult:
    store = wiring.shared_online_store(settings)
    held = store.held() if store is not None else []
    whole = sum(one.whole for one in held)
    return CheckResult(
        "online store", CheckState.OK, f"answers; features of {whole} version{'' if whole == 1 else 's'} are there"
    )


def _forge(settings: Settings) -> CheckResult:
    forge = wiring.forge(settings)
    head = forge.head()
    if forge.may_propose():
        return CheckResult(
            "forge", CheckState.OK, f"{settings.forge_uri}: main is at {head[:12]}, requests may be opened"
        )
    fix = "give the token contents and pull requests, read and write, on this repository"
    return CheckResult("forge", CheckState.WRONG, f"{settings.forge_uri} can be read, but not written to", fix)


def _asked(name: str, ask: Callable[[], Iterable[CheckResult]]) -> Iterator[CheckResult]:
    """The results of *ask*; a failure to ask is a result about *name*."""
    try:
        yield from list(ask())
    except errors.NotAllowed as error:  # that it cannot be seen is no fault of the cluster's
        what = str(error).partition(": ")[0]
        yield CheckResult(name, CheckState.UNKNOWN, f"{what}: you may not; whoever runs the platform sees it")
    except errors.ArgosyError as error:
        yield CheckResult(name, CheckState.WRONG, str(error), _fix(error))


def _fix(error: errors.ArgosyError) -> str:
    return "see whether it runs and can be reached from here" if isinstance(error, errors.TryAgain) else ""
