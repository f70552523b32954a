"""Open the pages of everything at this machine, with who logs in how: `make kind-open`. Ends with Ctrl-C."""

import argparse
import contextlib
import shlex
import socket
import sys
import time
from collections.abc import Mapping, Sequence

from argosy_kind import forge, install, services, site, ways
from argosy_kind.kube import Kubectl
from argosy_kind.ledger import Ledger
from argosy_kind.pins import Pins
from argosy_kind.site import CACHE, CALLERS_KEY, MONITORING, SERVICES, VERIFYING, Choices, Site

PORTS = {"gitea": 3000, "mlflow": 5000, "objects": 7070, "prometheus": 9090, "alertmanager": 9093, "grafana": 3001}
"""The port of this machine for each; another one where somebody listens there."""


def run(arguments: argparse.Namespace) -> None:
    """Open what is there, say so, and wait."""
    kubectl = Kubectl(arguments.context)
    site.check_cluster(kubectl, arguments.context)
    at = Site(kubectl, Pins.read(), Choices(), Ledger(CACHE / "pages.json"))
    with contextlib.ExitStack() as stack:
        there = [name for name in PORTS if kubectl.get("service", name, _namespace(name)) is not None]
        opened = {}
        for name in there:
            port = {**services.PORTS, **services.MONITORS}[name]
            way = kubectl.forwarded(name, _namespace(name), port, local=free(PORTS[name]))
            opened[name] = stack.enter_context(way).replace("127.0.0.1", "localhost")
        print("\n".join(lines(at, opened)), flush=True)
        with contextlib.suppress(KeyboardInterrupt):  # which is how people end it
            while True:
                time.sleep(3600)


def free(port: int) -> int:
    """*port* where nobody at this machine listens on it; 0, which stands for any other, where somebody does."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port


def lines(at: Site, opened: Mapping[str, str]) -> list[str]:
    """What people are told: addresses, who logs in how, and the settings of `argosy` here."""
    held = at.credentials()
    logins = {
        "gitea": f"as {forge.REVIEWER}, password {held['reviewer-password']}",
        "grafana": f"as admin, password {held['grafana-password']}",
        "objects": "S3; the keys are below",
    }
    told = [f"http://{where:<16} {name:<13} {logins.get(name, '')}".rstrip() for name, where in opened.items()]
    settings = ways.settings(held, "reviewer-token", opened, CACHE / VERIFYING)
    exported = [f"export {name}={shlex.quote(value)}" for name, value in settings.items()]
    told += ["", f"callers of models: Authorization: Bearer {held[CALLERS_KEY]}"]
    return [*told, "", "argosy here, in another terminal:", *exported, "", "Ctrl-C closes the ways"]


def _namespace(name: str) -> str:
    return MONITORING if name in services.MONITORS else SERVICES


def parser() -> argparse.ArgumentParser:
    """What may be said."""
    found = argparse.ArgumentParser(prog="make kind-open", description=(__doc__ or "").splitlines()[0])
    found.add_argument("--context", default="", help="as of make kind-install")
    return found


def main(words: Sequence[str] | None = None) -> int:
    """Run, and say in one line what goes wrong."""
    return install.ended(lambda: run(parser().parse_args(words)))


if __name__ == "__main__":
    sys.exit(main())
