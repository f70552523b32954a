"""One thing that is wrong in a file that somebody wrote, and where in it."""

from dataclasses import dataclass

Location = tuple[str | int, ...]


@dataclass(frozen=True)
class SettingProblem:
    """A problem at *location*: names of settings and positions in lists, from the top of the file."""

    location: Location
    text: str

    def __str__(self) -> str:
        """The setting and what is wrong with it."""
        return f"{'.'.join(map(str, self.location))}: {self.text}"
