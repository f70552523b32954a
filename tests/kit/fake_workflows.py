"""The workflows of a cluster in memory, for tests of what is shown of them and asked of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from argosy import errors


@dataclass
class FakeWorkflows:
    """See :class:`argosy.ports.workflows.Workflows`. ``asked`` holds what was done, in order."""

    templates: dict[str, list[str]] = field(default_factory=dict)
    """Template to the names of its parameters."""
    specs: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Template to what is installed, where that is more than its parameters."""
    known: list[dict[str, Any]] = field(default_factory=list)
    """The newest first."""
    logs: dict[str, list[str]] = field(default_factory=dict)
    """Pod to its lines; of a container that is not ``main``, ``pod/container`` to them."""
    present: list[dict[str, Any]] = field(default_factory=list)
    """What is installed, each with its kind."""
    asked: list[tuple[str, ...]] = field(default_factory=list)
    namespace: str = "team"

    def template(self, name: str) -> Mapping[str, Any]:
        """See the port."""
        if name not in self.templates:
            raise errors.Misconfigured(f"namespace {self.namespace} has no WorkflowTemplate {name!r}")
        return self.specs.get(name) or {
            "spec": {"arguments": {"parameters": [{"name": each} for each in self.templates[name]]}}
        }

    def installed(self) -> Sequence[Mapping[str, Any]]:
        """See the port."""
        return self.present

    def submit(self, template: str, parameters: Mapping[str, str]) -> str:
        """See the port."""
        self.asked.append(("submit", template, *(f"{key}={value}" for key, value in parameters.items())))
        return f"{template}-abcde"

    def get(self, name: str) -> Mapping[str, Any]:
        """See the port."""
        return next(each for each in self.known if each["metadata"]["name"] == name)

    def newest_first(self) -> Sequence[Mapping[str, Any]]:
        """See the port."""
        return self.known

    def shut_down(self, name: str, strategy: str) -> None:
        """See the port."""
        self.asked.append(("shut down", name, strategy))

    def suspend(self, name: str) -> None:
        """See the port."""
        self.asked.append(("suspend", name))

    def resume(self, name: str) -> None:
        """See the port."""
        self.asked.append(("resume", name))

    def answer(self, name: str, node: str, parameters: Mapping[str, str], message: str) -> None:
        """See the port."""
        self.asked.append(("answer", name, node, message, *(f"{key}={value}" for key, value in parameters.items())))

    def retry(self, name: str, arguments: Sequence[str]) -> None:
        """See the port."""
        self.asked.append(("retry", name, *arguments))

    def delete(self, name: str) -> None:
        """See the port."""
        self.asked.append(("delete", name))

    def log(self, pod: str, *, follow: bool, container: str = "main") -> Iterator[str]:
        """See the port."""
        key = pod if container == "main" else f"{pod}/{container}"
        if key not in self.logs:
            raise LookupError(key)
        yield from self.logs[key]
