"""What `argosy reproduce` runs again: the run or version that is meant, its manifest, and how all round it stands to what it was."""

import argparse
import dataclasses
import datetime
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy import errors, wiring
from argosy.cli import (
    code_identity,
    kept_surroundings,
    local_run,
    models,
    partial_run,
    report,
    run_documents,
    trace,
)
from argosy.cli import run as runs_verb
from argosy.domain import as_of
from argosy.domain import provenance as origins
from argosy.domain import surroundings as rules
from argosy.domain.documents import sha256
from argosy.domain.evidence import Evidence
from argosy.domain.provenance import CLEAN, UNKNOWN, Provenance
from argosy.domain.reproductions import Came
from argosy.engine import api
from argosy.engine.nodes import Node
from argosy.engine.options import Place, Prepared, RunOptions
from argosy.engine.state import runs
from argosy.engine.state.runs import RunFolder
from argosy.engine.state.stored_run import StoredRun
from argosy.ports.runs import AGAIN, FROM_RUN, UNTIL
from argosy.promotion.seals import Seals
from argosy.promotion.tracing import Tracer
from argosy.report import formats
from argosy.report.record import RunReport
from argosy.settings import Settings
from argosy.steps.champion.spec import SPEC as CHAMPION
from argosy.steps.ingest.spec import SPEC as INGEST
from argosy.templates import folder as folders

DIGESTS = {"snapshot": "snapshot-digest", "features": "features-digest", "model": "model-digest"}
"""Each stage, and the output of a step that says what it came to."""
SEARCH = "argosy-search"
"""The Secret that tells steps where trials are kept."""
NOT_RECORDED = "not recorded"
AS_IT_WAS = "as it was"


@dataclass(frozen=True)
class Original:
    """What is to come out again."""

    title: str
    model: str
    came: Came
    origin: Provenance
    folder: RunFolder | None = None
    """The run, where this machine has it; else it is made from its commit."""
    record: RunReport | None = None
    evidence: Evidence | None = None


@dataclass(frozen=True)
class Aspect:
    """One thing round a run: how it stands to what it was, in words, and what may turn a result out otherwise."""

    said: str
    changes: Sequence[str] = ()


@dataclass(frozen=True)
class Again:
    """The run that is to be made."""

    prepared: Prepared
    options: RunOptions
    given: Mapping[str, Node]
    aspects: Mapping[str, Aspect]
    """By ``manifest``, ``data``, ``champion``, ``code``, ``libraries``, ``machine``."""


def original(what: str, settings: Settings) -> Original:
    """The run or version that *what* names. Raises UsageError where there is none, or where it came to nothing."""
    named = trace.NAMED.fullmatch(what)
    if named is None and "/sha256:" in what:
        raise errors.UsageError(f"{what!r} names no model: a digest is named by seven of its digits at least")
    if named is None:
        return _of_run(run_documents.run(what).folder, settings)
    seals = Seals(wiring.artifacts(settings), wiring.verifier(settings), lambda: datetime.datetime.now(datetime.UTC))
    found = trace.of_name(Tracer(wiring.forge(settings), seals), named)
    model, digest = found.version.model, found.version.model_digest
    made = next((each for each in runs.newest_first(settings.home) if _made(each, model, digest)), None)
    if made is not None:
        return dataclasses.replace(_of_run(made, settings), title=f"{what}, made by run {made.run}")
    evidence = found.evidence
    if evidence is None:
        raise errors.UsageError(
            f"no run of this machine made {what}, and its commit has no evidence that says what it was made of"
        )
    digests = {"snapshot": evidence.snapshot_digest, "model": evidence.model_digest}
    came = Came(digests, evidence.verdict, evidence.metrics)
    return Original(what, model, came, evidence.provenance, evidence=evidence)


def _made(run: RunFolder, model: str, digest: str) -> bool:
    """True where *run* is a whole run of *model* that made the model with *digest*."""
    try:
        annotations = run.manifest()["metadata"].get("annotations") or {}
    except errors.Misconfigured:  # it never started
        return False
    if annotations.get(folders.MODEL) != model or {UNTIL, AGAIN} & annotations.keys():
        return False
    made = (node.outputs.parameters for node in run.state()[1].values() if node.outputs)
    return any(each.get(DIGESTS["model"]) == digest for each in made)


