"""The port to a cluster that is looked at, and in no way changed."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from argosy.domain.diagnosis import Right
from argosy.domain.team_checks import PolicyHold, QuotaUse


class Inspection(Protocol):
    """A cluster, inspected. Every method raises TryAgain where it cannot be reached, Misconfigured where it refuses to answer."""

    def version(self) -> str:
        """Kubernetes' own, such as ``v1.34.4``."""

    def ahead(self) -> float:
        """Seconds by which this machine's clock is ahead of the cluster's, to about a second."""

    def definitions(self) -> Mapping[str, Sequence[str]]:
        """Name of each custom resource type to the versions that are served."""

    def images(self) -> Sequence[str] | None:
        """The images of all deployments and stateful sets; None where they may not be listed."""

    def may(self, right: Right, namespace: str) -> bool:
        """True where RBAC gives whoever asks *right* in *namespace*."""

    def accounts(self, namespace: str) -> Sequence[str]:
        """The service accounts of *namespace*."""

    def config_map(self, name: str, namespace: str) -> Mapping[str, str] | None:
        """The content of a ConfigMap, or None where there is none."""

    def pipelines(self, namespace: str) -> Sequence[Mapping[str, Any]] | None:
        """The WorkflowTemplates of *namespace* that Argosy compiled; None where they may not be listed."""

    def artifact_repository(self, namespace: str) -> Mapping[str, Any] | None:
        """Argo's artifact repository for workflows of *namespace*: the namespace's own, else the controller's. Empty where there is none;
        None where only the controller could have one, and its ConfigMap may not be read."""

    def event_sources(self, namespace: str) -> Sequence[Mapping[str, Any]] | None:
        """The EventSources of *namespace*, empty where the cluster knows no such type; None where they may not be listed."""

    def secret_keys(self, name: str, namespace: str) -> Sequence[str] | None:
        """The keys of a Secret that hold something, never what; blanks and a line's end alone are nothing. None where there is no such
        Secret."""

    def server_arguments(self, namespace: str) -> Sequence[tuple[str, Sequence[str]]] | None:
        """Of each pod of *namespace* that serves a model: the model, and the arguments of its server; None where they may not be listed."""

    def namespaces(self) -> Mapping[str, Mapping[str, str]] | None:
        """Name of each namespace to its labels; None where they may not be listed."""

    def executors(self) -> Mapping[str, Mapping[str, Any]] | None:
        """The ``securityContext`` that each Argo Workflows controller gives its own containers, by the controller's namespace; empty where
        its ConfigMap says nothing of it. None where ConfigMaps of other namespaces may not be listed."""

    def initializers(self) -> Mapping[str, Mapping[str, Any]] | None:
        """The ``securityContext`` of what fetches models for KServe, by name of the ClusterStorageContainer; empty where it has none.
        None where they may not be listed."""

    def quotas(self, namespace: str) -> Sequence[QuotaUse] | None:
        """What the ResourceQuotas of *namespace* limit, and how much of it is used; None where they may not be listed."""

    def policy_holds(self) -> Sequence[PolicyHold] | None:
        """Where ValidatingAdmissionPolicies hold that are bound by names of namespaces; None where they may not be listed."""

    def template_referencing(self) -> Mapping[str, str] | None:
        """The ``templateReferencing`` of each Argo Workflows controller, by its namespace; empty text where it has none. None where
        ConfigMaps of other namespaces may not be listed."""
