"""A unified diff, as every forge gives one, file by file."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

BEGINS_A_FILE = re.compile(r"(?m)^(?=diff --git )")


@dataclass(frozen=True)
class FileDiff:
    """The change of one file."""

    text: str
    """As in the diff, from its line ``diff --git`` on, without the last line's end."""

    @property
    def header(self) -> str:
        """The line that names the file."""
        return self.text.partition("\n")[0]

    @property
    def path(self) -> str:
        """Its path after the change."""
        return self.header.rpartition(" b/")[2]

    @property
    def added(self) -> int:
        """The lines that it gets."""
        return self._lines("+")

    @property
    def removed(self) -> int:
        """The lines that it loses."""
        return self._lines("-")

    def _lines(self, sign: str) -> int:
        return sum(line.startswith(sign) and not line.startswith(3 * sign) for line in self.text.splitlines())


def files(diff: str) -> Iterator[FileDiff]:
    """The files of *diff*, in its order."""
    return (FileDiff(section.rstrip("\n")) for section in BEGINS_A_FILE.split(diff) if section)
