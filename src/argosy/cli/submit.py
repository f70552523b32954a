"""Start a model's pipeline on a cluster: the same as `argo submit --from workflowtemplate/NAME`.

The template has to be installed there (argosy compile --stamp workflows/MODEL | kubectl apply --server-side -f -). Nothing of this machine
goes along but the parameters, and which commit it is where the template does not say so and is that commit's. The name may be of a template
that only the cluster has; where it has none, the models of the working folder say what was probably meant. A parameter that holds an
expression or shell code is refused: no value of a pipeline needs one.
"""

import argparse
import difflib
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from argosy import errors
from argosy.cli import as_of_option, asking, full_option, hints, models, parameters, target, watch
from argosy.cli import provenance as origins
from argosy.domain import asker, provenance
from argosy.ports.runs import Runs
from argosy.templates import folder, parameter_values
from argosy.templates import installed as comparison

if TYPE_CHECKING:
    from argosy.ports.workflows import Workflow, Workflows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="a model, or the name of a WorkflowTemplate")
    parameters.add_arguments(parser)
    as_of_option.add(parser)
    full_option.add(parser)
    parser.add_argument("--watch", action="store_true", help="show the run until it ends, and leave with its exit code")
    target.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Submit one run."""
    given = parameters.given(arguments)
    if problems := [problem for name, value in given.items() for problem in parameter_values.problems(name, value)]:
        raise errors.Rejected("\n       ".join(problems))
    template = folder.workflow_name(arguments.model)
    at, installed = _found(arguments, template)
    declared = [entry["name"] for entry in _parameters(installed)]
    given |= as_of_option.parameter(arguments.as_of, declared, template)
    given |= full_option.parameter(arguments.full, declared, template)
    _refuse_unknown(template, given, installed)
    kubectl = target.kubectl(at, arguments)
    given = {**given, **_origin(arguments.model, given, installed, kubectl), **_asked(given, declared)}
    _refuse_places_of_a_machine(template, given, installed)
    runs = target.runs_of(at, arguments)
    _say_different(arguments.model, runs, installed, kubectl)
    words = [word for name, value in given.items() for word in ("-p", f"{name}={value}")]
    target.say(runs, "submit", "--from", f"workflowtemplate/{template}", *words)
    name = at.submit(template, given)
    print(f"run {name} submitted to namespace {at.namespace}")
    if arguments.watch:
        return watch.until_over(runs, name)
    print(f"{hints.command(runs, 'watch', name)} shows it")
    return errors.DONE


def _found(arguments: argparse.Namespace, template: str) -> "tuple[Workflows, Workflow]":
    """The cluster, and the template that is installed there. Where either is missing, a slip in the name is said first."""
    try:
        at = target.workflows(arguments)
        return at, at.template(template)
    except errors.ArgosyError as error:
        if (doubt := models.doubt(arguments.model)) is None:
            raise
        raise type(error)(f"{doubt}. On the cluster: {error}") from error


def _manifest(model: str) -> Path:
    """The project's own manifest of *model*, which need not be there."""
    return models.WORKFLOWS / model.replace("-", "_") / folder.MANIFEST


def _document(manifest: Path) -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, Any] = yaml.load(manifest.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506
    return found


def _origin(model: str, given: Mapping[str, str], installed: "Workflow", kubectl: str) -> dict[str, str]:
    """The provenance of the run, if what is installed does not state it and is the project's own manifest. *kubectl*: how it is told where.

    Raises UsageError where the command line says where the run comes from.
    """
    if provenance.PARAMETER in given:
        raise errors.UsageError(
            f"-p {provenance.PARAMETER}: nobody but git and the manifest says where a run comes from; leave it out"
        )
    origin = origins.stated(installed)
    if origin is None or origin != provenance.Provenance():
        return {}
    manifest = _manifest(model)
    if manifest.exists() and not list(comparison.differences(document := _document(manifest), installed)):
        return {provenance.PARAMETER: origins.on_a_cluster(manifest, document).text()}
    print(
        f"note: nothing says which commit is installed, so production refuses what this run makes; install it with `argosy compile "
        f"--stamp {shlex.quote(str(manifest.parent))} | {kubectl} apply --server-side -f -`",
        file=sys.stderr,
    )
    return {}


def _asked(given: Mapping[str, str], declared: Sequence[str]) -> dict[str, str]:
    """Who asks for the run, if the template takes that. Raises UsageError where the command line says who."""
    if asker.PARAMETER in given:
        raise errors.UsageError(
            f"-p {asker.PARAMETER}: git's author, or the account of this machine, is who asks; leave it out"
        )
    return {asker.PARAMETER: asking.here(Path()).text()} if asker.PARAMETER in declared else {}


def _refuse_places_of_a_machine(template: str, given: Mapping[str, str], installed: "Workflow") -> None:
    """Raises UsageError where the sources of a model's pipeline are nowhere that a pod could read them."""
    if not (installed.get("metadata", {}).get("annotations") or {}).get(folder.MODEL):
        return
    values = {entry["name"]: entry.get("value") for entry in _parameters(installed)} | dict(given)
    data = values.get("data")
    if "data" in values and "://" not in str(data or ""):
        what = f"is {data!r}, a place of this machine" if data else "has no value"
        raise errors.UsageError(
            f"{template}: the parameter data {what}; a pod reads from an address: -p data=s3://<bucket>/<prefix>, or `data` in model.yaml"
        )


def _say_different(model: str, at: Runs, installed: "Workflow", kubectl: str) -> None:
    """Say where the project's manifest differs from the installed one, which is the one that runs."""
    manifest = _manifest(model)
    if not manifest.exists():
        return
    if found := list(comparison.differences(_document(manifest), installed)):
        more = (
            f" ({len(found) - 1} more: `argosy lint {shlex.join([str(manifest.parent), *at.words])}`)"
            if found[1:]
            else ""
        )
        print(
            f"note: what runs is what is installed, and that is not {manifest}: {found[0]}{more}; "
            f"to install it: argosy compile --stamp {shlex.quote(str(manifest.parent))} | "
            f"{kubectl} apply --server-side --force-conflicts -f -",
            file=sys.stderr,
        )


def _refuse_unknown(template: str, given: Mapping[str, str], installed: Mapping[str, Any]) -> None:
    """The controller takes a parameter that nobody reads without a word."""
    known = [entry["name"] for entry in _parameters(installed)]
    for name in given:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"it takes {', '.join(known) or 'none'}"
            raise errors.UsageError(f"{template} takes no parameter {name!r}; {hint}")


def _parameters(installed: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (installed["spec"].get("arguments") or {}).get("parameters") or []
    return found
