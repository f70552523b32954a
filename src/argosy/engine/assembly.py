"""The parts of an engine, put together for one run: what its steps see, where its artifacts lie, how its pods run."""

import os
import time
from collections.abc import Mapping
from pathlib import Path

from argosy.engine.artifacts.remote import Remote
from argosy.engine.attempts import environment, preloading
from argosy.engine.attempts.cache import StepCache
from argosy.engine.attempts.environment import Sources
from argosy.engine.attempts.pods import Pods, Starts
from argosy.engine.attempts.visible_paths import VisiblePaths
from argosy.engine.attempts.volumes import Claims
from argosy.engine.machine.core import Identity
from argosy.engine.machine.workflow import Workflow
from argosy.engine.manifest import catalogue as catalogues
from argosy.engine.manifest import claims, resources
from argosy.engine.manifest.catalogue import Catalogue
from argosy.engine.manifest.model import Spec
from argosy.engine.nodes import Node
from argosy.engine.options import Place, RunOptions
from argosy.engine.processes import isolation
from argosy.engine.state import runs
from argosy.engine.state.memoized import Memory
from argosy.engine.state.object_store import ObjectStore
from argosy.engine.state.runs import RunFolder
from argosy.engine.state.stored_run import StoredRun
from argosy.ports.runs import AGAIN


def objects(options: RunOptions) -> ObjectStore:
    """The artifacts of all runs."""
    return ObjectStore(options.home / "objects")


def memory(stored: StoredRun, options: RunOptions) -> Memory:
    """The memory of memoized templates in the run's namespace."""
    return Memory(options.home / "memory" / stored.namespace, objects(options))


def remote(stored: StoredRun, options: RunOptions) -> Remote:
    """The way to artifacts outside the run."""
    secrets = {**options.secrets, **resources.secrets(stored.secret_files)}
    return Remote(options.home / "bucket", secrets, stored.repository)


def workflow(stored: StoredRun, started: float, history: Mapping[str, Node]) -> Workflow:
    """The workflow, which began at *started* and has come as far as *history*."""
    return Workflow(
        catalogue=catalogues.of(stored.spec, stored.others),
        identity=Identity(stored.workflow, stored.uid, stored.created),
        metadata=stored.metadata,
        arguments=stored.arguments,
        config_maps=stored.config_maps,
        clock=time.time,
        started=started,
        history=history,
    )


def allowed_at_start(options: RunOptions) -> tuple[Place, ...]:
    """The places that the user allows steps to see, and to be read those of the absolute paths in values of parameters that are there."""
    values = options.parameters.values()
    named = [value for value in values if value.startswith("/") and value.isprintable() and os.path.lexists(value)]
    return (*options.allowed, *(Place(Path(value)) for value in named))


def _visible(stored: StoredRun, options: RunOptions) -> VisiblePaths:
    here = Path(os.path.abspath(stored.working_folder)) if stored.trusts_reads else None  # noqa: PTH100
    places = [*stored.allowed, *options.allowed, *map(Place, environment.certificates())]
    return VisiblePaths(places, options.by_secret, here, list(stored.volumes.values()))


def _claims(stored: StoredRun, folder: RunFolder) -> Claims:
    own = claims.own(Spec(stored.spec), stored.workflow)
    return Claims(own=folder.path / runs.VOLUMES, names=frozenset(own.values()), given=stored.volumes)


def pods(stored: StoredRun, folder: RunFolder, options: RunOptions, starter: Starts, catalogue: Catalogue) -> Pods:
    """The pods of the run in *folder*, whose processes *starter* starts."""
    artifacts, store = remote(stored, options), objects(options)
    sources = Sources(stored.config_maps, artifacts.secrets)
    return Pods(
        starter=starter,
        store=store,
        claims=_claims(stored, folder),
        remote=artifacts,
        cache=StepCache(
            options.home / "cache",
            store,
            home=options.home,
            here=stored.working_folder,
            reads_hits=stored.use_cache,
            keeps=AGAIN not in (stored.metadata.get("annotations") or {}),
            states=options.states,
        ),
        sources=sources,
        preloads=preloading.warmths(catalogue, sources),
        visible=_visible(stored, options),
        folder=lambda node, number: folder.attempt(stored.workflow, node, number),
        code_identity=options.code_identity,
        process_images=(*options.process_images, *stored.process_images),
        workflow=stored.workflow,
        namespace=stored.namespace,
        account=Spec(stored.spec).service_account or "default",
        shows_paths=lambda: isolation.here().private_files,
        engine_of_containers=stored.engine_of_containers,
        cluster=stored.cluster,
    )
