"""The ``argosy`` command: finds the verb, hands over, turns a failure into one line and an exit code.

A verb is a module of this package with ``add_arguments(parser)`` and ``run(arguments) -> int``. It is imported when it is called, so that
the command itself answers at once.
"""

import argparse
import errno
import importlib
import os
import re
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from reprlib import repr as shown
from typing import Any, NoReturn

from argosy import errors, network, telemetry

JSON_SCHEMA = "--json-schema"
"""With a verb: what its ``--json`` prints, as a JSON Schema."""

ALIASES: dict[str, str] = {}
"""Other words for a verb."""

OTHER_WORDS = {
    "reject": "close",
    "decline": "close",
    "approve": "merge",
    "accept": "merge",
    "show": "view",
    "status": "view",
    "ls": "list",
}
"""Words that other tools have for a verb, each with Argosy's."""

LIBRARIES = {"botocore": "boto3", "github": "pygithub", "OpenSSL": "pyopenssl", "sklearn": "scikit-learn"}
"""Modules that are called otherwise than the library they come with."""

WHOLE = {"demo", "laptop"}
"""Extras that bring others: named only where no smaller one has the library."""

OF_EXTRA = re.compile(r"""(?P<library>[A-Za-z0-9._-]+).*;.*\bextra == ['"](?P<extra>[a-z0-9]+)['"]""")

LEAST_FILES = 64
"""Files that one process must be able to open: databases, git, sockets and pipes to steps at once."""
REFUSED = {errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EEXIST}

WITHOUT_STATE = {"init", "compile", "lint", "env", "platform", "restore"}
"""Verbs that read and write nothing in the state folder."""
ELSEWHERE = ("cluster", "namespace", "context")
"""Options with which a verb is about a cluster (``target``)."""

VERBS = {
    "init": "write the sample project into a folder: a model to run, change and copy from",
    "demo": "take a model from its data file to a served, approved model, and show what happens",
    "fleet": "list the models of this project, what is served of each, and how it stands",
    "compile": "write the pipeline.yaml that a model's pipeline.py compiles to",
    "lint": "say what is wrong with a manifest before anything runs",
    "run": "run a model's pipeline, or any Argo manifest, on this machine",
    "plan": "say what a run would do and why, what it would ask for, and about how long it takes",
    "backfill": "train a model as of each of several moments, such as every month of a year",
    "retrain": "train a model again, if an alert or a reason is let in",
    "submit": "start a model's pipeline on a cluster",
    "resume": "continue a run that was interrupted, killed or suspended",
    "retry": "try a run that failed again, from the steps that failed",
    "runs": "list the runs of this machine or of a cluster",
    "status": "show what is live, what waits, what burns, what it costs",
    "get": "show how a run stands",
    "graph": "draw what a pipeline's tasks wait for, and how far a run is",
    "watch": "watch a run until it ends",
    "suspend": "begin no further step of a run for now",
    "approve": "let a run go on that waits for an approval",
    "stop": "stop a run, but let its exit handlers run",
    "terminate": "stop a run at once",
    "delete": "delete runs",
    "logs": "print what a step of a run wrote",
    "explain": "say what a failure's code means, and the way out",
    "why": "say why a run ended as it did, and what helps",
    "diff": "hold two runs of a model together: what was otherwise, and what came of it",
    "reproduce": "run a run or the run of a version again, and say whether it comes out as it did, or why not",
    "report": "write the report of a run and say where it is",
    "ui": "show models, runs and requests in a browser of this machine",
    "label": "take what people said of a language model's answers into its evaluation set",
    "pr": "list, view, merge or close promotion requests",
    "trace": "trace a prediction, a server or a request back to approver, evidence, data and code",
    "serve": "serve the models that are approved for an environment",
    "keys": "list the keys that vouch for models, put a new one in the place of the old, retire one",
    "predict": "ask a model for answers to a small table",
    "score": "score tables of any size with the model that is approved for an environment",
    "access": "make keys for those who ask a served model, and check who may",
    "retire": "ask that one or all environments serve a model no more",
    "shadow": "try a second version beside the served one, as a shadow or for a share of the entities, or end that",
    "rollback": "go back to a version that an environment served before",
    "backup": "copy the state folder of this machine, and check copies",
    "restore": "put a copy of the state folder back",
    "cost": "say what runs cost, by month, model, pipeline or owner",
    "forget": "erase one person from snapshots, logs, artifacts and caches, and keep proof of it",
    "gc": "collect what has served its time, never what is served, asked for or held",
    "online": "list, load or prune the online features that servers share",
    "predictions": "delete logged predictions that are old",
    "notices": "list what people were to be told and no channel took, or forget old notices",
    "data": "list, show and compare snapshots of data",
    "drift": "hold logged predictions against the data the model was trained on",
    "performance": "hold logged predictions against the labels that came later",
    "skew": "hold the features of answers, and of the online store, against the sources",
    "compare": "compare the served version with its shadow, or with the candidate of a split",
    "exporter": "show Prometheus what waits, ran, drifted or expires",
    "platform": "install, upgrade or compare what stands round pipelines in a cluster",
    "doctor": "check a cluster, the stores and the forge, and say how to mend what is wrong",
    "env": "check an environment repo as it lies there",
    "policy": "try a policy on what was promoted before it counts",
    "setup": "prepare this machine's state folder (keys, registry, environment repo)",
}


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line *argv* and leave with its exit code."""
    os.environ.update(telemetry.OFF)  # whatever a verb imports later
    if "_ARGCOMPLETE" in os.environ:  # a shell asks how a line may go on
        from argosy.cli import completion

        completion.complete(VERBS, ALIASES)
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: Sequence[str]) -> int:
    """Run the command line *argv*; returns the exit code."""
    try:
        network.prepare(os.environ)
        _refuse_few_files()
        return _dispatch(argv)
    except errors.ArgosyError as error:
        return _said(error, argv)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return errors.INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`argosy logs … | head`): not a failure, and nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return errors.DONE
    except ModuleNotFoundError as error:
        lacking = _lacking(error.name or "")
        if lacking is None:
            raise
        return _said(lacking, argv)
    except OSError as error:
        failure = _disk_failure(error)
        if failure is None:
            raise
        return _said(failure, argv)


def _said(error: errors.ArgosyError, argv: Sequence[str]) -> int:
    """Say what failed, and where it is explained: to a program that asks for JSON, to a person at a terminal; returns the exit code."""
    print(f"error: {error}", file=sys.stderr)
    as_json = "--json" in argv
    if as_json or sys.stderr.isatty():
        import json

        from argosy.report import error_kinds

        code = error_kinds.code_of(error)
        told = {"error": {"code": code, "exitCode": error.exit_code, "message": str(error)}}
        print(json.dumps(told) if as_json else f"       argosy explain {code}", file=sys.stderr)
    return error.exit_code


def _refuse_few_files() -> None:
    """Raise Misconfigured where the limit on open files is so low that a verb would break off in the middle."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed < LEAST_FILES:
        raise errors.Misconfigured(
            f"a process may open {allowed} files here (ulimit -n), and Argosy needs {LEAST_FILES} at least; `ulimit -n 1024` raises it"
        )


