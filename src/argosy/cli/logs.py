"""Print what a step of a run wrote.

STEP is a node's name ($.train, $.tune.trial-0(3:...)), its last part (train), or the name of a template. Where several nodes fit, each line
begins with the node's name.
"""

import argparse
import sys

from argosy import errors
from argosy.cli import target


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", help="the run, or the beginning of its name; '-' for the newest")
    parser.add_argument("step", nargs="?", help="the step (default: every step)")
    target.add_arguments(parser)
    parser.add_argument("-f", "--follow", action="store_true", help="go on until the step has ended")


def run(arguments: argparse.Namespace) -> int:
    """Print the logs."""
    at = target.runs(arguments)
    name = at.find(arguments.run)
    target.say(at, "logs", name, *([arguments.step] if arguments.step else []))
    for line in at.log(name, arguments.step, follow=arguments.follow):
        if line.aside:
            print(f"# {line.text}", file=sys.stderr)
        else:
            print(f"{line.step}: {line.text}" if line.step else line.text, flush=arguments.follow)
    return errors.DONE
