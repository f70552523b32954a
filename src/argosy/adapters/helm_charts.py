"""Charts through pyhelm3, which drives the program ``helm``."""

import asyncio
import contextlib
import logging
import re
import subprocess
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pyhelm3
from pyhelm3 import errors as helm_errors

from argosy import errors
from argosy.ports.charts import HelmRelease, Manifest

T = TypeVar("T")
TIMEOUT = "5m"
INSTALL = "https://helm.sh/docs/intro/install"
SCHEMA = "values don't meet the specifications of the schema"
UNREACHABLE = (
    "cluster unreachable",
    "connection refused",
    "no such host",
    "i/o timeout",
    "was refused",
    "tls handshake timeout",
)


REFUSAL = re.compile(r"execution error at \([^)]*\): (?P<reason>.*?)(?: Use --debug flag .*)?$")
"""The message of a template's ``fail``, which refuses values."""

KUBERNETES = "1.29.0"
"""The oldest that charts take."""


class _Command(pyhelm3.Command):  # type: ignore[misc]  # the library has no types
    """The program, which renders for :data:`KUBERNETES`.

    Asked of no cluster, a Helm goes by the version that it was built with: 1.20 where `go install` made it.
    """

    async def run(self, command: list[Any], input: bytes | None = None) -> bytes:  # noqa: A002 - the library names it so
        if command[0] == "template":
            command = [*command, "--kube-version", KUBERNETES]
        ended: bytes = await super().run(command, input)
        return ended


class HelmCharts:
    """Helm releases, through the program ``helm``; see :class:`argosy.ports.charts.Charts`."""

    def __init__(self, *, executable: str = "helm", context: str | None = None) -> None:
        """*executable*: the program, by name or path. *context*: of KUBECONFIG. Raises Misconfigured where the program is missing."""
        # It repeats as warnings what it raises.
        logging.getLogger("pyhelm3").setLevel(logging.CRITICAL)
        try:
            command = _Command(executable=executable, kubecontext=context, default_timeout=TIMEOUT)
            self._client = pyhelm3.Client(command, executable=executable)
        except AssertionError as error:
            raise errors.Misconfigured(
                f"the program `{executable}` is not on PATH; install Helm ({INSTALL}), or say where it is with --helm"
            ) from error
        except ValueError as error:
            raise errors.Misconfigured(
                f"`{executable} version` says {_first_word(error)!r}, which is no version of three numbers, and pyhelm3 takes no other. "
                f"A Helm that `go install` made says so, of whatever version it is: take a released one ({INSTALL}), 3 or 4, and name it "
                "with --helm"
            ) from error
        except (OSError, subprocess.CalledProcessError) as error:
            said = (
                error.stderr.decode(errors="replace").strip()
                if isinstance(error, subprocess.CalledProcessError)
                else error
            )
            raise errors.Misconfigured(
                f"`{executable} version` cannot be run: {said or error}; name a Helm that can with --helm"
            ) from error

    def installed(self, name: str, namespace: str) -> HelmRelease | None:
        with _reported(f"looking for release {name} in {namespace}"):
            try:
                return _run(self._release(self._client.get_current_revision(name, namespace=namespace)))
            except helm_errors.ReleaseNotFoundError:
                return None

    def manifests(self, release: HelmRelease) -> Sequence[Manifest]:
        async def ask() -> list[Manifest]:
            revision = await self._client.get_current_revision(release.name, namespace=release.namespace)
            return [one for one in await revision.resources() if one]

        with _reported(f"reading release {release.name}"):
            return _run(ask())

    def rendered(self, chart: Path, name: str, namespace: str, values: Manifest) -> Sequence[Manifest]:
        async def ask() -> list[Manifest]:
            found = await self._client.get_chart(chart)
            return [
                one for one in await self._client.template_resources(found, name, values, namespace=namespace) if one
            ]

        with _reported(f"rendering {chart.name}"):
            return _run(ask())

    def apply(self, chart: Path, name: str, namespace: str, values: Manifest) -> HelmRelease:
        async def ask() -> Any:
            found = await self._client.get_chart(chart)
            return await self._client.install_or_upgrade_release(
                name, found, values, namespace=namespace, create_namespace=True, atomic=True, cleanup_on_fail=True
            )

        with _reported(f"installing {name} in {namespace}"):
            return _run(self._release(ask()))

    @staticmethod
    async def _release(found: Coroutine[Any, Any, Any]) -> HelmRelease:
        revision = await found
        metadata = await revision.chart_metadata()
        return HelmRelease(
            name=revision.release.name,
            namespace=revision.release.namespace,
            revision=revision.revision,
            chart_version=metadata.version,
            status=str(revision.status.value),
            notes=revision.notes or "",
        )


def _run(asked: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asked)


@contextlib.contextmanager
def _reported(doing: str) -> Iterator[None]:
    """Turn what helm says while *doing* into what Argosy says."""
    try:
        yield
    except helm_errors.Error as error:
        said = explained(str(error))
        if isinstance(error, helm_errors.ConnectionError) or any(word in said.lower() for word in UNREACHABLE):
            raise errors.TryAgain(
                f"{doing}: the cluster cannot be reached: {said}; is KUBECONFIG set to it?"
            ) from error
        raise errors.Misconfigured(f"{doing}: {said}{_remedy(said)}") from error


def _remedy(said: str) -> str:
    if "cannot be imported into the current release" in said:
        return (
            ". Somebody else made it: delete it, or leave it to them (serving.createNamespaces: false for a namespace)"
        )
    return ""


def explained(stderr: str) -> str:
    """The reason of a failure, from helm's standard error: without its own warnings and the words that every failure begins with."""
    lines = [
        line.strip() for line in stderr.splitlines() if line.strip() and not line.startswith(("WARNING", "level="))
    ]
    text = " ".join(lines).removeprefix("Error: ")
    if refused := REFUSAL.search(text):
        return refused["reason"]
    _, schema, what = text.partition(SCHEMA)
    if not schema:
        return text
    return f"the values do not fit the chart:{what.partition('(s) in the following chart(s):')[2] or what}"


def _first_word(error: ValueError) -> str:
    """The text that was taken for a version: the library's message begins with it."""
    return str(error).split(" ", 1)[0].strip()
