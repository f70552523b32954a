"""Every prediction log holds the contract; what only files do is tested with the adapter."""

from pathlib import Path

import pytest

from argosy.adapters.segment_log.history import SegmentHistory
from argosy.adapters.segment_log.writer import SegmentLog
from argosy.ports.prediction_log import ServedRelease
from argosy.testing.prediction_log_contract import FEATURES, MakeLog, PredictionLogContract


class TestSegmentLog(PredictionLogContract):
    """Files of this machine."""

    @pytest.fixture
    def make_log(self, tmp_path: Path) -> MakeLog:
        """Opens a log below a folder that does not exist yet."""

        def make(served: ServedRelease) -> SegmentLog:
            return SegmentLog(f"file://{tmp_path}/the%20log", served, FEATURES)

        return make

    @pytest.fixture
    def history(self, tmp_path: Path) -> SegmentHistory:
        """Reads the same folder."""
        return SegmentHistory(f"file://{tmp_path}/the%20log")
