"""Objects in this process, for tests and tries."""

import threading
from collections.abc import Iterator

from argosy.ports.objects import demand_key


class MemoryObjects:
    """See :class:`argosy.ports.objects.Objects`."""

    def __init__(self) -> None:
        """Nothing is there yet."""
        self._contents: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def put(self, key: str, content: bytes) -> None:
        """See the port."""
        demand_key(key)
        self._contents[key] = content

    def put_new(self, key: str, content: bytes) -> bool:
        """See the port."""
        demand_key(key)
        with self._lock:
            if key in self._contents:
                return False
            self._contents[key] = content
            return True

    def replace(self, key: str, before: bytes, content: bytes) -> bool:
        """See the port."""
        demand_key(key)
        with self._lock:
            if self._contents.get(key) != before:
                return False
            self._contents[key] = content
            return True

    def get(self, key: str) -> bytes | None:
        """See the port."""
        demand_key(key)
        return self._contents.get(key)

    def keys(self, prefix: str = "") -> Iterator[str]:
        """See the port."""
        return iter(sorted(key for key in list(self._contents) if key.startswith(prefix)))

    def folders(self, prefix: str = "") -> list[str]:
        """See the port."""
        below = (key.removeprefix(prefix) for key in list(self._contents) if key.startswith(prefix))
        return sorted({key.partition("/")[0] for key in below if "/" in key})

    def delete(self, key: str) -> None:
        """See the port."""
        demand_key(key)
        self._contents.pop(key, None)
