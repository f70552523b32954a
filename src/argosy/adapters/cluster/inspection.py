"""A look at a cluster: versions, resource types, rights, and what lies in a namespace."""

import base64
import datetime
import email.utils
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import yaml
from kubernetes import client
from kubernetes.client.exceptions import ApiException
from kubernetes.utils import quantity

from argosy.adapters.cluster.client import FORBIDDEN, NOT_FOUND, TIMEOUT_SECONDS, connect, reported
from argosy.domain.diagnosis import Right
from argosy.domain.team_checks import PolicyHold, QuotaUse

T = TypeVar("T")
CONTROLLER = "workflow-controller-configmap"
REPOSITORIES = "artifact-repositories"
DEFAULT_REPOSITORY = "workflows.argoproj.io/default-artifact-repository"
MODEL, SERVER = "argosy.dev/model", "kserve-container"
"""The label of what belongs to a model, and the container that serves it."""
OURS = "app.kubernetes.io/part-of=argosy"


class ClusterInspection:
    """A cluster through the Kubernetes API, read only; see :class:`argosy.ports.inspection.Inspection`."""

    def __init__(self, context: str | None = None) -> None:
        """The cluster of *context*, or the one at hand."""
        self._api = connect(context)
        self._core = client.CoreV1Api(self._api)
        self._apps = client.AppsV1Api(self._api)

    def version(self) -> str:
        with reported("asking for the version"):
            return str(client.VersionApi(self._api).get_code(_request_timeout=TIMEOUT_SECONDS).git_version)

    def ahead(self) -> float:
        with reported("asking for the time"):
            _, _, headers = client.VersionApi(self._api).get_code_with_http_info(_request_timeout=TIMEOUT_SECONDS)
        theirs = email.utils.parsedate_to_datetime(headers["Date"])
        return (datetime.datetime.now(datetime.UTC) - theirs).total_seconds()

    def definitions(self) -> Mapping[str, Sequence[str]]:
        with reported("listing resource types"):
            found = client.ApiextensionsV1Api(self._api).list_custom_resource_definition(
                _request_timeout=TIMEOUT_SECONDS
            )
        return {
            one.metadata.name: [version.name for version in one.spec.versions if version.served] for one in found.items
        }

    def images(self) -> Sequence[str] | None:
        with reported("listing deployments"):
            listed = [
                _allowed(lambda: self._apps.list_deployment_for_all_namespaces(_request_timeout=TIMEOUT_SECONDS)),
                _allowed(lambda: self._apps.list_stateful_set_for_all_namespaces(_request_timeout=TIMEOUT_SECONDS)),
            ]
        if all(one is None for one in listed):
            return None
        sets = [one for found in listed if found for one in found.items]
        return [container.image for one in sets for container in one.spec.template.spec.containers]

    def may(self, right: Right, namespace: str) -> bool:
        asked = client.V1ResourceAttributes(
            verb=right.verb,
            group=right.group,
            resource=right.resource,
            subresource=right.subresource,
            namespace=namespace,
        )
        review = client.V1SelfSubjectAccessReview(spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=asked))
        with reported("asking for rights"):
            answer = client.AuthorizationV1Api(self._api).create_self_subject_access_review(
                review, _request_timeout=TIMEOUT_SECONDS
            )
        return bool(answer.status.allowed)

    def accounts(self, namespace: str) -> Sequence[str]:
        with reported(f"listing the service accounts of {namespace}"):
            found = self._core.list_namespaced_service_account(namespace, _request_timeout=TIMEOUT_SECONDS)
        return [one.metadata.name for one in found.items]

    def config_map(self, name: str, namespace: str) -> Mapping[str, str] | None:
        with reported(f"reading the ConfigMap {name} of {namespace}"):
            found = _there(
                lambda: self._core.read_namespaced_config_map(name, namespace, _request_timeout=TIMEOUT_SECONDS)
            )
        return (found.data or {}) if found else None

    def pipelines(self, namespace: str) -> Sequence[Mapping[str, Any]] | None:
        return self._listed(namespace, "workflowtemplates", "WorkflowTemplates", label_selector=OURS)

    def event_sources(self, namespace: str) -> Sequence[Mapping[str, Any]] | None:
        return self._listed(namespace, "eventsources", "EventSources")

    def _listed(self, namespace: str, plural: str, called: str, **selector: str) -> Sequence[Mapping[str, Any]] | None:
        """Argo's own objects of a type in *namespace*, empty where there is no such type; None where they may not be listed."""
        objects = client.CustomObjectsApi(self._api)

        def ask() -> Any:
            listed = objects.list_namespaced_custom_object(
                "argoproj.io", "v1alpha1", namespace, plural, _request_timeout=TIMEOUT_SECONDS, **selector
            )
            return listed["items"]

        with reported(f"listing the {called} of {namespace}"):
            found: Sequence[Mapping[str, Any]] | None = _allowed(lambda: _there(ask) or [])
        return found

    def artifact_repository(self, namespace: str) -> Mapping[str, Any] | None:
        with reported(f"reading the ConfigMap {REPOSITORIES} of {namespace}"):
            own = _there(
                lambda: self._core.read_namespaced_config_map(REPOSITORIES, namespace, _request_timeout=TIMEOUT_SECONDS)
            )
        default = ((own.metadata.annotations or {}) if own else {}).get(DEFAULT_REPOSITORY)
        if own and default in (own.data or {}):
            return _mapping(own.data[default])
        found = self._controllers()
        if found is None:
            return None
        settings = (_setting(data, "artifactRepository") for data in found.values())
        return next((setting for setting in settings if setting), {})

    def secret_keys(self, name: str, namespace: str) -> Sequence[str] | None:
        with reported(f"reading the Secret {name} of {namespace}"):
            found = _there(lambda: self._core.read_namespaced_secret(name, namespace, _request_timeout=TIMEOUT_SECONDS))
        return [key for key, value in (found.data or {}).items() if base64.b64decode(value).strip()] if found else None

    def server_arguments(self, namespace: str) -> Sequence[tuple[str, Sequence[str]]] | None:
        with reported(f"listing the pods of {namespace} that serve models"):
            found = _allowed(
                lambda: self._core.list_namespaced_pod(
                    namespace, label_selector=MODEL, _request_timeout=TIMEOUT_SECONDS
                )
            )
        if found is None:
            return None
        return [
            (one.metadata.labels[MODEL], container.args or [])
            for one in found.items
            for container in one.spec.containers
            if container.name == SERVER
        ]

    def namespaces(self) -> Mapping[str, Mapping[str, str]] | None:
        with reported("listing namespaces"):
            found = _allowed(lambda: self._core.list_namespace(_request_timeout=TIMEOUT_SECONDS))
        return {one.metadata.name: one.metadata.labels or {} for one in found.items} if found else None

    def executors(self) -> Mapping[str, Mapping[str, Any]] | None:
        found = self._controllers()
        if found is None:
            return None
        contexts = {name: _setting(data, "executor").get("securityContext") for name, data in found.items()}
        return {name: context if isinstance(context, dict) else {} for name, context in contexts.items()}

    def _controllers(self) -> Mapping[str, Mapping[str, str]] | None:
        """The settings of each workflow controller by its namespace; None where they may not be listed."""
        with reported(f"looking for the ConfigMap {CONTROLLER}"):
            found = _allowed(
                lambda: self._core.list_config_map_for_all_namespaces(
                    field_selector=f"metadata.name={CONTROLLER}", _request_timeout=TIMEOUT_SECONDS
                )
            )
        return {one.metadata.namespace: one.data or {} for one in found.items} if found else None

    def initializers(self) -> Mapping[str, Mapping[str, Any]] | None:
        objects = client.CustomObjectsApi(self._api)

        def ask() -> Any:
            listed = objects.list_cluster_custom_object(
                "serving.kserve.io", "v1alpha1", "clusterstoragecontainers", _request_timeout=TIMEOUT_SECONDS
            )
            return listed["items"]

        with reported("listing ClusterStorageContainers"):
            found = _allowed(lambda: _there(ask) or [])
        if found is None:
            return None
        return {
            one["metadata"]["name"]: one.get("spec", {}).get("container", {}).get("securityContext") or {}
            for one in found
        }

    def quotas(self, namespace: str) -> Sequence[QuotaUse] | None:
        with reported(f"listing the quotas of {namespace}"):
            found = _allowed(
                lambda: self._core.list_namespaced_resource_quota(namespace, _request_timeout=TIMEOUT_SECONDS)
            )
        if found is None:
            return None
        return [
            QuotaUse(
                name, (one.status.used or {}).get(name, "0"), most, _share((one.status.used or {}).get(name, "0"), most)
            )
            for one in found.items
            for name, most in sorted(((one.status and one.status.hard) or {}).items())
        ]

    def policy_holds(self) -> Sequence[PolicyHold] | None:
        api = client.AdmissionregistrationV1Api(self._api)
        with reported("listing admission policies"):
            policies = _allowed(lambda: api.list_validating_admission_policy(_request_timeout=TIMEOUT_SECONDS))
            bindings = _allowed(lambda: api.list_validating_admission_policy_binding(_request_timeout=TIMEOUT_SECONDS))
        if policies is None or bindings is None:
            return None
        there = {one.metadata.name for one in policies.items}
        return [
            PolicyHold(one.spec.policy_name, _namespaces(one.spec.match_resources), one.spec.validation_actions)
            for one in bindings.items
            if one.spec.policy_name in there
        ]

    def template_referencing(self) -> Mapping[str, str] | None:
        found = self._controllers()
        if found is None:
            return None
        settings = {name: _setting(data, "workflowRestrictions") for name, data in found.items()}
        return {name: str(setting.get("templateReferencing") or "") for name, setting in settings.items()}


