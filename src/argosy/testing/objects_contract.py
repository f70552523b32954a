"""The contract suite of objects (the port ``objects``)."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from argosy import errors
from argosy.ports.objects import Objects


class ObjectsContract:
    """Inherit, and provide a fixture ``objects``: a root without any."""

    def test_what_was_put_comes_back(self, objects: Objects) -> None:
        """Byte for byte, also nothing at all; what was never put is None."""
        objects.put("looks/toy/a.json", b"\x00\xff")
        objects.put("empty", b"")
        assert objects.get("looks/toy/a.json") == b"\x00\xff"
        assert objects.get("empty") == b""
        assert objects.get("looks/toy/b.json") is None
        assert objects.get("looks/toy") is None
        assert objects.get("empty/more") is None

    def test_putting_again_replaces(self, objects: Objects) -> None:
        """The newest counts."""
        objects.put("latest", b"one, and longer")
        objects.put("latest", b"two")
        assert objects.get("latest") == b"two"

    def test_new_is_new_once(self, objects: Objects) -> None:
        """The first content stays, however it came there."""
        assert objects.put_new("a/b", b"one")
        assert not objects.put_new("a/b", b"two")
        objects.put("a/c", b"three")
        assert not objects.put_new("a/c", b"four")
        assert [objects.get("a/b"), objects.get("a/c")] == [b"one", b"three"]

    def test_of_several_at_once_one_is_first(self, objects: Objects) -> None:
        """And its content is there, whole."""
        together = Barrier(4)

        def put(number: int) -> bool:
            together.wait(30)
            return objects.put_new("claims/event", str(number).encode() * 10_000)

        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(put, range(4)))
        assert sorted(answers) == [False, False, False, True]
        assert objects.get("claims/event") == str(answers.index(True)).encode() * 10_000

    def test_only_what_was_read_is_replaced(self, objects: Objects) -> None:
        """Of several that read the same content one replaces it; whoever comes after another is told, and changes nothing."""
        assert not objects.replace("a/b", b"", b"one")
        objects.put("a/b", b"one")
        assert not objects.replace("a/b", b"two", b"three")
        assert objects.get("a/b") == b"one"
        together = Barrier(4)

        def replace(number: int) -> bool:
            together.wait(30)
            return objects.replace("a/b", b"one", str(number).encode())

        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(replace, range(4)))
        assert sorted(answers) == [False, False, False, True]
        assert objects.get("a/b") == str(answers.index(True)).encode()

    def test_keys_are_listed_sorted(self, objects: Objects) -> None:
        """By their whole text, below any beginning."""
        for key in ("b/2", "a/x-1/z", "a/x/z", "a/y", "c"):
            objects.put(key, b"")
        assert list(objects.keys()) == ["a/x-1/z", "a/x/z", "a/y", "b/2", "c"]
        assert list(objects.keys("a/x")) == ["a/x-1/z", "a/x/z"]
        assert list(objects.keys("a/x/")) == ["a/x/z"]
        assert list(objects.keys("d/")) == []
        assert list(objects.keys("c/")) == []

    def test_folders_are_listed(self, objects: Objects) -> None:
        """Those with something in them, without reading what; objects that lie beside them are none."""
        for key in ("m/version=2/h/1", "m/version=10/h/1", "m/version=10/h/2", "m/note", "n/x"):
            objects.put(key, b"")
        assert objects.folders("m/") == ["version=10", "version=2"]
        assert objects.folders() == ["m", "n"]
        assert objects.folders("m/version=2/h/") == []
        assert objects.folders("nothing/") == []
        objects.delete("m/version=2/h/1")
        assert objects.folders("m/") == ["version=10"]

    def test_deleting_is_done_once(self, objects: Objects) -> None:
        """What is gone is no error, its key is free again, and neighbours stay."""
        objects.put("a/b", b"one")
        objects.put("a/c", b"two")
        objects.delete("a/b")
        objects.delete("a/b")
        objects.delete("never/there")
        assert list(objects.keys()) == ["a/c"]
        assert objects.put_new("a/b", b"three")

    @pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../a", "a/../b", ".a", "a/.b", "a b", "ä", "a\nb", "a?b"])
    def test_keys_stay_inside(self, objects: Objects, key: str) -> None:
        """What would lead out of the root, or be another key in another store, is none."""
        for act in (
            objects.get,
            objects.delete,
            lambda key: objects.put(key, b""),
            lambda key: objects.put_new(key, b""),
        ):
            with pytest.raises(errors.Misconfigured, match="no key of an object"):
                act(key)
