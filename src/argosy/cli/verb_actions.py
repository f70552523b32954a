"""The actions of a verb that has several, such as ``argosy pr list``."""

import argparse
from collections.abc import Callable
from typing import Any


def added(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    do: Callable[..., Any] | None,
    summary: str,
) -> argparse.ArgumentParser:
    """The parser of a new action *name*, which is to *do* something; None where the verb itself asks which one it is.

    *summary* is said in the list of actions, and as a sentence by the action itself.
    """
    parser = verbs.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
    if do is not None:
        parser.set_defaults(do=do)
    return parser