def _share(used: str, most: str) -> float:
    """*used* of *most*. Nothing of nothing is a resource that nobody may have, and none of it is missed."""
    limit = quantity.parse_quantity(most)
    return float(quantity.parse_quantity(used) / limit) if limit else 0.0


def _namespaces(matched: Any) -> list[str]:
    """The namespaces that a binding names."""
    selector = matched.namespace_selector if matched else None
    expressions = (selector.match_expressions if selector else None) or []
    return [
        name
        for one in expressions
        if one.key == "kubernetes.io/metadata.name" and one.operator == "In"
        for name in one.values
    ]


def _setting(data: Mapping[str, str], name: str) -> Mapping[str, Any]:
    """The setting *name* of a controller, whose ConfigMap holds settings by name, or all of them under ``config``."""
    return _mapping(data[name]) if name in data else _as_mapping(_mapping(data.get("config", "")).get(name))


def _mapping(text: str) -> Mapping[str, Any]:
    """The mapping that *text* is in YAML; empty where it is none, as the controller does not read it either."""
    try:
        return _as_mapping(yaml.safe_load(text))
    except yaml.YAMLError:
        return {}


def _as_mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _there(ask: Callable[[], Any]) -> Any:
    """The answer of *ask*, or None where the API server knows no such thing (404)."""
    return _unless(NOT_FOUND, ask)


def _allowed(ask: Callable[[], Any]) -> Any:
    """The answer of *ask*, or None where RBAC forbids asking (403)."""
    return _unless(FORBIDDEN, ask)


def _unless(status: int, ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except ApiException as error:
        if error.status == status:
            return None
        raise
