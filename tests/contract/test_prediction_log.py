"""Every prediction log holds the contract, whatever it ships to; what only a spool does is tested with the adapter."""

from pathlib import Path

import pytest

from argosy.adapters.file_objects import FileObjects
from argosy.adapters.memory_objects import MemoryObjects
from argosy.adapters.segment_log.history import SegmentHistory
from argosy.adapters.segment_log.shipper_thread import ThreadShipper
from argosy.adapters.segment_log.writer import SegmentLog
from argosy.ports.objects import Objects
from argosy.ports.prediction_log import ServedRelease
from argosy.testing.prediction_log_contract import FEATURES, MakeLog, PredictionLogContract


class SpoolAndObjects(PredictionLogContract):
    """A spool, and objects that have what was shipped."""

    @pytest.fixture
    def make_log(self, tmp_path: Path, objects: Objects) -> MakeLog:
        """Opens a log with a spool that does not exist yet."""

        def make(served: ServedRelease) -> SegmentLog:
            return SegmentLog(tmp_path / "the spool", ThreadShipper(tmp_path / "the spool", objects), served, FEATURES)

        return make

    @pytest.fixture
    def history(self, tmp_path: Path, objects: Objects) -> SegmentHistory:
        """Reads both."""
        return SegmentHistory(objects, tmp_path / "the spool")


class TestShippedToAFolder(SpoolAndObjects):
    """Files of this machine."""

    @pytest.fixture
    def objects(self, tmp_path: Path) -> FileObjects:
        """A folder that does not exist yet."""
        return FileObjects(f"file://{tmp_path}/the%20log", "ARGOSY_PREDICTIONS_URI")


class TestShippedToMemory(SpoolAndObjects):
    """The store at its quickest."""

    @pytest.fixture
    def objects(self) -> MemoryObjects:
        """None yet."""
        return MemoryObjects()
