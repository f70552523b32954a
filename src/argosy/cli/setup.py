"""Prepare this machine's state folder: keys, the environment repo, the registry's database.

Everything else does this by itself when it is needed; here it can be done ahead, because the first database takes some seconds.
"""

import argparse
import sys

from argosy import errors, wiring
from argosy.settings import Settings


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """The verb has no arguments; ARGOSY_HOME says where."""


def run(_arguments: argparse.Namespace) -> int:
    """Prepare the state folder."""
    settings = Settings.from_environment()
    wiring.prepare(settings)
    say_other_policies(settings)
    print(f"ready: {settings.home}")
    return errors.DONE


def say_other_policies(settings: Settings, model: str | None = None) -> None:
    """Say, in one line, that policies here are not those that count; only *model*'s, where one is named."""
    others = [path for path in wiring.other_policies(settings) if model is None or path == f"policies/{model}.yaml"]
    if others:
        repository = settings.forge_uri.removeprefix(wiring.LOCAL)
        print(
            f"note: {', '.join(others)} of gitops-env/ here is not what counts: the environment repo has its own, which differs. "
            f"To change it, `git clone {repository}`, commit there and push to main",
            file=sys.stderr,
        )