def _of_run(folder: RunFolder, settings: Settings) -> Original:
    annotations = folder.manifest()["metadata"].get("annotations") or {}
    if other := annotations.get(AGAIN):
        raise errors.UsageError(f"run {folder.run} itself reproduces {other}; name that one")
    if other := annotations.get(FROM_RUN):
        raise errors.UsageError(
            f"run {folder.run} is one step alone with what run {other} gave to it; `argosy reproduce {other}` runs the whole again"
        )
    record = report.record_of(settings.home, folder)
    reached = came(record)
    if not reached.digests:
        raise errors.UsageError(
            f"run {folder.run} came to nothing that could come out again, not even to its data; `argosy why {folder.run}` says why"
        )
    origin = Provenance.from_text(record.facts.parameters.get(origins.PARAMETER, ""))
    return Original(folder.run, record.facts.model, reached, origin, folder, record, record.evidence)


def came(record: RunReport) -> Came:
    """What the run of *record* came to."""
    digests = {stage: record.results[name] for stage, name in DIGESTS.items() if name in record.results}
    metrics = record.evidence.metrics if record.evidence else {}
    return Came(digests, record.results.get("verdict", ""), metrics)


def again(asked: argparse.Namespace, wanted: Original, settings: Settings, trials: Path) -> Again:
    """How *wanted* is run again, its trials kept in the folder *trials*. Raises UsageError where what it takes is no longer there."""
    # What this run is made of is said of it, not what the other was.
    origin = wanted.origin.model_copy(update={"code": code_identity.digest(), "images": {}})
    options = local_run.options(
        asked,
        use_cache=False,
        target=_end(wanted.folder) if wanted.folder else None,
        parameters={origins.PARAMETER: origin.text()},
    )
    options = dataclasses.replace(
        options,
        secrets={**options.secrets, SEARCH: {"ARGOSY_SEARCH_STORAGE_URI": f"sqlite:///{trials / 'optuna.db'}"}},
        by_secret={**options.by_secret, SEARCH: (Place(trials, writable=True),)},
    )
    if wanted.folder is None:
        return _of_commit(wanted, options, settings, trials)
    stored = StoredRun.read(wanted.folder)
    options = dataclasses.replace(
        options,
        working_folder=stored.working_folder,
        process_images=tuple(dict.fromkeys((*options.process_images, *stored.process_images))),
        allowed=tuple(dict.fromkeys((*options.allowed, *stored.allowed))),
        cluster=stored.cluster,
        volumes=stored.volumes,
    )
    prepared = api.prepare_again(wanted.folder, options)
    data, taken = _data(asked, wanted.folder, stored)
    tasks = {CHAMPION.name, *taken}
    given = api.given_of(prepared, options, wanted.folder, tasks)
    champion = wanted.record.champion if wanted.record else None
    aspects = {
        "manifest": Aspect("the run's own, with every file of the model's folder as it was"),
        "data": data,
        "champion": Aspect(f"as the run found it: {_champion(champion.model_digest if champion else None)}"),
        **_round(wanted),
    }
    return Again(prepared, options, given, aspects)


def _end(folder: RunFolder) -> str:
    """The step that the run ends after: the evaluation, or before that where the run in *folder* was told to end there."""
    manifest = folder.manifest()
    annotations = manifest["metadata"].get("annotations") or {}
    return str(annotations.get(UNTIL) or partial_run.evaluation(manifest["spec"]["templates"]))


def _data(asked: argparse.Namespace, folder: RunFolder, stored: StoredRun) -> tuple[Aspect, set[str]]:
    """Where the data come from, and the tasks that are not run for it."""
    if asked.kept_data:
        return Aspect("the snapshot that the run kept, as asked"), {INGEST.name}
    changed = partial_run.changed_data(folder, stored.working_folder)
    if changed:
        said = f"{', '.join(changed)} is not as the run read it: the snapshot that the run kept is taken"
        return Aspect(said), {INGEST.name}
    return Aspect("read again"), set()


def _champion(digest: str | None) -> str:
    return formats.short(digest) if digest else "none"


