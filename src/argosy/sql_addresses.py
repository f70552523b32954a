"""Addresses of databases as SQLAlchemy takes them: with the drivers that Argosy's extras install, and never said with what is secret."""

import sqlalchemy
from sqlalchemy import exc

from argosy import errors

DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "sqlite": "sqlite+pysqlite",
    "mariadb": "mariadb+pymysql",
    "mysql": "mysql+pymysql",
}
"""The driver of an address that names none, where SQLAlchemy's own choice is another."""
MOST_SAID = 300
"""Characters of what a driver said that are said on."""


def parsed(address: str, variable: str) -> sqlalchemy.URL:
    """The *address* that the environment's *variable* holds, with a driver. Fails with ``Misconfigured`` where it is none."""
    try:
        url = sqlalchemy.make_url(address)
    except (exc.ArgumentError, ValueError):
        raise errors.Misconfigured(
            f"{variable} holds no address of a database; expected <kind>://<user>:<password>@<host>/<database>, special "
            "characters of the password as %XX"
        ) from None
    return with_driver(url)


def with_driver(url: sqlalchemy.URL) -> sqlalchemy.URL:
    """The same address, with the driver of its kind where it names none."""
    return url.set(drivername=DRIVERS.get(url.drivername, url.drivername))


def cause(error: exc.SQLAlchemyError) -> BaseException:
    """What the driver raised, where it was one."""
    return error.orig if isinstance(error, exc.DBAPIError) and error.orig else error


def said(error: BaseException, url: sqlalchemy.URL) -> str:
    """What *error* says first, without the password of *url* and without the rows that a server may quote."""
    words = errors.first_line(error)
    for hidden in filter(None, (url.password, url.render_as_string(hide_password=False))):
        words = words.replace(str(hidden), "[hidden]")
    return words[:MOST_SAID]
