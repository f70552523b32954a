"""The policy that counts: the one on main of the environment repo. Found before a run begins, and replaced by the one in ``gitops-env``."""

import sys
from pathlib import Path

from argosy import errors, wiring
from argosy.domain import environment_layout
from argosy.files import model_folder
from argosy.files.git_repository import Person, Repository
from argosy.promotion.standing import Main
from argosy.settings import Settings

MAIN = "refs/heads/main"


def refuse_unjudged(settings: Settings, model: str) -> None:
    """Raise Misconfigured where this machine's environment repo has no policy of *model* that can be read."""
    if not settings.forge_uri.startswith(wiring.LOCAL):
        return  # the pipeline's first step asks the server
    path, policy = environment_layout.policy_path(model), Main.now(wiring.forge(settings)).policy(model)
    if policy is None:
        raise errors.Misconfigured(
            f"there is no policy for {model}, and without gates nothing of it can be promoted: write gitops-env/{path} "
            "(docs/concepts.md, Gates and verdicts); the next run brings it to the environment repo"
        )
    try:
        model_folder.policy_of(policy.content, f"{path} on main of the environment repo")
    except errors.Misconfigured as error:
        raise errors.Misconfigured(
            f"{error}\n       what is in gitops-env/ does not count any more; mend it there, then `argosy env adopt-policy {model}`"
        ) from None


def say_others(settings: Settings, model: str | None = None) -> None:
    """Say, in one line, which policies here are not those that count; only *model*'s, where one is named."""
    others = [
        path
        for path in wiring.other_policies(settings)
        if model is None or path == environment_layout.policy_path(model)
    ]
    if others:
        commands = ", ".join(f"`argosy env adopt-policy {Path(path).stem}`" for path in others)
        print(
            f"note: {', '.join(others)} of gitops-env/ here is not what counts: main of the environment repo "
            f"({settings.forge_uri.removeprefix(wiring.LOCAL)}) has its own, which differs. To bring it there: {commands}",
            file=sys.stderr,
        )


def adopt(settings: Settings, model: str, by: str) -> str:
    """Commit the policy of *model* in ``gitops-env`` to main of this machine's environment repo in the name of *by*; says what was done.

    Raises Misconfigured where it cannot be read, UsageError where there is none or the environment repo is a server's.
    """
    path = environment_layout.policy_path(model)
    if not settings.forge_uri.startswith(wiring.LOCAL):
        raise errors.UsageError(
            f"the environment repo is {settings.forge_uri}: change {path} there, in a request that its owners approve (CODEOWNERS)"
        )
    content = wiring.environment_template(settings).get(path)
    if content is None:
        raise errors.UsageError(f"there is no gitops-env/{path}")
    if (found := model_folder.policy_of(content, f"gitops-env/{path}").model) != model:
        raise errors.Misconfigured(f"gitops-env/{path} is about {found!r}; name the policy's file after its model")
    main = Main.now(wiring.forge(settings))
    repository = Repository(Path(settings.forge_uri.removeprefix(wiring.LOCAL)))
    held = main.policy(model)
    if held and held.content == content:
        return f"{path} counts already as it is here"
    commit = repository.commit(main.commit, {path: content}, f"Adopt the policy of {model}\n", Person(by))
    if not repository.move(MAIN, commit, main.commit):
        raise errors.TryAgain("the environment repo changed meanwhile; try again")
    return f"{path} counts from now on ({commit[:12]}, by {by}); what the old one judged cannot be merged any more, run {model} again"
