"""Hands events of OpenLineage to a server (Marquez, DataHub, …: one POST each), or appends them to a file, a line each."""

import http.client
import json
import os
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.files import local_store

SECONDS = 5.0
"""Of silence: a step waits no longer for whom it does not need."""
SETTING = "ARGOSY_LINEAGE_URI"


class OpenLineageReceiver:
    """See :class:`argosy.ports.lineage_receiver.LineageReceiver`."""

    def __init__(self, uri: str) -> None:
        """*uri*: ``file:///absolute/path`` or the address that events are posted to. Raises Misconfigured where it is neither."""
        self._file, self._uri = local_store.path_of(uri), uri
        if self._file is None and not uri.startswith(("https://", "http://")):
            raise errors.Misconfigured(f"{SETTING} is {uri!r}; expected https://<host>/<path> or file:///absolute/path")

    def tell(self, event: Mapping[str, Any]) -> None:
        """See the port."""
        content = json.dumps(event, sort_keys=True).encode()
        try:
            self._append(self._file, content) if self._file is not None else self._post(content)
        except (OSError, ValueError, http.client.HTTPException) as error:
            # Nothing of the address: it may hold a key.
            said = errors.first_line(getattr(error, "reason", error))
            print(f"the lineage of this step was not told ({SETTING}): {said}", file=sys.stderr)  # noqa: T201 - the step's log

    def _post(self, content: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._uri, content, headers)  # noqa: S310 - http or https, as it was built
        with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310 - as above
            pass

    @staticmethod
    def _append(file: Path, content: bytes) -> None:
        """One write to the end of the file, so that lines of several steps stay whole."""
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            os.write(descriptor, content + b"\n")
        finally:
            os.close(descriptor)
