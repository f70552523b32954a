"""The cache of steps: what a step gave, under a key made of everything it depends on.

Only templates annotated ``argosy.dev/cache: "true"`` or ``argosy.dev/cache-observes`` are cached. The key is made of the code's identity,
the command, script and environment (secrets excepted), input parameters, the digests of input artifacts (of parts of a document, where
``argosy.dev/cache-parts`` says so), and the digests of what ``argosy.dev/cache-reads`` names. Variables that ``argosy.dev/cache-ignores``
names, and parameters (``inputs.parameters.NAME``), are no part of it.

Where the state folder and the working folder lie is no part of it either: what was moved, or is worked on in a second checkout, is not
calculated again. Two kinds of template may say in what they give where something lies, and depend on it: those that observe states, on both
folders, and those that read below the working folder, on that one.

A template that observes states (a registry, a forge) reads them, or changes them as well, and gives the same again where they are as it
left them. So its key has a stamp of each, and the day, and its answer is kept under the key of the moment after it ran; of one that
changes none only if nobody else did meanwhile. Those that change them take turns: they have a lock (``synchronization``). A state that does
not lie on this machine cannot be observed: then nothing is kept.

Without the cache (``--no-cache``) nothing is looked up; what a step gives is kept all the same. A run that reproduces another keeps nothing
either: what comes next is to find what that one gave.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from argosy.engine.attempts import document_parts
from argosy.engine.manifest.artifact_model import Artifact
from argosy.engine.manifest.model import Template
from argosy.engine.nodes import Json, Outputs
from argosy.engine.state import disk, tree_stamps
from argosy.engine.state.object_store import ObjectStore, digest_of

ANNOTATION = "argosy.dev/cache"
READS = "argosy.dev/cache-reads"
IGNORES = "argosy.dev/cache-ignores"
PARTS = "argosy.dev/cache-parts"
"""Of which raw input artifacts, YAML documents, only parts count: by the artifact's name a list of ``key`` or ``key.key``."""
OBSERVES = "argosy.dev/cache-observes"
"""Which states a template reads and changes, by the names that the options of the run have for them, as a list."""
VERSION = 1
LONGEST_VALUE = 1000
"""Characters of a value that are kept of what a key is made of; of a longer one its digest is."""
STATE_FOLDER, WORKING_FOLDER = "<state folder>", "<working folder>"
"""What stands in a key for the addresses of these two."""
SCHEME = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:(?://(?:/(?=/))?)?)?")
"""What an address of a file has before its path: ``file://``, ``local:``, ``sqlite:///``."""


def key_of(parts: Json) -> str:
    """The key that is made of *parts*."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def condensed(parts: Json) -> Json:
    """*parts* of a key with digests in place of long texts, to be remembered."""
    return {name: _condensed(part) for name, part in parts.items()}


def _condensed(part: object) -> object:
    if isinstance(part, str) and len(part) > LONGEST_VALUE:
        return f"sha256:{hashlib.sha256(part.encode()).hexdigest()}"
    if isinstance(part, Mapping):
        return condensed(dict(part))
    return [_condensed(each) for each in part] if isinstance(part, list | tuple) else part


class StepCache:
    """The cache under *root*, of the state folder *home*. *here*: what declared reads are relative to; *reads_hits*, *keeps*: whether it is
    looked up, and written to; *states*: where those lie that are observed."""

    def __init__(
        self,
        root: Path,
        store: ObjectStore,
        *,
        home: Path,
        here: Path,
        reads_hits: bool = True,
        keeps: bool = True,
        states: Mapping[str, Sequence[Path]] | None = None,
    ) -> None:
        self._root = root
        self._store = store
        self._home = home
        self._here = here
        self._reads_hits = reads_hits
        self._keeps = keeps
        self._states = states or {}
        self._read: dict[Path, str] = {}

    @staticmethod
    def is_asked_for(template: Template) -> bool:
        """True where *template* says that what it gives is to be kept."""
        annotations = template.metadata.annotations
        return annotations.get(ANNOTATION) == "true" or OBSERVES in annotations

    @staticmethod
    def only_looks(template: Template) -> bool:
        """True where *template* observes states and changes none: those that do take turns."""
        return OBSERVES in template.metadata.annotations and not template.synchronization.written

    def parts(
        self,
        template: Template,
        *,
        code: str,
        argv: tuple[str, ...],
        environment: Mapping[str, str],
        keeps_result: bool,
    ) -> Json | None:
        """All that a call of *template*, its arguments in place, depends on now, as JSON; None where it is not cached."""
        annotations = template.metadata.annotations
        if not self.is_asked_for(template):
            return None
        reads, observed = self._digests_of(annotations.get(READS)), self._stamps_of(annotations.get(OBSERVES))
        if reads is None or observed is None or _looks_outside(template):
            return None
        ignored = set(json.loads(annotations.get(IGNORES) or "[]"))
        parts_of: dict[str, list[str]] = json.loads(annotations.get(PARTS) or "{}")
        parts: Json = {
            "version": VERSION,
            "code": code,
            "argv": argv,
            "source": template.script.source or None,
            "folder": template.main_container.working_dir or None,
            "environment": {
                name: self._wherever(value, annotations) for name, value in environment.items() if name not in ignored
            },
            "parameters": {
                entry.name: entry.value
                for entry in template.inputs.parameters
                if f"inputs.parameters.{entry.name}" not in ignored
            },
            "artifacts": {
                entry.name: _identity(entry, parts_of.get(entry.name)) for entry in template.inputs.artifacts
            },
            "outputs": template.written.get("outputs"),
            "result": keeps_result,
            "reads": reads,
        }
        return {**parts, "observed": observed} if observed else parts

    def find(self, key: str) -> Outputs | None:
        """The outputs kept under *key*, if all of it is still there."""
        path = self._path(key)
        if not self._reads_hits or not path.exists():
            return None
        try:
            outputs = Outputs.from_json(json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError):
            return None  # not one of ours, or damaged: the step runs, and what it gives takes its place
        complete = all(self._store.has(artifact["stored"]["digest"]) for artifact in outputs.artifacts.values())
        return outputs if complete else None

    def keep(self, key: str, outputs: Outputs) -> None:
        """Keep what a step gave, where that is wanted."""
        if self._keeps:
            disk.write_atomically(self._path(key), json.dumps(outputs.to_json()))

    def _path(self, key: str) -> Path:
        return self._root / key[:2] / f"{key}.json"

    def _wherever(self, value: str, annotations: Mapping[str, str]) -> str:
        """The *value* of a variable without the places that a template with these *annotations* does not depend on."""
        if OBSERVES in annotations:
            return value
        if value == str(self._here) and READS not in annotations:
            return WORKING_FOLDER
        before = SCHEME.match(value)
        scheme = before[0] if before else ""
        path, home = value[len(scheme) :], str(self._home)
        return f"{scheme}{STATE_FOLDER}{path[len(home) :]}" if f"{path}/".startswith(f"{home}/") else value

    def _stamps_of(self, declared: str | None) -> dict[str, str] | None:
        """The stamps of the states that are *declared*, by name, and the day; None where one is not to be seen from here."""
        names = json.loads(declared) if declared else []
        if any(name not in self._states for name in names):
            return None
        try:
            stamps = {name: tree_stamps.of(self._states[name]) for name in names}
        except OSError:
            return None
        # What main lets pass until a day, it does not on the day after.
        return {**stamps, "day": f"{datetime.now(UTC):%Y-%m-%d}"} if names else {}

    def _digests_of(self, declared: str | None) -> dict[str, str] | None:
        """The digests of declared reads by name; None where one is not a path that can be read here."""
        digests = {}
        for name in json.loads(declared) if declared else []:
            path = self._here / name
            try:
                if path not in self._read:
                    self._read[path] = digest_of(path)
            except OSError:
                return None
            digests[name] = self._read[path]
        return digests


def _looks_outside(template: Template) -> bool:
    """True where *template* takes or leaves artifacts outside the run: nobody knows whether what is there has changed."""
    artifacts = (*template.inputs.artifacts, *template.outputs.artifacts)
    return any(artifact.stored is None and artifact.location_kind for artifact in artifacts)


def _identity(artifact: Artifact, parts: Sequence[str] | None) -> list[object]:
    content: object = artifact.stored.digest if artifact.stored else artifact.written.get("raw")
    if parts is not None and artifact.raw is not None:
        content = document_parts.parts(artifact.raw.data, tuple(parts))
    return [artifact.path or None, content, artifact.sub_path or None, artifact.mode]
