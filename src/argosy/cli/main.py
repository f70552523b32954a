"""The ``argosy`` command: finds the verb, hands over, turns a failure into one line and an exit code.

A verb is a module of this package with ``add_arguments(parser)`` and ``run(arguments) -> int``. It is imported when it is called, so that
the command itself answers at once.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from argosy import errors

# Nothing phones home, whatever a verb imports later.
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "FEAST_USAGE": "False",
}

VERBS = {
    "demo": "take a model from its data file to a served, approved model, and show what happens",
    "compile": "write the pipeline.yaml that a model's pipeline.py compiles to",
    "lint": "say what is wrong with a manifest before anything runs",
    "run": "run a model's pipeline, or any Argo manifest, on this machine",
    "resume": "continue a run that was interrupted or killed",
    "runs": "list the runs of this machine",
    "logs": "print what a step of a run wrote",
    "report": "write the report of a run and say where it is",
    "pr": "list, view, merge or close promotion requests",
    "serve": "serve the model that is approved for an environment",
    "drift": "hold logged predictions against the data the model was trained on",
    "setup": "prepare this machine's state folder (keys, registry, environment repo)",
}


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line *argv* and leave with its exit code."""
    os.environ.update(QUIET)
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: Sequence[str]) -> int:
    """Run the command line *argv*; returns the exit code."""
    try:
        return _dispatch(argv)
    except errors.ArgosyError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return errors.INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`argosy logs … | head`): not a failure, and nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return errors.DONE


def _dispatch(argv: Sequence[str]) -> int:
    parser = _parser()
    verb = next((word for word in argv if not word.startswith("-")), None)
    if verb not in VERBS:
        parser.parse_args(argv)  # --help, --version, or argparse's own message and exit code 2
        parser.print_help()
        return errors.DONE
    module = importlib.import_module(f"argosy.cli.{verb}")
    own = argparse.ArgumentParser(prog=f"argosy {verb}", description=module.__doc__, formatter_class=_Help)
    module.add_arguments(own)
    position = list(argv).index(verb)
    code: int = module.run(own.parse_args([*argv[:position], *argv[position + 1 :]]))
    return code


class _Help(argparse.RawDescriptionHelpFormatter):
    """Keeps the paragraphs of a verb's docstring."""


def _parser() -> argparse.ArgumentParser:
    listing = "\n".join(f"  {verb:<10} {summary}" for verb, summary in VERBS.items())
    parser = argparse.ArgumentParser(
        prog="argosy",
        usage="argosy [--version] VERB ...",
        description="Machine-learning pipelines on Argo Workflows, promoted by pull request.",
        epilog=f"verbs:\n{listing}\n\n`argosy VERB --help` says more.",
        formatter_class=_Help,
    )
    parser.add_argument("--version", action=_Version)
    parser.add_argument("verb", nargs="?", choices=list(VERBS), help=argparse.SUPPRESS)
    return parser


class _Version(argparse.Action):
    """Prints the version; importlib.metadata is slow to import and only needed here."""

    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="print the version and exit")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from importlib import metadata

        print(f"argosy {metadata.version('argosy')}")
        parser.exit()
