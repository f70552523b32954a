"""Run a model's pipeline, or any Argo manifest, on this machine.

Executes the very manifest that a cluster would run: containers of Argosy's own images, and of those that --local-image names, as processes
of this environment; others through podman or docker. Every node is journaled: after an interruption, a kill or a full disk, `argosy resume`
goes on. Steps that were run before with the same code, inputs and data are taken from the cache.

--until ends after a step, --only runs one step alone with what an earlier run gave to it, --draft ends after the evaluation and shows the
gates. Such a run is part of a pipeline, is listed as that, and proposes nothing.

--changed-since runs one after another the models of this project that changed since a branch was left, and says why; what one of them comes
to keeps no other from its turn. --dry-run says which those are and runs none; with --json for a job that makes one task of each.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from argosy import errors
from argosy.cli import (
    as_of_option,
    changed_models,
    full_option,
    local_run,
    manifests,
    models,
    parameters,
    partial_run,
    scoring_runs,
    state_folder,
)
from argosy.engine import api
from argosy.engine.options import Cluster
from argosy.settings import Settings
from argosy.steps.champion.spec import SPEC as CHAMPION
from argosy.templates import folder

if TYPE_CHECKING:
    from argosy.domain.provenance import Provenance

NEXT_TIMES = 5
DATA, PROVENANCE = "data", "provenance"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model",
        nargs="?",
        help="a model (workflows/NAME/pipeline.yaml), or its folder; MODEL-score: the tables it scores (score.yaml)",
    )
    parser.add_argument(
        "-f",
        "--file",
        action="append",
        type=Path,
        default=[],
        metavar="FILE",
        help="a manifest; once more for those it refers to",
    )
    changed_models.add_argument(parser, "run")
    parser.add_argument(
        "--dry-run", action="store_true", help="with --changed-since: say which models changed and why, and run none"
    )
    parameters.add_arguments(parser)
    as_of_option.add(parser)
    full_option.add(parser)
    partial_run.add_arguments(parser)
    parser.add_argument("--entrypoint", metavar="TEMPLATE", help="start with this template")
    parser.add_argument("--name", metavar="NAME", help="the workflow's name, instead of the manifest's")
    parser.add_argument("--no-cache", action="store_true", help="run every step, whatever the cache holds")
    parser.add_argument(
        "--volume",
        action="append",
        default=[],
        metavar="CLAIM=FOLDER",
        help="the folder of this machine that a PersistentVolumeClaim of the manifest stands for",
    )
    parser.add_argument(
        "--context", metavar="NAME", help="the cluster, by its kubectl context, that resource templates may change"
    )
    parser.add_argument(
        "--namespace", "-n", metavar="NAME", help="where they do so, if not in the context's own namespace"
    )
    local_run.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run one workflow, or one of each model that changed; returns 0 or the code of the first step that failed."""
    if arguments.changed_since is not None:
        return _run_changed(arguments)
    if arguments.dry_run:
        raise errors.UsageError(
            "--dry-run says which models --changed-since REF would run; of one model, `argosy lint` says what is wrong"
        )
    return start(arguments)[1]


def _run_changed(arguments: argparse.Namespace) -> int:
    """Run each model that changed, and say what each came to; returns the code of the first that did not end well."""
    if arguments.file or arguments.name:
        other = "-f" if arguments.file else "--name"
        raise errors.UsageError(f"--changed-since chooses among the models of this project; {other} is for one run")
    among = [models.folder_of(arguments.model)] if arguments.model else []
    found = changed_models.find(arguments.changed_since, among, for_run=True)
    if arguments.dry_run and arguments.json:
        found.say_json()
        return errors.DONE
    stream = sys.stderr if arguments.json else sys.stdout
    found.say(stream)
    if arguments.dry_run or not found.changed:
        return errors.DONE
    ended: dict[str, int] = {}
    for model in found.changed:
        ended[model.name] = _run_one(arguments, str(model), stream)
        if ended[model.name] == errors.INTERRUPTED:
            break
    return _say_ends(ended, [model.name for model in found.changed], stream)


