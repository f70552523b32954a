"""``artifactGC``: artifacts that are deleted when their run ends, or when it is deleted.

What is kept under a key goes from its bucket. The content of an artifact goes from this machine's objects, unless another run has the same,
or is under way and might come to have it.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from argosy.argo import NodeType
from argosy.engine.artifacts.failures import ArtifactFailure
from argosy.engine.artifacts.remote import Remote
from argosy.engine.manifest import resources
from argosy.engine.manifest.artifact_model import Artifact
from argosy.engine.manifest.model import Spec
from argosy.engine.nodes import Json, Node
from argosy.engine.state import runs, trees
from argosy.engine.state.journal import Journal
from argosy.engine.state.object_store import ObjectStore
from argosy.engine.state.runs import RunFolder

ON_COMPLETION, ON_DELETION = "OnWorkflowCompletion", "OnWorkflowDeletion"


def is_asked_for(spec: Json, others: Mapping[str, Json]) -> bool:
    """True where any artifact of a workflow with this *spec*, and the specs *others* beside it, has a strategy."""
    return bool(Spec(spec).artifact_gc.written) or any(
        artifact.gc.written for one in (spec, *others.values()) for _, artifact in resources.locations(one, "")
    )


def collect(
    folder: RunFolder,
    journal: Journal,
    spec: Spec,
    remote: Remote,
    home: Path,
    strategies: Collection[str],
) -> list[str]:
    """Delete the artifacts of the run in *folder* whose strategy is one of *strategies*, and say so in its journal.

    Returns why any could not be deleted.
    """
    nodes = journal.nodes()
    due = [(node, name) for node, name in _artifacts(nodes) if _strategy(node, name, spec) in strategies]
    failures = []
    for node, name in due:
        artifact = _of(node, name)
        try:
            if Artifact(artifact).location_kind:
                remote.delete(Artifact(artifact))
        except ArtifactFailure as failure:
            failures.append(f"{node.name}, artifact {name}: {failure}")
        else:
            artifact["deleted"] = True
    if due:
        _delete_objects(
            {_digest(node, name) for node, name in due if _of(node, name).get("deleted")}, nodes, folder, home
        )
        journal.write(nodes=[node for node, _ in due])
    return failures


def _artifacts(nodes: Mapping[str, Node]) -> Iterator[tuple[Node, str]]:
    """The artifacts that pods gave and that are still there."""
    for node in nodes.values():
        if node.type is NodeType.POD and node.outputs:
            yield from ((node, name) for name in node.outputs.artifacts if not _of(node, name).get("deleted"))


def _of(node: Node, name: str) -> Json:
    assert node.outputs is not None  # noqa: S101 - only nodes with outputs are looked at
    return node.outputs.artifacts[name]


def _digest(node: Node, name: str) -> str:
    return str(_of(node, name)["stored"]["digest"])


def _strategy(node: Node, name: str, spec: Spec) -> str:
    return Artifact(_of(node, name)).gc.strategy or spec.artifact_gc.strategy


def _delete_objects(digests: set[str], nodes: Mapping[str, Node], folder: RunFolder, home: Path) -> None:
    digests -= {_digest(node, name) for node, name in _artifacts(nodes)}
    for other in runs.newest_first(home) if digests else ():
        if other.run == folder.run:
            continue
        if other.is_locked():
            return
        theirs = other.state()[1]
        digests -= {_digest(node, name) for node, name in _artifacts(theirs)}
    for digest in digests:
        trees.remove(ObjectStore(home / "objects").path(digest))
