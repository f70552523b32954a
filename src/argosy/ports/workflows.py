"""The port to the workflows of a cluster: what people install, start and ask there.

A workflow is handed over as Argo's own JSON, because that is the interface that every version of Argo keeps. As runs like any other they
are told by :mod:`argosy.ports.runs`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

Workflow = Mapping[str, Any]


class Workflows(Protocol):
    """The workflows of one namespace.

    Every method raises Misconfigured where the cluster does not know us, does not allow it, or lacks Argo Workflows; TryAgain where it
    cannot be reached; UsageError where the run that is named is not there.
    """

    @property
    def namespace(self) -> str:
        """The Kubernetes namespace that they are in."""

    def template(self, name: str) -> Workflow:
        """The WorkflowTemplate *name*. Raises Misconfigured where it is not installed."""

    def installed(self) -> Sequence[Workflow]:
        """All WorkflowTemplates and CronWorkflows of the namespace, each with its ``kind``."""

    def submit(self, template: str, parameters: Mapping[str, str]) -> str:
        """Start the WorkflowTemplate *template* and return the new workflow's name."""

    def get(self, name: str) -> Workflow:
        """The workflow *name*, its nodes unpacked."""

    def newest_first(self) -> Sequence[Workflow]:
        """All workflows of the namespace."""

    def shut_down(self, name: str, strategy: str) -> None:
        """End the workflow: *strategy* ``Stop`` lets its exit handlers run, ``Terminate`` does not."""

    def suspend(self, name: str) -> None:
        """Begin no further step of the workflow."""

    def resume(self, name: str) -> None:
        """Go on with a workflow that is suspended or waits at a suspend step."""

    def answer(self, name: str, node: str, parameters: Mapping[str, str], message: str) -> None:
        """End the suspend step *node* of the workflow with *parameters* and defaults for its outputs; nothing where it does not wait.

        Raises UsageError where a parameter has neither.
        """

    def retry(self, name: str, arguments: Sequence[str]) -> None:
        """Try a workflow that failed again; *arguments*: further ones of ``argo retry``."""

    def delete(self, name: str) -> None:
        """Delete the workflow and its pods."""

    def log(self, pod: str, *, follow: bool, container: str = "main") -> Iterator[str]:
        """The lines that a step's *container* wrote; with *follow* until it ends. Nothing where the pod has not begun yet.

        Raises LookupError where the pod is gone.
        """
