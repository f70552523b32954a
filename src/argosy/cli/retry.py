"""Try a run that failed again, from the steps that failed.

With --restart-successful the steps that --node-field-selector names are done again too, though they succeeded, and everything that began
after them in the templates around them, which may have used what they gave. A selector is a list of field=value and field!=value,
separated by commas; fields are name, displayName, templateName, phase and id.
"""

import argparse

from argosy import errors
from argosy.cli import hints, local_run, target
from argosy.ports.runs import CUT_OFF, FAILED


def add_arguments(parser: argparse.ArgumentParser) -> None:
    target.add_run(parser)
    parser.add_argument("--restart-successful", action="store_true", help="do steps again that succeeded, too")
    parser.add_argument("--node-field-selector", metavar="SELECTOR", help="which of them, such as displayName=train")
    local_run.add_as_begun(parser)
    local_run.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Retry one run; returns 0 or the code of the first step that failed."""
    again = arguments.node_field_selector or ""
    if arguments.restart_successful != bool(again):
        raise errors.UsageError(
            "--restart-successful and --node-field-selector go together: one says that, the other which"
        )
    at = target.runs(arguments)
    found = at.get(at.find(arguments.run))
    if found.phase not in FAILED and not (found.phase == "Succeeded" and again):
        hint = f"; {hints.command(at, 'resume', found.name)} goes on with it" if found.phase in CUT_OFF else ""
        raise errors.UsageError(f"run {found.name} is {found.phase}; only a run that failed is tried again{hint}")
    code = at.retry(found.name, again)
    if code is not None:
        return code
    words = ["--restart-successful", "--node-field-selector", again] if again else []
    target.say(at, "retry", found.name, *words)
    print(f"run {found.name} is tried again; {hints.command(at, 'watch', found.name)} shows it")
    return errors.DONE