def _dispatch(argv: Sequence[str]) -> int:
    parser = _parser()
    verb = next((word for word in argv if not word.startswith("-")), None)
    if verb not in VERBS and verb not in ALIASES:
        parser.parse_args(argv)  # --help, --version, or argparse's own message and exit code 2
        parser.print_help()
        return errors.DONE
    if JSON_SCHEMA in argv:
        from argosy.cli import json_outputs  # not before: every document's module

        print(json_outputs.asked([word for word in argv if not word.startswith("-")]))
        return errors.DONE
    module = importlib.import_module(f"argosy.cli.{ALIASES.get(verb, verb)}")
    own = _Parser(prog=f"argosy {verb}", description=module.__doc__, formatter_class=_Help)
    module.add_arguments(own)
    show_json_schema(own)
    position = list(argv).index(verb)
    arguments = own.parse_args([*argv[:position], *argv[position + 1 :]])
    if verb not in WITHOUT_STATE and not any(vars(arguments).get(name) for name in ELSEWHERE):
        _adopt_state()
    try:
        code: int = module.run(arguments)
    except OSError as error:
        failure = _given_path_failure(error, arguments)
        if failure is None:
            raise
        raise failure from error
    return code


def show_json_schema(parser: argparse.ArgumentParser) -> None:
    """Have the help of *parser*, and of each action under it, name ``--json-schema`` beside ``--json``; what it does is done before."""
    for action in tuple(parser._actions):  # noqa: SLF001 - argparse tells nowhere else what a parser takes
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as above
            for child in action.choices.values():
                show_json_schema(child)
        elif "--json" in action.option_strings:
            parser.add_argument(
                JSON_SCHEMA,
                action="store_true",
                help="print the JSON Schema of what --json prints, and do nothing else",
            )


def _adopt_state() -> None:
    """See that the state folder, where there is one, is one of this version."""
    from argosy.cli import state_format
    from argosy.settings import home_of

    for line in state_format.adopt(home_of(os.environ)):
        print(f"note: {line}", file=sys.stderr)


