"""Where addresses of databases come from: the environment, since one holds a password as a rule. Settings and lineage hold its name."""

from collections.abc import Mapping

PREFIX = "ARGOSY_SOURCE_"


def variable(secret: str) -> str:
    """The environment variable that holds the address named *secret*."""
    return PREFIX + secret.upper()


def addresses(environment: Mapping[str, str]) -> dict[str, str]:
    """The addresses that *environment* holds, by variable."""
    return {name: value for name, value in environment.items() if name.startswith(PREFIX) and value}
