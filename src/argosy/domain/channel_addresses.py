"""Where channels' addresses come from: the environment, since one holds a token or a password as a rule."""

from collections.abc import Mapping

PREFIX = "ARGOSY_NOTIFY_"


def variable(channel: str) -> str:
    """The environment variable that holds the address of *channel*."""
    return PREFIX + channel.upper().replace("-", "_")


def channels(environment: Mapping[str, str]) -> dict[str, str]:
    """The addresses that *environment* holds, by channel."""
    names = {
        name: name.removeprefix(PREFIX).lower().replace("_", "-") for name in environment if name.startswith(PREFIX)
    }
    return {channel: environment[name] for name, channel in sorted(names.items()) if environment[name]}
