"""Explain the code of a failure, such as misconfigured/engine, or an exit code: what failures like it mean, and the way out.

Without CODE it lists all. `docs/errors.md` has the same on one page.
"""

import argparse
import json

from argosy import errors
from argosy.domain import suggestion
from argosy.report import error_kinds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", nargs="?", metavar="CODE", help="a code, its first part, or an exit code")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Print the page."""
    if arguments.code is None:
        return _list(as_json=arguments.json)
    text = error_kinds.explained(arguments.code)
    if text is None:
        kind, slash, area = arguments.code.partition("/")
        known = list(error_kinds.AREAS if slash and kind in error_kinds.KINDS else error_kinds.KINDS)
        wrong = area if slash and kind in error_kinds.KINDS else kind
        raise errors.UsageError(f"{arguments.code!r} is no code{suggestion.choices(wrong, known, 'codes')}")
    print(json.dumps({"code": arguments.code, "text": text}) if arguments.json else text)
    return errors.DONE


def _list(*, as_json: bool) -> int:
    if as_json:
        kinds = {
            name: {"exitCode": kind.exit_code, "means": kind.means, "do": kind.do, "retried": kind.retried}
            for name, kind in error_kinds.KINDS.items()
        }
        areas = {
            name: {"about": area.about, "look": area.look, "page": area.page}
            for name, area in error_kinds.AREAS.items()
        }
        print(json.dumps({"kinds": kinds, "areas": areas}))
        return errors.DONE
    for name, kind in error_kinds.KINDS.items():
        print(f"{name:<14} exit code {kind.exit_code}: {kind.means}")
    print()
    for name, area in error_kinds.AREAS.items():
        print(f"{f'…/{name}':<14} {area.about}")
    return errors.DONE
