"""A run as its folder keeps it in ``manifest.json``: what is run, arguments in place, and what of the options goes on with it."""

import dataclasses
import re
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from argosy.engine.nodes import Json
from argosy.engine.options import Cluster, Place, Prepared, RunOptions
from argosy.engine.state.runs import RunFolder
from argosy.ports import runs


@dataclass(frozen=True, kw_only=True)
class StoredRun:
    """A run, whichever engine goes on with it. The file has a key for each field, in this order; older files lack what has a default."""

    workflow: str
    spec: Json
    metadata: Json
    arguments: Json
    others: dict[str, Json]
    """The specs of the other resources of the files, by ``kind/name``."""
    engine_of_containers: str | None
    uid: str
    created: float
    """Seconds since 1970."""
    config_maps: dict[str, dict[str, str]]
    use_cache: bool
    working_folder: Path
    allowed: tuple[Place, ...] = ()
    process_images: tuple[str, ...] = ()
    trusts_reads: bool = False
    secret_files: tuple[str, ...]
    repository: Json | None
    cluster: Cluster | None
    volumes: dict[str, Path]

    @property
    def namespace(self) -> str:
        """The namespace of the workflow."""
        return str(self.metadata.get("namespace") or "argo")

    @property
    def part(self) -> str:
        """The part of its workflow that the run is, in words; empty where it is the whole."""
        return part_of(self.metadata)

    @classmethod
    def of(cls, prepared: Prepared, options: RunOptions, allowed: tuple[Place, ...]) -> Self:
        """A new run of *prepared*. *allowed*: what its steps see of this machine beside the system."""
        return cls(
            workflow=prepared.workflow,
            spec=prepared.spec,
            metadata=prepared.metadata,
            arguments=prepared.arguments,
            others=dict(prepared.others),
            engine_of_containers=prepared.engine_of_containers,
            uid=str(uuid.uuid4()),
            created=time.time(),
            config_maps={name: dict(values) for name, values in prepared.config_maps.items()},
            use_cache=options.use_cache,
            working_folder=options.working_folder,
            allowed=allowed,
            process_images=options.process_images,
            trusts_reads=options.trusts_reads,
            secret_files=prepared.secret_files,
            repository=prepared.repository,
            cluster=options.cluster,
            volumes={claim: folder.absolute() for claim, folder in prepared.volumes.items()},
        )

    @classmethod
    def read(cls, folder: RunFolder) -> Self:
        """The run in *folder*. Raises Misconfigured where it never started."""
        kept = folder.manifest()
        read: Json = {name: kept[key] for name, key in _keys().items() if key in kept}
        read |= {
            "working_folder": Path(read["working_folder"]),
            "allowed": tuple(Place(Path(path), writable) for path, writable in read.get("allowed", ())),
            "process_images": tuple(read.get("process_images", ())),
            "secret_files": tuple(read["secret_files"]),
            "cluster": Cluster(**read["cluster"]) if read["cluster"] else None,
            "volumes": {claim: Path(place) for claim, place in read["volumes"].items()},
        }
        return cls(**read)

    def keep(self, folder: RunFolder) -> None:
        """Write the run to *folder*, for a resume."""
        kept = {key: getattr(self, name) for name, key in _keys().items()}
        folder.write_manifest({**kept, "cluster": dataclasses.asdict(self.cluster) if self.cluster else None})


def part_of(metadata: Json) -> str:
    """The part of its workflow that a run with *metadata* is, in words; empty where it is the whole."""
    annotations = metadata.get("annotations") or {}
    task, given = annotations.get(runs.UNTIL), annotations.get(runs.FROM_RUN)
    if again := annotations.get(runs.AGAIN):
        return f"reproduces {again}"
    if not task:
        return ""
    return f"only {task}, with what run {given} gave" if given else f"until {task}"


def _keys() -> dict[str, str]:
    """The key of each field by its name."""
    names = [field.name for field in dataclasses.fields(StoredRun)]
    return {name: re.sub(r"_(\w)", lambda match: match[1].upper(), name) for name in names}
