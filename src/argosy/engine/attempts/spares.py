"""Empty folders that the attempts of a run hand on to one another.

Most steps leave nothing in the folders they were given. Removing these and making the next step's costs more than moving them: an ext4
file system without a journal walks past every inode deleted in the last minute each time it makes one, so that each step would be slower
than the one before.
"""

import os
import shutil
import stat
from pathlib import Path


class Spares:
    """The spare folders of a run, in *folder*."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._free: list[str] = []
        self._count = 0
        self._mode = 0

    def take(self, target: Path) -> None:
        """Make *target* an empty folder. Its parent exists."""
        try:
            os.rename(self._free.pop(), target)  # noqa: PTH104 - done for each step
        except IndexError:
            os.mkdir(target)  # noqa: PTH102
            self._mode = self._mode or stat.S_IMODE(os.stat(target).st_mode)  # noqa: PTH116

    def keep(self, folder: Path) -> bool:
        """Take *folder* back, which was taken here, unless something is in it or its mode was changed; whether that was done.

        It may be gone: an artifact that is the whole of it was moved away.
        """
        try:
            mode = stat.S_IMODE(os.stat(folder).st_mode)  # noqa: PTH116
        except FileNotFoundError:
            return False
        if mode != self._mode or os.listdir(folder):  # noqa: PTH208 - done for each step
            return False
        if not self._count:
            self._remove()  # those of a killed engine: what mounting left in them is in the way
            self._folder.mkdir(parents=True)
        self._count += 1
        place = f"{self._folder}/{self._count}"
        os.rename(folder, place)  # noqa: PTH104
        self._free.append(place)
        return True

    def close(self) -> None:
        """Remove them all, those of a killed engine too."""
        self._free.clear()
        self._remove()

    def _remove(self) -> None:
        if self._folder.exists():
            shutil.rmtree(self._folder)
