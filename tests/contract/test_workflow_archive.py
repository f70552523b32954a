"""Argo's archive in a real PostgreSQL, with the table as the controller makes it."""

import datetime
import json
from collections.abc import Iterator

import psycopg
import pytest

from argosy import errors
from argosy.adapters.cluster.archive import WorkflowArchive
from kit import databases
from kit.databases import Database

TABLE = """CREATE TABLE argo_archived_workflows (
    uid varchar(128) NOT NULL, name varchar(256) NOT NULL, phase varchar(25) NOT NULL, namespace varchar(256) NOT NULL,
    workflow jsonb NOT NULL, startedat timestamp NOT NULL, finishedat timestamp NOT NULL, clustername varchar(64) NOT NULL,
    instanceid varchar(64) NOT NULL, creationtimestamp timestamp, PRIMARY KEY (clustername, uid))"""
NOW = datetime.datetime(2026, 11, 29, 12, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def archive() -> Iterator[Database]:
    """A database with three workflows, of two namespaces and two months."""
    with databases.postgres_server() as server:
        with psycopg.connect(server.uri, autocommit=True) as connection:
            connection.execute(TABLE)
            for name, namespace, days in (("new", "team", 1), ("old", "team", 100), ("theirs", "other", 1)):
                at = (NOW - datetime.timedelta(days=days)).replace(tzinfo=None)
                workflow = json.dumps({"metadata": {"name": name}, "status": {"resourcesDuration": {"cpu": 7}}})
                connection.execute(
                    "INSERT INTO argo_archived_workflows VALUES (%s, %s, 'Succeeded', %s, %s, %s, %s, 'default', '', %s)",
                    (name, name, namespace, workflow, at, at, at),
                )
        yield server


def test_what_is_read(archive: Database) -> None:
    """The workflows of one namespace since a moment, as Argo wrote them."""
    found = list(WorkflowArchive(archive.uri).since("team", NOW - datetime.timedelta(days=30)))
    assert found == [{"metadata": {"name": "new"}, "status": {"resourcesDuration": {"cpu": 7}}}]


def test_one_that_is_down(archive: Database) -> None:
    """Down is an answer that may be another one later; a database without that table is a setting."""
    archive.stop()
    try:
        with pytest.raises(errors.TryAgain, match="ARGOSY_ARCHIVE_URI"):
            list(WorkflowArchive(archive.uri).since("team", NOW))
    finally:
        archive.start()
    with psycopg.connect(archive.uri, autocommit=True) as connection:
        connection.execute("CREATE DATABASE empty")
    with pytest.raises(errors.Misconfigured, match="ARGOSY_ARCHIVE_URI"):
        list(WorkflowArchive(archive.uri.replace("/postgres", "/empty")).since("team", NOW))
