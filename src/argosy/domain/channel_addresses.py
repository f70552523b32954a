"""Where channels' addresses come from, the environment, since one holds a token or a password as a rule; and where it lies what no
channel has.

Imports nothing: settings are read at each start of the program.
"""

from collections.abc import Mapping

PREFIX = "ARGOSY_NOTIFY_"
UNTOLD = "notices-not-taken/"
"""What the keys of those notices begin with, below the monitoring store, that no channel is known to have."""


def variable(channel: str) -> str:
    """The environment variable that holds the address of *channel*."""
    return PREFIX + channel.upper().replace("-", "_")


def channels(environment: Mapping[str, str]) -> dict[str, str]:
    """The addresses that *environment* holds, by channel."""
    names = {
        name: name.removeprefix(PREFIX).lower().replace("_", "-") for name in environment if name.startswith(PREFIX)
    }
    return {channel: environment[name] for name, channel in sorted(names.items()) if environment[name]}
