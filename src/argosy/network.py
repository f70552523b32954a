"""The way out of this machine: the variables that name proxies and certificates, one setting for all of the latter, and what faults mean.

Each client library looks at variables of its own. The engine hands all of them on to its steps, and nothing here opens a connection.
"""

import os
from collections.abc import Iterator, MutableMapping
from pathlib import Path

from argosy import errors

CA_BUNDLE = "ARGOSY_CA_BUNDLE"
"""The file (PEM) of all authorities that are trusted, in place of those that each library brings."""
CA_CERTIFICATES = "ARGOSY_CA_CERTIFICATES"
"""Authorities (PEM, the text itself) that are trusted beside those: how a ConfigMap hands them to a pod."""
BUNDLES = (
    "AWS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    "NODE_EXTRA_CA_CERTS",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
)
"""Variables that name a file of certificates, one of each kind of client."""
CERTIFICATES = (CA_BUNDLE, *BUNDLES, "SSL_CERT_DIR")
"""Variables that name a file or folder of certificates."""
PROXIES = tuple(
    name
    for proxy in ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy")
    for name in (proxy, proxy.upper())
)
DISTRUST = (
    "certificate verify failed",  # OpenSSL, and who shows its words
    "CERTIFICATE_VERIFY_FAILED",
    "SSL certificate problem",  # curl, and git with it
    "certificate verification failed",  # curl with GnuTLS
)
PEM = b"-----BEGIN CERTIFICATE-----"


def prepare(environment: MutableMapping[str, str]) -> None:
    """Let every client that reads *environment* trust whom ARGOSY_CA_BUNDLE or ARGOSY_CA_CERTIFICATES names, where nothing else is set.

    To be called before a client is made. Raises Misconfigured where they hold no certificate.
    """
    _keep_to_the_cluster(environment)
    if added := environment.get(CA_CERTIFICATES):
        environment.setdefault(CA_BUNDLE, str(_beside_the_usual(added)))
    if not (named := environment.get(CA_BUNDLE)):
        return
    _refuse_empty(named)
    for name in BUNDLES:
        if not environment.get(name):
            environment[name] = str(Path(named).absolute())


def _keep_to_the_cluster(environment: MutableMapping[str, str]) -> None:
    """In a pod the API server is reached by its number, which no chart knows; no proxy leads there."""
    server = environment.get("KUBERNETES_SERVICE_HOST")
    for name in ("NO_PROXY", "no_proxy"):
        if server and (named := environment.get(name)) and server not in named.split(","):
            environment[name] = f"{named},{server}"


def _refuse_empty(named: str) -> None:
    try:
        holds = PEM in Path(named).read_bytes()
    except OSError as error:
        raise errors.Misconfigured(
            f"{CA_BUNDLE} is {named}, which cannot be read: {error.strerror}; name a file (PEM) with the authorities to trust, or unset it"
        ) from error
    if not holds:
        raise errors.Misconfigured(
            f"{CA_BUNDLE} is {named}, which holds no certificate in PEM; name a file with the authorities to trust, or unset it"
        )


def _beside_the_usual(added: str) -> Path:
    """A file with the authorities *added* and those that the system and the client libraries trust; the same file for the same content."""
    if PEM not in added.encode():
        raise errors.Misconfigured(
            f"{CA_CERTIFICATES} holds no certificate in PEM; it is the text itself, and a file is {CA_BUNDLE}"
        )
    import hashlib  # noqa: PLC0415 - every command would pay for it

    content = b"\n".join([*(path.read_bytes() for path in _usual()), added.encode()])
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "argosy"
    file = folder / f"authorities-{hashlib.sha256(content).hexdigest()[:16]}.pem"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = folder / f".{file.name}.{os.getpid()}"
        partial.write_bytes(content)
        partial.replace(file)
    return file


def _usual() -> Iterator[Path]:
    import importlib.util  # noqa: PLC0415 - every command would pay for it
    import ssl  # noqa: PLC0415

    system = ssl.get_default_verify_paths().cafile
    if system and Path(system).is_file():
        yield Path(system)
    # What requests and boto3 trust. Only its file is wanted, not the library.
    if (certifi := importlib.util.find_spec("certifi")) and certifi.origin:
        yield Path(certifi.origin).parent / "cacert.pem"


def fault(server: str, error: BaseException) -> errors.ArgosyError | None:
    """What to say where *error* is that *server* is not trusted, or not reached through a proxy; None where it is anything else.

    Addresses of proxies stay out of it: they may hold a password.
    """
    return explained(server, " ".join(f"{type(each).__name__} {each}" for each in _chain(error)))


def explained(server: str, said: str) -> errors.ArgosyError | None:
    """As :func:`fault`, of what a library or a program *said*."""
    if any(words in said for words in DISTRUST):
        return errors.Misconfigured(_distrust(server, said))
    if missing := _missing_file(said):
        return errors.Misconfigured(
            f"{missing} names no file with certificates, so {server} cannot be trusted; mend it, or unset it"
        )
    if "Proxy" not in said and "proxy" not in said and "unnel" not in said:
        return None
    if "407" in said:
        return errors.Misconfigured(
            f"the proxy before {server} wants another user or password: write them into HTTPS_PROXY (http://<user>:<password>@<proxy>:"
            "<port>, special characters as %XX), or name the server in NO_PROXY"
        )
    return errors.TryAgain(
        f"the proxy that HTTPS_PROXY names does not lead to {server}; try again, or mend HTTPS_PROXY or NO_PROXY"
    )


def _distrust(server: str, said: str) -> str:
    if "has expired" in said:
        return f"the certificate of {server} has expired; whoever runs it has to renew it"
    if "ostname mismatch" in said or "not valid for" in said:
        return f"the certificate of {server} is for another name; use the name that stands in it"
    if CA_CERTIFICATES in os.environ:
        return f"the certificate of {server} is not trusted: its authority is not in {CA_CERTIFICATES}; add it there"
    if named := os.environ.get(CA_BUNDLE):
        return (
            f"the certificate of {server} is not trusted: its authority is not in {named} ({CA_BUNDLE}), which takes the place of "
            "the usual ones; add it there"
        )
    return (
        f"the certificate of {server} is not trusted: set {CA_BUNDLE} to a file (PEM) with the certificate of the authority that signed "
        "it, beside the usual ones"
    )


def _missing_file(said: str) -> str | None:
    """The variable that names a file which is not there, where that is what was *said*."""
    if "CA certificate bundle" not in said and "No such file" not in said:
        return None
    return next((name for name in BUNDLES if (path := os.environ.get(name)) and not Path(path).exists()), None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """*error* and those that it came of, each once, also where a library hides them."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        each = waiting.pop()
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
