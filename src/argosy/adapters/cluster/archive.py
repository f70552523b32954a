"""Argo's archive of workflows, read from its PostgreSQL: what the controller keeps of those that are gone from the cluster."""

import datetime
import json
from collections.abc import Iterator

import psycopg

from argosy import errors
from argosy.ports.workflows import Workflow

# The controller's own table. `workflow` is text in JSON, as `json` or as `jsonb`, by Argo's version; times are UTC without a zone.
_QUERY = (
    """SELECT workflow::text FROM argo_archived_workflows WHERE namespace = %s AND startedat >= %s ORDER BY startedat"""
)


class WorkflowArchive:
    """The archive at *uri*, ``postgresql://…``. Reads, and nothing else."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def since(self, namespace: str, moment: datetime.datetime) -> Iterator[Workflow]:
        """The workflows of *namespace* that began at *moment* or later. Raises TryAgain or Misconfigured where it cannot be read."""
        try:
            with psycopg.connect(
                self._uri, connect_timeout=10, options="-c default_transaction_read_only=on"
            ) as connection:
                rows = connection.execute(_QUERY, (namespace, moment.astimezone(datetime.UTC).replace(tzinfo=None)))
                for (text,) in rows:
                    yield json.loads(text)
        except psycopg.Error as error:
            raise errors.of_database(
                "Argo's archive (ARGOSY_ARCHIVE_URI)",
                errors.first_line(error),
                forgets="nothing",
                setting="ARGOSY_ARCHIVE_URI",
            ) from error
