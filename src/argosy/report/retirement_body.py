"""The body of a request that retires a model, in Markdown: who asks, why, what goes and what stays."""

from argosy.domain import environment_layout, release
from argosy.report.markdown_text import escape

GOES = (
    "the second version that is tried beside it, where one is",
    "what serves it there: Argo CD removes its Application, and with it the InferenceService, its canary, its pods and their alerts",
    "looks at it, and retrainings: with no environment left, its pipeline stops at its first step",
)
STAYS = (
    "the evidence beside it, its policy and its values in this repository",
    "its versions in the registry, its bundles in the model store, its logged predictions and looks, for as long as each is kept",
)


def markdown(version: release.Version, environment: str, *, by: str, reason: str) -> str:
    """The body for the request that *by* makes to retire *version* from *environment* for *reason*."""
    goes, stays = ("\n".join(f"- {one}" for one in lines) for lines in (GOES, STAYS))
    path = environment_layout.retired_path(version.model, environment)
    served = f"{environment} serves version {version.version}, `{version.model_digest}`."
    sections = (
        f"# {escape(version.model)} leaves {environment}",
        f"{escape(by)} asks for it: {escape(reason)}",
        f"{served} After the merge it serves no model of that name: who calls it is told so. `{path}` says what it was.",
        f"What goes:\n\n{goes}",
        f"What stays:\n\n{stays}",
        "Whoever wants it back reverts the merge commit, or removes that file in their own name and promotes a newer version.",
    )
    return "\n\n".join(sections) + "\n"
