"""Install the parts into the cluster that KUBECONFIG names: `make kind-install ARGUMENTS=…`.

What is there already is used: controllers that others installed are left alone, and doing it again changes nothing. A cluster that is not
marked as disposable has to be named.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from argosy import errors
from argosy_kind import parts, site
from argosy_kind.kube import Kubectl
from argosy_kind.ledger import Ledger
from argosy_kind.pins import Pins
from argosy_kind.site import CACHE, Choices, Site

LEDGER = CACHE / "install.json"
SOME = CACHE / "some.json"
"""Of parts that were brought up to date alone: no installation, and no word on how long one takes."""


def parser() -> argparse.ArgumentParser:
    """What may be said."""
    found = argparse.ArgumentParser(prog="make kind-install", description=(__doc__ or "").splitlines()[0])
    found.add_argument(
        "--context",
        default="",
        help="a context of KUBECONFIG; it has to be named where nothing marks its cluster as disposable",
    )
    found.add_argument(
        "--settings", type=Path, metavar="FILE", help="images, disks and values of this cluster (docs/install.md)"
    )
    found.add_argument("--from", dest="first", default="", metavar="PART", help="go on from this part")
    found.add_argument("--only", nargs="+", default=[], metavar="PART", help="these parts alone")
    found.add_argument("--without", nargs="+", default=[], metavar="PART", help="leave these out")
    found.add_argument("--list", action="store_true", help="say which parts there are, and end")
    return found


def run(arguments: argparse.Namespace) -> None:
    """Do what *arguments* say."""
    choices = Choices.read(arguments.settings)
    chosen = parts.chosen(first=arguments.first, only=arguments.only, without=[*arguments.without, *choices.without])
    if arguments.list:
        print("\n".join(f"{part.name:<16} {part.what}" for part in chosen))
        return
    kubectl = Kubectl(arguments.context)
    print(f"installing into {site.check_cluster(kubectl, arguments.context)}", flush=True)
    at = Site(kubectl, Pins.read(), choices, Ledger(SOME if arguments.only else LEDGER))
    if arguments.first:
        at.ledger.go_on(parts.before(arguments.first))
    try:
        parts.install_all(at, chosen)
    finally:
        print(at.ledger.table(), flush=True)


def main(words: Sequence[str] | None = None) -> int:
    """Run, and say in one line what goes wrong."""
    return ended(lambda: run(parser().parse_args(words)))


def ended(do: Callable[[], None]) -> int:
    """The exit code that *do* comes to."""
    try:
        do()
    except errors.ArgosyError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from there", file=sys.stderr)
        return errors.INTERRUPTED
    return errors.DONE


if __name__ == "__main__":
    sys.exit(main())
