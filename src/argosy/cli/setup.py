"""Prepare this machine's state folder: keys, the environment repo, the registry's database.

Everything else does this by itself when it is needed; here it can be done ahead, because the first database takes some seconds.
"""

import argparse

from argosy import errors
from argosy.cli import policies, state_folder
from argosy.settings import Settings


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """The verb has no arguments; ARGOSY_HOME says where."""


def run(_arguments: argparse.Namespace) -> int:
    """Prepare the state folder."""
    settings = Settings.from_environment()
    state_folder.ensure(settings)
    policies.say_others(settings)
    print(f"ready: {settings.home}")
    return errors.DONE
