"""The connection to a cluster, and what its refusals mean."""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import urllib3
import yaml
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException

from argosy import errors

TIMEOUT_SECONDS = 20
BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, CONFLICT = 400, 401, 403, 404, 409
PASSING = {CONFLICT, 429}


def connect(context: str | None = None) -> Any:
    """A client of the cluster that KUBECONFIG (and *context*) names, or of the one this pod runs in. Asks nothing yet.

    Raises Misconfigured where neither is there.
    """
    files = kubeconfig()
    try:
        if "KUBERNETES_SERVICE_HOST" in os.environ and not any(Path(file).exists() for file in files.split(os.pathsep)):
            config.load_incluster_config()
        else:
            config.load_kube_config(config_file=files, context=context)
    except yaml.YAMLError as error:
        # What the parser quotes of the file may be a token.
        raise errors.Misconfigured(f"no cluster can be used: KUBECONFIG names {files}, which is not YAML") from error
    except (ConfigException, OSError) as error:
        raise errors.Misconfigured(
            f"no cluster can be used, by {files}: {str(error).rstrip('.')}. Set KUBECONFIG to a file that names one, or pass --context"
        ) from error
    settings = client.Configuration.get_default_copy()
    settings.retries = urllib3.Retry(2, backoff_factor=0.2)
    return client.ApiClient(settings)


def kubeconfig() -> str:
    """The files that name clusters, read when it is asked for: the client looks at KUBECONFIG only once."""
    return os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())


@contextlib.contextmanager
def reported(doing: str, remedy: str = "") -> Iterator[None]:
    """Turn what the cluster and the network say while *doing* into what Argosy says; *remedy*: what to do where it refuses."""
    try:
        yield
    except ApiException as error:
        raise _failure(error, doing, remedy) from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise errors.TryAgain(f"{doing}: the cluster cannot be reached ({type(error).__name__})") from error


def _failure(error: ApiException, doing: str, remedy: str) -> errors.ArgosyError:
    after = f"; {remedy}" if remedy else ""
    if error.status == UNAUTHORIZED:
        return errors.Misconfigured(
            f"{doing}: the cluster does not know us (401): the token or certificate is expired or wrong; log in again, so that "
            f"{kubeconfig()} holds a new one (`kubectl auth whoami` tries it)"
        )
    if error.status == FORBIDDEN:
        return errors.NotAllowed(f"{doing}: the cluster does not allow it (403): {said(error)}{after}")
    if error.status == NOT_FOUND:
        return errors.Misconfigured(f"{doing}: the cluster has no such thing (404){after}")
    if error.status in PASSING or not error.status or error.status >= 500:
        return errors.TryAgain(f"{doing}: the cluster fails: {said(error)} ({error.status})")
    return errors.Misconfigured(f"{doing}: the cluster refuses: {said(error)} ({error.status}){after}")


def said(error: ApiException) -> str:
    """The API server's message for *error*."""
    try:
        body = json.loads(error.body or "{}")
    except ValueError:
        body = {}
    return str(body.get("message") or error.reason) if isinstance(body, dict) else str(error.reason)
