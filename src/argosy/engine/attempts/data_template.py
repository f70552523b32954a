"""Carries out a ``data`` template, as Argo's executor does: the keys below a place in a bucket, changed by expressions."""

import asyncio

from argosy.argo import Phase
from argosy.engine.artifacts.failures import ArtifactFailure
from argosy.engine.artifacts.remote import Remote
from argosy.engine.effects import PodResult
from argosy.engine.expressions import expr, values
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.manifest.artifact_model import Artifact
from argosy.engine.manifest.model import DataTemplate
from argosy.engine.nodes import Outputs

FAILED = 64
"""The exit code of Argo's executor where it fails itself."""


async def carry_out(data: DataTemplate, remote: Remote, patience: float | None) -> PodResult | None:
    """The result of *data*; None where it does not come within *patience* seconds."""
    try:
        async with asyncio.timeout(patience):
            result = await asyncio.to_thread(_result, data, remote)
    except TimeoutError:
        return None
    except (ArtifactFailure, ExpressionError) as error:
        message = f"main: Error (exit code {FAILED}): unable to process data template: unable to process data {error}"
        return PodResult(Phase.FAILED, message, Outputs(exit_code=str(FAILED)))
    return PodResult(Phase.SUCCEEDED, outputs=Outputs(result=result, exit_code="0"))


def _result(data: DataTemplate, remote: Remote) -> str:
    try:
        found: object = _keys(data.source.artifact_paths, remote)
    except ArtifactFailure as failure:
        raise ArtifactFailure(f"source: unable to source artifact paths: {failure}") from None
    for position, step in enumerate(data.transformation):
        if step.expression:
            try:
                found = expr.evaluate(step.expression, {"data": found})
            except ExpressionError as error:
                raise ExpressionError(f"transformation: error processing data step {position}: {error}") from None
    return values.to_json(found)


def _keys(artifact: Artifact, remote: Remote) -> list[str]:
    if artifact.location_kind != "s3":
        raise ArtifactFailure(
            "ListObjects is currently not supported for this artifact type, but it will be in a future version"
        )
    if not artifact.s3.bucket:
        # A place without a bucket is in the repository for every other purpose; the executor overlooks that here.
        raise ArtifactFailure("failed to list directory: Bucket name cannot be empty")
    keys = remote.keys(artifact)
    if not keys:
        raise ArtifactFailure(f"no key found of name {artifact.s3.key}")
    return keys
