"""Carries out a ``resource`` template through kubectl, as Argo's executor does: act, wait for a condition, read what came of it.

It changes a cluster, so it needs one that the caller named: never the one that happens to be current.
"""

import asyncio
import contextlib
import json
import shutil
from pathlib import Path

import yaml

from argosy.argo import Phase
from argosy.engine.attempts import object_conditions
from argosy.engine.attempts.engine_tasks import EngineTask
from argosy.engine.effects import PodResult
from argosy.engine.manifest.model import Template, ValueFrom
from argosy.engine.nodes import Json, Outputs
from argosy.engine.options import Cluster

INTERVAL = 1.0
"""Seconds between two looks at what a condition waits for."""

FAILED = 64
"""The exit code of Argo's executor where it fails itself."""

GONE = "The resource has been deleted while its status was still being checked. Will not be retried"


class _Failure(Exception):
    """The template cannot be carried out, for the reason it has as its text."""


class Action(EngineTask):
    """One ``resource`` template under way. *folder* is its own."""

    def __init__(self, template: Template, cluster: Cluster, folder: Path) -> None:
        self._resource = template.resource
        self._outputs = template.outputs.parameters
        self._cluster = cluster
        self._folder = folder

    async def _result(self) -> PodResult:
        try:
            found = await self._act()
            if self._resource.action == "delete":
                return PodResult(Phase.SUCCEEDED, outputs=Outputs(exit_code="0"))
            if found:
                await self._wait(found)
            read = [entry for entry in self._outputs if entry.value_from.written]
            values = {entry.name: await self._value(entry.value_from, found) for entry in read}
        except (_Failure, object_conditions.SelectorError) as failure:
            message = f"main: Error (exit code {FAILED}): {failure}"
            return PodResult(Phase.FAILED, message, Outputs(exit_code=str(FAILED)))
        return PodResult(Phase.SUCCEEDED, outputs=Outputs(parameters=values, exit_code="0"))

    # What is done

    async def _act(self) -> Json | None:
        """Do it; the object that came of it, None where there is none."""
        action, manifest, flags = self._resource.action, self._resource.manifest, self._resource.flags
        if not manifest and not flags:
            raise _Failure("Must provide at least one of flags or manifest.")
        if action == "delete" and (
            self._resource.success_condition or self._resource.failure_condition or self._outputs
        ):
            raise _Failure("successCondition, failureCondition and outputs are not supported for delete action")
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / "manifest.yaml"
        file.write_text(manifest, encoding="utf-8")
        said = await self._run(*self._kubectl(action, *self._words(action, manifest, flags, file)))
        if action == "delete" or not said.strip():
            return None
        found: Json = json.loads(said)
        if not found.get("kind") or not (found.get("metadata") or {}).get("name"):
            raise _Failure("Kind and name are both required but at least one of them is missing from the manifest")
        return found

    def _words(self, action: str, manifest: str, flags: list[str], file: Path) -> list[str]:
        words = ["--ignore-not-found"] if action == "delete" else []
        names_a_file = bool(manifest)
        if action == "patch":
            strategy = self._resource.merge_strategy or "strategic"
            words += ["--type", strategy, "--patch-file", str(file)]
            # A patch that names no kind is for the object that the flags name.
            names_a_file = strategy != "json" and not (flags and "kind" not in _mapping(manifest))
        words += [*flags, *(["-f", str(file)] if names_a_file else [])]
        return [*words, "-o", "name" if action == "delete" else "json"]

    # What is waited for

    async def _wait(self, found: Json) -> None:
        success, failure = self._resource.success_condition, self._resource.failure_condition
        wanted = object_conditions.parsed(success) if success else []
        feared = object_conditions.parsed(failure) if failure else []
        while wanted or feared:
            now = await self._now(found)
            for requirement in feared:
                if requirement.holds(now):
                    raise _Failure(f"failure condition '{requirement}' evaluated true")
            if all(requirement.holds(now) for requirement in wanted):
                return
            await asyncio.sleep(INTERVAL)

    async def _now(self, found: Json) -> Json:
        said = await self._run(*self._get(found, "--ignore-not-found", "-o", "json"))
        if not said.strip():
            raise _Failure(GONE)
        now: Json = json.loads(said)
        return now

    # What is read

    async def _value(self, source: ValueFrom, found: Json | None) -> str:
        if found is None:
            return source.default or ""
        if source.json_path:
            return await self._run(*self._get(found, "-o", f"jsonpath={source.json_path}"))
        content = await self._run(*self._get(found, "-o", "json"))
        return (await self._run("jq", "--raw-output", "--compact-output", source.jq_filter, sent=content)).strip()

    def _get(self, found: Json, *words: str) -> list[str]:
        group = found["apiVersion"].partition("/")[0] if "/" in found["apiVersion"] else ""
        name = f"{found['kind'].lower()}.{group}/{found['metadata']['name']}"
        return self._kubectl("get", name, *words, namespace=found["metadata"].get("namespace"))

    def _kubectl(self, *words: str, namespace: str | None = None) -> list[str]:
        chosen = namespace or self._cluster.namespace
        return ["kubectl", "--context", self._cluster.context, *(("--namespace", chosen) if chosen else ()), *words]

    async def _run(self, *words: str, sent: str = "") -> str:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            output, complaint = await process.communicate(sent.encode())
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            raise
        if process.returncode:
            reason = complaint.decode(errors="replace").strip().removeprefix("error: ")
            raise _Failure(f"no more retries {reason}" if words[0] == "kubectl" else reason)
        return output.decode(errors="replace")


def missing(template: Template, cluster: Cluster | None) -> str | None:
    """The thing that this machine lacks for the ``resource`` *template*; None where it has all."""
    if cluster is None:
        return "changes a cluster; name the one it may change with --context, and --namespace"
    filters = any(entry.value_from.jq_filter for entry in template.outputs.parameters)
    for program in ("kubectl", *(("jq",) if filters else ())):
        if shutil.which(program) is None:
            return f"needs {program}, which is not on PATH; install it"
    return None


def _mapping(manifest: str) -> Json:
    try:
        found = yaml.safe_load(manifest)
    except yaml.YAMLError as error:
        raise _Failure(str(error)) from None
    return found if isinstance(found, dict) else {}