def _lacking(module: str) -> errors.ArgosyError | None:
    """What to install, where *module* is of a library that comes with extras of ours; None where it comes with none, which is a bug."""
    from importlib import metadata

    from argosy import extras

    top = module.partition(".")[0]
    library = LIBRARIES.get(top, top).lower().replace("_", "-")
    known = [
        found["extra"]
        for requirement in metadata.requires("argosy") or ()
        if (found := OF_EXTRA.match(requirement)) and found["library"].lower().replace("_", "-") == library
    ]
    if not known:
        return None
    ways = extras.advice(*([extra for extra in known if extra not in WHOLE] or known))
    return errors.Misconfigured(f"this needs the library {library}, which is not installed: {ways}")


def _given_path_failure(error: OSError, arguments: argparse.Namespace) -> errors.UsageError | None:
    """The error for a path of the command line that cannot be used as it was meant; None where *error* is of no such path."""
    if error.errno not in {*REFUSED, errno.EISDIR} or not isinstance(error.filename, str | bytes):
        return None
    refused = Path(os.fsdecode(error.filename))
    given = next((path for path in vars(arguments).values() if isinstance(path, Path) and _is_at(refused, path)), None)
    if given is None:
        return None
    at = "" if refused == given else f" at {refused}"
    mend = f"make the folder {refused.parent}, or pass" if not refused.parent.exists() else "pass"
    return errors.UsageError(f"{given} cannot be used: {error.strerror}{at}; {mend} another path")


def _is_at(refused: Path, given: Path) -> bool:
    """Whether *refused* is *given*, lies in it or above it, or is a draft of it: a file beside it that has its name."""
    beside = refused.parent == given.parent and given.name != "" and given.name in refused.name
    return beside or refused.is_relative_to(given) or given.is_relative_to(refused)


def _disk_failure(error: OSError) -> errors.ArgosyError | None:
    """The error for a disk that is full or read-only, where the user can mend it; None where it is a bug of ours."""
    if errors.is_disk_full(error):
        place = f" at {error.filename}" if error.filename else ""
        return errors.LocalDisk(
            f"cannot write{place}: {error.strerror}. Free space there, or set ARGOSY_HOME to another place"
        )
    if error.errno in {errno.EMFILE, errno.ENFILE}:
        return errors.Misconfigured(
            f"{error.strerror}: {resource.getrlimit(resource.RLIMIT_NOFILE)[0]} is the limit (ulimit -n); raise it, and do it again"
        )
    if error.errno == errno.ENAMETOOLONG:
        # Whatever is that long was given to us: no name of ours is. Not the home's name either, which the settings would look for.
        return errors.UsageError(f"{shown(error.filename)} is too long to be the name of a file or folder")
    from argosy.settings import Settings

    home = Settings.from_environment().home
    refused = Path(os.fsdecode(error.filename or ""))
    # Above the home, too: where that has to be made first.
    beneath = error.filename and (refused.is_relative_to(home) or (home.is_relative_to(refused) and not home.exists()))
    # A file that is missing in a state folder that is there is no setting's fault, unless nothing can be made there (/proc).
    if not beneath or error.errno not in REFUSED or (error.errno == errno.ENOENT and _can_be_written(home)):
        return None
    return errors.Misconfigured(
        f"the state folder {home} cannot be used: {error.strerror} at {error.filename}. "
        "Set ARGOSY_HOME to a folder that you may write"
    )


def _can_be_written(folder: Path) -> bool:
    """Whether something can be made in *folder*, which is tried: of some file systems neither rights nor types tell it."""
    probe = folder / f".argosy-{os.getpid()}"
    try:
        probe.mkdir()
    except OSError:
        return False
    probe.rmdir()
    return True


class _Parser(argparse.ArgumentParser):
    """Says itself what it cannot understand, and what was probably meant.

    argparse lets the parser above say which words are left over, and then shows the usage of another command.
    """

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """The arguments; what is left over is an error here."""
        found, left = super().parse_known_args(args, namespace)
        if left:
            known = [name for action in self._actions for name in action.option_strings]
            self.error(f"unrecognized arguments: {' '.join(left)}{_meant(left[0].partition('=')[0], known)}")
        return found, left

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = list(map(str, action.choices))
            raise argparse.ArgumentError(
                action, f"invalid choice: {value!r}{_meant(str(value), known)} There are: {', '.join(known)}"
            )


def _meant(word: str, known: Sequence[str]) -> str:
    """The end of a sentence about *word*: the one of *known* that was probably meant."""
    from argosy.domain import suggestion

    other = OTHER_WORDS.get(word)
    return f"; did you mean {other!r}?" if other in known else suggestion.did_you_mean(word, known) or "."


class _Help(argparse.RawDescriptionHelpFormatter):
    """Keeps the paragraphs of a verb's docstring."""


def _parser() -> argparse.ArgumentParser:
    listing = "\n".join(f"  {verb:<10} {summary}" for verb, summary in VERBS.items())
    parser = _Parser(
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


if __name__ == "__main__":  # images hold no programs of ours: `python -m argosy.cli.main`
    main()
