"""A model that is asked by hand, a frame at a time. Where it comes from, and what was proven of it, is for whoever loads it.

The answers are the server's, to the last bit; nothing is logged.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from argosy.ml.predictor import Predictor
from argosy.scoring import row_answers

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class LoadedModel:
    """A model that can be asked."""

    name: str
    version: int | None
    """None of a run's model that was never registered."""
    approved: bool
    """Whether some environment serves or served it, or a request proposes it; otherwise it is what a run made."""
    predictor: Predictor

    @property
    def digest(self) -> str:
        """The digest of its bundle, which is the model's name."""
        return self.predictor.digest

    @property
    def features(self) -> list[str]:
        """The columns that it takes."""
        return [column.name for column in self.predictor.signature.features]

    def predict(self, frame: "pd.DataFrame") -> "pd.DataFrame":
        """The server's answers to the rows of *frame*, with its index: ``prediction`` (of several classes one column each), ``decision``.

        A row that the server would refuse is missing, and ``refused_because`` says why. Columns that are no features are passed over.
        """
        columns = {name: pa.array(frame[name], from_pandas=True) for name in self.features if name in frame.columns}
        answers: pd.DataFrame = self.answers(pa.table(columns), "the frame").to_pandas()
        return answers.set_index(frame.index)

    def answers(self, table: pa.Table, where: str) -> pa.Table:
        """As :meth:`predict`, of an Arrow table, which *where* names."""
        return row_answers.of(self.predictor, table, where)

    def __repr__(self) -> str:
        said = f"version {self.version}" if self.version else "of a run"
        return f"<{self.name} {said}, {self.digest[:19]}{'' if self.approved else ', approved by nobody'}>"