def _run_one(arguments: argparse.Namespace, model: str, stream: TextIO) -> int:
    """Run *model*, and say so; an error of it is said too, and its code returned."""
    print(f"\n== {model}", file=stream, flush=True)
    try:
        return start(argparse.Namespace(**{**vars(arguments), "model": model}))[1]
    except errors.ArgosyError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return error.exit_code


def _say_ends(ended: Mapping[str, int], chosen: Sequence[str], stream: TextIO) -> int:
    """Say what each of the models *chosen* came to; returns the code of the first that did not end well."""
    print(f"\n{len(ended)} of {len(chosen)} run:", file=stream)
    width = max(map(len, chosen))
    for name in chosen:
        code = ended.get(name)
        said = "not begun" if code is None else "done" if code == errors.DONE else f"ended {code}"
        print(f"  {name:<{width}}  {said}", file=stream)
    return next((code for code in ended.values() if code != errors.DONE), errors.DONE)


def defaults() -> argparse.Namespace:
    """The arguments of a run of which nothing is said, for a verb that starts one and says only what it has to."""
    parser = argparse.ArgumentParser(add_help=False)
    add_arguments(parser)
    return parser.parse_args([])


def start(arguments: argparse.Namespace) -> tuple[str, int]:
    """Run one workflow; returns the run's name, and 0 or the code of the first step that failed."""
    scoring_runs.take_in(arguments)
    manifest = api.load(_files(arguments))
    options = local_run.options(
        arguments,
        parameters=values(arguments, manifest, Settings.from_environment().data_root),
        entrypoint=arguments.entrypoint,
        target=partial_run.target(arguments, manifest),
        name=arguments.name,
        use_cache=not arguments.no_cache,
        volumes=_volumes(arguments),
        cluster=_cluster(arguments),
    )
    prepared, options = parameters.prepare(manifest, options)
    given: Mapping[str, Any] = {}
    stream = sys.stderr if arguments.json else sys.stdout
    if arguments.only:
        giver = partial_run.giver(arguments, prepared, options.home)
        prepared, given = api.given_before(prepared, options, giver.run)
        partial_run.say_since(stream, prepared, giver, options.working_folder)
    local_run.say_ignored(prepared, arguments)
    if local_run.is_of_model(prepared.metadata):
        state_folder.ensure_environment_repo(Settings.from_environment())
    if any(template.get("name") == CHAMPION.name for template in prepared.spec["templates"]):
        _find_policy(arguments, prepared.metadata)
    _say_next_times(manifest)
    if prepared.spec.get("suspend"):
        print(f"suspended, as its manifest says; `argosy resume {prepared.run}` lets it begin", file=sys.stderr)
    code = local_run.carry_out(
        arguments,
        options.home,
        prepared.workflow,
        lambda observer: api.run(prepared, options, observer, given),
        of_model=local_run.is_of_model(prepared.metadata),
    )
    if options.target:
        partial_run.say_end(stream, api.left_out(prepared.spec))
    return prepared.run, code


def values(
    arguments: argparse.Namespace, manifest: api.Manifest, root: Path, origin: "Provenance | None" = None
) -> dict[str, str]:
    """The values of the workflow's parameters: defaults of this machine, below *root*, and over them those of the command line.

    *origin*: where the run comes from; None: as git says of the manifest's folder. Raises UsageError where somebody else says it.
    """
    known, given = (
        _of_model(manifest, root, origin),
        {**parameters.given(arguments), **_of_options(arguments, manifest)},
    )
    if known:
        _refuse_own(known, given)
    return {**known, **given}


def _refuse_own(known: Mapping[str, str], given: Mapping[str, str]) -> None:
    """Raise UsageError where somebody gives what only this command says of a model's run."""
    from argosy.domain import asker

    if PROVENANCE in known and PROVENANCE in given:
        raise errors.UsageError(
            f"-p {PROVENANCE}: nobody but git and the manifest says where a run comes from; leave it out"
        )
    if asker.PARAMETER in known and asker.PARAMETER in given:
        raise errors.UsageError(
            f"-p {asker.PARAMETER}: git's author, or the account of this machine, is who asks; leave it out"
        )


