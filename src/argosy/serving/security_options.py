"""Options of the command line, and what they open, that every way to start a server has: who may ask, and TLS."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from argosy import errors
from argosy.settings import Settings

if TYPE_CHECKING:
    from argosy.ports.prediction_log import ServedRelease
    from argosy.serving.access.rules_file import AccessFile
    from argosy.serving.tls import Certificate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add them to *parser*."""
    parser.add_argument(
        "--access", type=Path, metavar="FILE", help="who may ask, see `argosy access`; anybody where absent"
    )
    parser.add_argument(
        "--tls-certificate", type=Path, metavar="FILE", help="speak TLS, by this certificate (PEM, its chain behind it)"
    )
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="the certificate's private key (PEM)")


def refuse_absent_rules(arguments: argparse.Namespace) -> None:
    """Raise Misconfigured where the rules of who may ask are not there or cannot be understood; it takes no model to find out."""
    from argosy.domain.access_rules import AccessRules
    from argosy.files import model_folder

    file: Path | None = arguments.access
    if file is None:
        return
    if not file.exists():
        raise errors.Misconfigured(
            f"{file} is not there, and without rules nobody may ask; `argosy access key NAME --file access.yaml` begins them, and on a "
            "cluster `argosy access secret --file access.yaml --namespace NAMESPACE | kubectl apply -f -` brings them to the pods"
        )
    model_folder.load(file, AccessRules)


def words(arguments: argparse.Namespace) -> list[str]:
    """The options again, for another process."""
    given = {
        "--access": arguments.access,
        "--tls-certificate": arguments.tls_certificate,
        "--tls-key": arguments.tls_key,
    }
    return [word for name, value in given.items() if value is not None for word in (name, str(value))]


def access_file(arguments: argparse.Namespace, settings: Settings, served: "ServedRelease") -> "AccessFile | None":
    """Who may ask *served*; None for anybody."""
    from argosy import wiring
    from argosy.serving.access.rules_file import AccessFile

    if arguments.access is None:
        return None
    return AccessFile(arguments.access, wiring.token_verifier, wiring.shared_rate_limiter(settings, served))


def certificate(arguments: argparse.Namespace) -> "Certificate | None":
    """The certificate; None for HTTP in the open. Raises UsageError for half of one, Misconfigured where the files hold none."""
    from argosy.serving.tls import Certificate

    if (arguments.tls_certificate is None) != (arguments.tls_key is None):
        raise errors.UsageError("--tls-certificate and --tls-key go together")
    return None if arguments.tls_key is None else Certificate(arguments.tls_certificate, arguments.tls_key)
