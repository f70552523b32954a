"""Which runs a verb is about: those of this machine, or those of a cluster's namespace. Decided here and nowhere else.

What is shown of a run is the same, wherever it is; of a cluster's each verb also names the command of Argo's that does what it did.
"""

import argparse
import shlex
import sys
from collections.abc import Collection
from typing import TYPE_CHECKING

from argosy import settings, wiring
from argosy.cli import named_runs
from argosy.engine.state.runs import RunFolder
from argosy.engine.stored_runs import StoredRuns
from argosy.ports.runs import Runs

if TYPE_CHECKING:
    from argosy.ports.workflows import Workflows


def add_arguments(parser: argparse.ArgumentParser, why: str = "a run on a cluster instead of this machine") -> None:
    """Declare which cluster is meant, if one is. *why*: what for."""
    group = parser.add_argument_group(why)
    group.add_argument("--cluster", action="store_true", help="the cluster and namespace that KUBECONFIG names")
    group.add_argument("--namespace", "-n", metavar="NAME", help="that namespace of it")
    group.add_argument("--context", metavar="NAME", help="that context of KUBECONFIG")


def add_run(parser: argparse.ArgumentParser) -> None:
    """Declare the run that a verb is about, here or on a cluster."""
    parser.add_argument(
        "run", help="the run, or the beginning of its name; '-' for the newest, MODEL/latest for a model's"
    )
    add_arguments(parser)


class RunsHere(StoredRuns):
    """The runs of this machine, of which a verb may also name one by its model: ``upsell/latest``."""

    def find(self, name: str) -> str:
        """See the port."""
        return named_runs.named(self.home, name).run if "/" in name else super().find(name)


def is_cluster(arguments: argparse.Namespace) -> bool:
    """True where the verb is about a cluster."""
    return bool(arguments.cluster or arguments.namespace or arguments.context)


def runs(arguments: argparse.Namespace) -> Runs:
    """The runs that *arguments* mean. Raises Misconfigured where a cluster is meant and there is none, or no client for one."""
    if is_cluster(arguments):
        return runs_of(workflows(arguments), arguments)
    found = settings.Settings.from_environment()

    def carry_out(folder: RunFolder, again: Collection[str]) -> int:
        from argosy.cli import local_run  # the whole engine: most verbs only look

        return local_run.again(arguments, folder, again)

    def forget(folder: RunFolder) -> None:
        from argosy.engine import api, options  # as above

        api.forget_artifacts(folder, options.RunOptions(home=found.home, secrets=found.secrets()))

    return RunsHere(found.home, carry_out, forget)


def runs_of(at: "Workflows", arguments: argparse.Namespace) -> Runs:
    """The workflows *at* a cluster, which *arguments* mean, as runs."""
    return wiring.cluster_runs(at, arguments.context)


def kubectl(at: "Workflows", arguments: argparse.Namespace) -> str:
    """The beginning of a kubectl command about the namespace *at*, which *arguments* mean."""
    context = ["--context", arguments.context] if arguments.context else []
    return shlex.join(["kubectl", "-n", at.namespace, *context])


def workflows(arguments: argparse.Namespace) -> "Workflows":
    """The workflows and templates on the cluster that *arguments* mean. Raises Misconfigured where there is none, or no client for one."""
    return wiring.workflows(arguments.namespace, arguments.context)


def say(at: Runs, *words: str) -> None:
    """Name the command of Argo's that does what *words* do, where there is one."""
    if command := at.equivalent(*words):
        print(f"# {shlex.join(command)}", file=sys.stderr)
