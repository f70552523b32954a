"""Write the report of a run: one HTML file that opens from disk in a browser, with no network.

A run that failed or still goes on has a report too. `argosy run` writes it at the end of a model's run; this verb writes it again, or for a
run that was killed.
"""

import argparse
import tempfile
import webbrowser
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from argosy import argo, errors
from argosy.argo import NodeType
from argosy.cli import named_runs
from argosy.domain.model_settings import CommonSettings
from argosy.domain.policy import Policy
from argosy.engine import nodes as engine_nodes
from argosy.engine.state import journal, runs, stored_run
from argosy.files import model_folder
from argosy.report import record
from argosy.settings import Settings
from argosy.templates import folder as folders

PAGE = "report.html"
PEAK = "peak-memory-bytes"
LAST_WORDS = 20
"""Lines of a failed step's log that a report quotes at most."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run", nargs="?", metavar="RUN", help="the run, the beginning of its name, or MODEL/latest; default: the newest"
    )
    parser.add_argument("--open", action="store_true", help="open it in the browser")


def run(arguments: argparse.Namespace) -> int:
    """Write the report and say where it is."""
    settings = Settings.from_environment()
    folder = named_runs.named(settings.home, arguments.run) if arguments.run else runs.find(settings.home, None)
    page = write(settings.home, folder)
    print(page)
    if arguments.open and not webbrowser.open(page.as_uri()):
        raise errors.Misconfigured(f"this machine has no browser that can be started; open {page} by hand")
    return errors.DONE


def after_run(home: Path, run: str, peak_bytes: int | None = None) -> str:
    """Write the report of *run*, a model's; returns the lines that sum it up.

    *peak_bytes*: what the run held of memory at most; kept in the run's folder, and of a run that was resumed the greater counts.
    """
    folder = runs.find(home, run)
    if peak_bytes is not None:
        (folder.path / PEAK).write_text(str(max(peak_bytes, _peak(folder) or 0)), encoding="utf-8")
    from argosy.report import terminal

    return terminal.summary(record_of(home, folder), write(home, folder))


def write(home: Path, folder: runs.RunFolder) -> Path:
    """Write the report of the run in *folder*; returns where it is. Raises LocalDisk, or Misconfigured, where it cannot be written."""
    from argosy.report import html

    page = folder.path / PAGE
    try:
        html.write(record_of(home, folder), page)
    except OSError as error:
        said = f"the report cannot be written to {page}: {error.strerror}"
        if errors.is_disk_full(error):
            raise errors.LocalDisk(f"{said}; free space there") from error
        raise errors.Misconfigured(f"{said}; give this user the right to write there") from error
    return page


def record_of(home: Path, folder: runs.RunFolder) -> record.RunReport:
    """The record of the run in *folder*, for a report."""
    manifest = folder.manifest()
    meta, nodes = folder.state()
    workflow = _workflow(manifest, nodes)
    model = _annotations(manifest).get(folders.MODEL) or workflow

    find = artifacts(home, nodes)
    facts = record.Facts(
        run=folder.run,
        model=model,
        phase=meta.get("phase", "Running"),
        started=float(meta.get("started") or min((node.started for node in nodes.values()), default=0.0)),
        finished=float(meta["finished"]) if meta.get("finished") else None,
        message=meta.get("message", ""),
        parameters=_parameters(manifest),
        peak_bytes=_peak(folder),
        part=stored_run.part_of(manifest.get("metadata") or {}),
    )
    return record.collect(
        find,
        facts=facts,
        entries=_entries(folder, workflow, nodes),
        settings=_settings(manifest),
        policy=_policy(find),
        results=_results(nodes),
    )


def artifacts(home: Path, nodes: Mapping[str, engine_nodes.Node]) -> record.FindArtifact:
    """Finds the artifacts of a run by template and name. Of several the last one counts: a retried step has one an attempt."""

    def find(template: str, output: str) -> Path | None:
        # A step that shares a pod is a container of it, and the pod has its outputs.
        pods = {node.boundary for node in nodes.values() if _is_container(node) and node.display_name == template}
        holders = [node for node in nodes.values() if node.template == template or node.name in pods]
        found = [path for node in holders if (path := runs.artifact(home, node, output)) is not None]
        return found[-1] if found else None

    return find


def _entries(folder: runs.RunFolder, workflow: str, nodes: Mapping[str, engine_nodes.Node]) -> tuple[record.Entry, ...]:
    attempts: dict[str, list[journal.Attempt]] = {}
    for attempt in journal.read_attempts(folder.path / runs.JOURNAL) if nodes else []:
        attempts.setdefault(attempt.node, []).append(attempt)
    shared = {node.boundary for node in nodes.values() if _is_container(node)}
    pods = [
        node
        for node in nodes.values()
        if (node.type is NodeType.POD and node.name not in shared)
        or (_is_container(node) and node.name in attempts)  # without one it never had its turn
    ]
    return tuple(_entry(folder, workflow, node, attempts.get(node.name, [])) for node in pods)


def _is_container(node: engine_nodes.Node) -> bool:
    return node.type is NodeType.CONTAINER


def _entry(
    folder: runs.RunFolder, workflow: str, node: engine_nodes.Node, attempts: Sequence[journal.Attempt]
) -> record.Entry:
    # A node comes up when it could start; its process starts when there is a place. After a resume the wait has no meaning.
    return record.Entry(
        name=argo.local_name(node.name, workflow),
        template=node.display_name if _is_container(node) else node.template,
        phase=str(node.phase),
        started=attempts[-1].started if attempts else node.started,
        finished=node.finished,
        ready=node.started if len(attempts) == 1 else None,
        cached=node.cached,
        message=node.message,
        error=_last_words(folder, workflow, node, attempts) if node.phase.unsuccessful else "",
    )


def _last_words(
    folder: runs.RunFolder, workflow: str, node: engine_nodes.Node, attempts: Sequence[journal.Attempt]
) -> str:
    """The last message of a failed step: from its last ``error:`` line on, or else the end of its log."""
    log = folder.attempt(workflow, node.name, attempts[-1].number) / "main.log" if attempts else None
    if log is None or not log.exists():
        return ""
    lines = log.read_text(encoding="utf-8", errors="replace").rstrip().splitlines()
    errors_at = [number for number, line in enumerate(lines) if line.startswith("error:")]
    return "\n".join(lines[errors_at[-1] :] if errors_at else lines[-LAST_WORDS:])[:4000]


def _peak(folder: runs.RunFolder) -> int | None:
    path = folder.path / PEAK
    return int(path.read_text(encoding="utf-8")) if path.exists() else None


def _workflow(manifest: Mapping[str, Any], nodes: Mapping[str, engine_nodes.Node]) -> str:
    """The workflow's name, which all names of nodes begin with."""
    return str(manifest.get("workflow") or next(iter(nodes), "workflow"))


