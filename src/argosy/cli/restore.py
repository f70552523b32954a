"""Put a copy of the state folder back, which `argosy backup create` made.

It is checked first, and put back whole or not at all, to where it was: addresses of models name that place. What is there already is not
touched: move it away.
"""

import argparse
from pathlib import Path

from argosy import errors
from argosy.cli import backup, home_copy
from argosy.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the copy")


def run(arguments: argparse.Namespace) -> int:
    """Put it back."""
    copy = home_copy.read(arguments.folder)
    backup.demand_whole(copy)
    home = Settings.from_environment().home
    home_copy.put_back(copy, home)
    print(
        f"put back: {home}, as of {copy.made}; `argosy doctor --no-cluster` checks it, `argosy runs` lists what may be resumed"
    )
    return errors.DONE
