"""The options of a run, and its result."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from argosy.engine.nodes import Json, Node, Outputs


@dataclass(frozen=True)
class Cluster:
    """A context of the user's kubeconfig, and a namespace other than the context's own."""

    context: str
    namespace: str | None = None


class Place(NamedTuple):
    """A file or folder of this machine that steps may read, and write where it is *writable*."""

    path: Path
    writable: bool = False


@dataclass(frozen=True)
class RunOptions:
    """The options of a run."""

    home: Path
    """The folder of runs, artifacts and the cache."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Values of the workflow's parameters, by name."""
    entrypoint: str | None = None
    target: str | None = None
    """The task of the entrypoint, a DAG, that the run ends after: nothing runs that it does not wait for."""
    name: str | None = None
    """The workflow's name, instead of the manifest's."""
    parallelism: int = field(default_factory=lambda: os.cpu_count() or 1)
    """The most processes that run at once."""
    use_cache: bool = True
    process_images: tuple[str, ...] = ()
    """Patterns of the images whose steps run as processes of this environment."""
    config_maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    volumes: Mapping[str, Path] = field(default_factory=dict)
    """Folders of this machine by the names of the PersistentVolumeClaims they stand for."""
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Reach the processes of steps and nothing else: never journaled, never printed."""
    allowed: tuple[Place, ...] = ()
    """The paths of this machine that every step sees beside the system: what the user named. Kept with the run."""
    by_secret: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)
    """The paths that a step sees that is given a Secret, by the Secret's name."""
    states: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    """The files and folders of this machine that hold a state which steps read and change outside the run, by the name that their templates
    have for it. One that is not here lies elsewhere: nobody sees from here whether it has changed."""
    trusts_reads: bool = True
    """True where a step sees what it declares to read below the working folder."""
    code_identity: str = ""
    """The digest of the code of process steps, part of every cache key."""
    imports_with: Mapping[str, str] = field(default_factory=dict)
    """Variables that are set where libraries are imported ahead of the steps that need them: some look at these only then."""
    working_folder: Path = field(default_factory=Path.cwd)
    """The folder that declared reads are relative to."""
    cluster: Cluster | None = None
    """The cluster that ``resource`` templates may change. There is no default."""


@dataclass(frozen=True)
class RunResult:
    """The end of a run. *phase* is ``Interrupted`` where it was stopped from outside."""

    run: str
    folder: Path
    workflow: str
    phase: str
    message: str
    nodes: Mapping[str, Node]
    """By name, ``$`` for the workflow's own."""
    outputs: Outputs
    """The workflow's own: what steps exported with ``globalName``."""
    seconds: float
    fsyncs: int
    exit_code: int
    """0, or that of the first step that failed for good."""
    warnings: tuple[str, ...] = ()
    """The things that did not go well after the end."""


@dataclass(frozen=True)
class Prepared:
    """A manifest that was found fit to run, with arguments in place."""

    workflow: str
    run: str
    """The id that the run will have."""
    spec: Json
    metadata: Json
    arguments: Json
    others: Mapping[str, Json]
    """The specs of the other resources of the files, by ``kind/name``."""
    config_maps: Mapping[str, Mapping[str, str]]
    """Those of the options, and those among the files."""
    ignored: tuple[str, ...] = ()
    """Fields that change nothing on this machine."""
    engine_of_containers: str | None = None
    secret_files: tuple[str, ...] = ()
    """The given files with Secrets in them: their values are read anew whenever an engine is at the run."""
    volumes: Mapping[str, Path] = field(default_factory=dict)
    """The folders of claims that are not the workflow's own, by their names."""
    repository: Json | None = None
    """The ``s3`` location of the artifact repository; None for this machine's own."""