def _round(wanted: Original) -> dict[str, Aspect]:
    """How code, libraries and machine stand to what they were."""
    then = kept_surroundings.kept(wanted.folder.path) if wanted.folder else None
    if then is not None:
        now = kept_surroundings.here()
        found = {
            "code": rules.code_changes(then, now),
            "libraries": rules.library_changes(then, now),
            "machine": rules.machine_changes(then, now),
        }
        return {name: Aspect("" if changed else AS_IT_WAS, changed) for name, changed in found.items()}
    return {"code": _code(wanted.origin), "libraries": _libraries(wanted.record), "machine": Aspect(NOT_RECORDED)}


def _code(origin: Provenance) -> Aspect:
    """Of a run that kept only one digest, of our code and of all libraries together."""
    if origin.images:
        return Aspect("", ["it ran in images on a cluster, and runs as processes of this environment now"])
    if origin.code is None:
        return Aspect(NOT_RECORDED)
    now = code_identity.digest()
    if now == origin.code:
        return Aspect(AS_IT_WAS)
    return Aspect("", [f"code and libraries together {formats.short(origin.code)} -> {formats.short(now)}"])


def _libraries(record: RunReport | None) -> Aspect:
    if record is None or record.training is None:
        return Aspect(NOT_RECORDED)
    now = kept_surroundings.here()
    versions = {"python": now.python, **now.packages}
    known = record.training.libraries
    changed = list(rules.of_versions(known, {name: versions[name] for name in known if name in versions}))
    return Aspect("" if changed else f"as they were, as far as recorded: {', '.join(sorted(known))}", changed)


def _of_commit(wanted: Original, options: RunOptions, settings: Settings, trials: Path) -> Again:
    """From the manifest that the commit holds, which is laid into *trials*."""
    text = manifest_of_commit(wanted)
    arguments = runs_verb.defaults()
    arguments.model = wanted.model
    if wanted.evidence is not None and wanted.evidence.as_of is not None:
        arguments.as_of = as_of.text(wanted.evidence.as_of)
    file = trials / folders.MANIFEST
    file.write_bytes(text)
    manifest = api.load([file])
    values = runs_verb.values(
        arguments, manifest, settings.data_root, Provenance.from_text(options.parameters[origins.PARAMETER])
    )
    end = partial_run.evaluation(manifest.main.body["spec"]["templates"])
    options = dataclasses.replace(options, parameters=values, target=end)
    prepared = api.prepare(manifest, options)
    prepared.metadata["annotations"][AGAIN] = wanted.title
    aspects = {
        "manifest": Aspect(f"of commit {wanted.origin.commit[:12]}, with every file of the model's folder as it was"),
        "data": Aspect("read again"),
        "champion": Aspect("today's", ["the champion is today's"]),
        **_round(wanted),
    }
    return Again(prepared, options, {}, aspects)


def manifest_of_commit(wanted: Original) -> bytes:
    """The manifest that *wanted* was made by, out of git. Raises UsageError with what is missing."""
    origin = wanted.origin
    if lacking := _lacking(origin):
        raise errors.UsageError(
            f"no run of this machine made {wanted.title}, and it cannot be made from its commit: {lacking}"
        )
    text = _committed(wanted, origin.commit)
    if (found := sha256(text)) != origin.manifest:
        raise errors.UsageError(
            f"the manifest in commit {origin.commit} is {formats.short(found)}, and {wanted.title} was made by "
            f"{formats.short(origin.manifest)}; nothing is run"
        )
    return text


def _lacking(origin: Provenance) -> str:
    """Why the manifest cannot be had from the commit; empty where it can."""
    if UNKNOWN in (origin.commit, origin.manifest):
        return "nobody wrote down which commit it was"
    if origin.tree != CLEAN:
        return (
            "its files were not those of a commit"
            if origin.tree != UNKNOWN
            else "nobody looked whether its files were those of the commit"
        )
    return ""


def _committed(wanted: Original, commit: str) -> bytes:
    """The manifest of the model as *commit* has it. Raises UsageError where git cannot give it."""
    path = models.WORKFLOWS / wanted.model / folders.MANIFEST
    shown = subprocess.run(["git", "show", f"{commit}:./{path.as_posix()}"], capture_output=True, check=False)
    if shown.returncode:
        said = shown.stderr.decode(errors="replace").partition("\n")[0] or "git says nothing"
        raise errors.UsageError(
            f"commit {commit}, which {wanted.title} was made from, cannot be read here ({said}); "
            "type this in the model's project, after `git fetch --all` (`--unshallow` of a shallow clone)"
        )
    return shown.stdout
