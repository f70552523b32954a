"""What a served release is called by callers, whatever the model answers."""

from argosy.serving.request_problems import RequestProblem, shown


def refuse_others(model: str, served: str, *, asked: str, asked_version: str | None) -> None:
    """Raises RequestProblem (404) where *asked*, or its version, is another than *model* and the version that is *served* of it."""
    if asked != model:
        raise RequestProblem(404, f"there is no model {shown(asked)} here, only {model!r}")
    if asked_version is not None and asked_version != served:
        raise RequestProblem(404, f"version {shown(asked_version)} is not served here, only {served!r}")