def _annotations(manifest: Mapping[str, Any]) -> Mapping[str, str]:
    return (manifest.get("metadata") or {}).get("annotations") or {}


def _arguments(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    return manifest.get("arguments") or {}


def _parameters(manifest: Mapping[str, Any]) -> dict[str, str]:
    given = _arguments(manifest).get("parameters") or []
    return {parameter["name"]: str(parameter["value"]) for parameter in given if parameter.get("value") is not None}


def _settings(manifest: Mapping[str, Any]) -> CommonSettings | None:
    """The model's settings, which travelled with the manifest; None where they are not what they should be: the run said so."""
    given = _arguments(manifest).get("artifacts") or []
    text = next(
        (artifact["raw"]["data"] for artifact in given if artifact["name"] == "settings" and "raw" in artifact), None
    )
    if text is None:
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        try:
            return model_folder.load_any(Path(file.name))
        except errors.Misconfigured:
            return None


def _policy(find: record.FindArtifact) -> Policy | None:
    champion = find("champion", "champion")
    if champion is None or not (champion / "policy.yaml").exists():
        return None
    try:
        return model_folder.load_policy(champion / "policy.yaml")
    except errors.Misconfigured:
        return None


def _results(nodes: Mapping[str, engine_nodes.Node]) -> dict[str, str]:
    """All short output values, by name; of two with one name the later."""
    return {
        name: value
        for node in nodes.values()
        if node.outputs and node.type is NodeType.POD
        for name, value in node.outputs.parameters.items()
        if name not in {"batches", "finished"}
    }