def _of_options(arguments: argparse.Namespace, manifest: api.Manifest) -> dict[str, str]:
    """The parameters that --as-of and --full give. Raises UsageError where the manifest takes none such."""
    declared = [entry["name"] for entry in _parameters(manifest.main.body)]
    what = str(arguments.model or manifest.main.path)
    return {
        **as_of_option.parameter(arguments.as_of, declared, what),
        **full_option.parameter(arguments.full, declared, what),
    }


def _of_model(manifest: api.Manifest, root: Path, origin: "Provenance | None") -> dict[str, str]:
    """Defaults, on this machine, of a model's parameters: its data below *root*, and where it
    comes from."""
    for document in manifest.all():
        model = (document.body["metadata"].get("annotations") or {}).get(folder.MODEL)
        declared = {entry["name"]: entry.get("value") for entry in _parameters(document.body)}
        if model and PROVENANCE in declared:
            from argosy.cli import asking, provenance
            from argosy.domain import asker

            own = f"data/{model}"
            data = {DATA: own} if (root / own).exists() or not declared.get(DATA) else {}
            asked = (
                {asker.PARAMETER: asking.here(document.path.resolve().parent).text()}
                if asker.PARAMETER in declared
                else {}
            )
            return {**data, **asked, PROVENANCE: (origin or provenance.here(document.path)).text()}
    return {}


def _parameters(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ((body.get("spec") or {}).get("arguments") or {}).get("parameters") or []
    return found


def _find_policy(arguments: argparse.Namespace, metadata: Mapping[str, Any]) -> None:
    """Of a model's run: refuse it where nothing could judge what it makes, and say where the policy here is not the one that does."""
    model, found = (metadata.get("annotations") or {}).get(folder.MODEL), Settings.from_environment()
    if model:
        from argosy.cli import policies  # not before: it reads documents, which take a tenth of a second to load

        policies.refuse_unjudged(found, model)
        if not arguments.json:
            policies.say_others(found, model)


def _say_next_times(manifest: api.Manifest) -> None:
    """Say when a cluster would start the CronWorkflow by itself."""
    times = api.next_times(manifest, datetime.now(UTC), NEXT_TIMES)
    if times:
        shut = " (suspended: a cluster starts none)" if manifest.main.body["spec"].get("suspend") else ""
        print(f"runs once now; next times{shut}: {', '.join(map(_shown, times))}", file=sys.stderr)


def _shown(moment: datetime) -> str:
    return f"{moment:%a %Y-%m-%d %H:%M} {moment.tzname()}"


def _files(arguments: argparse.Namespace) -> list[Path]:
    if bool(arguments.model) == bool(arguments.file):
        both = f", not both: is {arguments.model!r} one more -f?" if arguments.model else ""
        raise errors.UsageError(f"name a model, or a manifest with -f FILE{both}")
    if arguments.model and Path(arguments.model).is_file():
        raise errors.UsageError(f"{arguments.model!r} is a file, and no model's folder; a manifest is named with -f")
    if arguments.file:
        return list(arguments.file)
    return [manifests.fresh(models.folder_of(arguments.model))]


def _cluster(arguments: argparse.Namespace) -> Cluster | None:
    if arguments.namespace and not arguments.context:
        raise errors.UsageError("--namespace says where in a cluster; name that with --context")
    return Cluster(arguments.context, arguments.namespace) if arguments.context else None


def _volumes(arguments: argparse.Namespace) -> dict[str, Path]:
    volumes = {}
    for text in arguments.volume:
        claim, equals, folder = text.partition("=")
        if not equals or not claim or not Path(folder).is_dir():
            raise errors.UsageError(f"--volume {text!r} is not CLAIM=FOLDER with a folder that is there")
        volumes[claim] = Path(folder)
    return volumes
