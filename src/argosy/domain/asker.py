"""Who asked for a run, and how that is known.

Written down where a run is asked for, and carried by the workflow: as labels where Argo's server wrote them, else as the parameter
``asked-by``, which is the word of whoever typed the command. No step finds it out for itself.

Neither is proof: the server writes the labels by the token of whoever submits through it, and a workflow that is created past the server,
as with kubectl, has those that its author wrote.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, ValidationError

from argosy.domain import retraining_cause
from argosy.domain.documents import Document

PARAMETER = "asked-by"
"""The workflow's parameter, as `argosy run` and `argosy submit` write it."""
LONGEST = 200
LABEL = "workflows.argoproj.io/creator"
"""The label in which Argo's server writes whose token a workflow was submitted with; ``-email`` and ``-preferred-username`` stand behind
it. Whoever may create workflows can set it."""

Known = Literal["argo", "git", "system", "nobody"]


class Asker(Document):
    """Who asked for a run, and how that is known."""

    name: str = Field(default="", max_length=LONGEST)
    known: Known = "nobody"
    """``argo``: by Argo's creator label, which whoever may create workflows can set. ``git``: git's ``user.name`` and
    ``user.email`` where the command was typed. ``system``: the account of that machine. ``nobody``: it was not written down."""
    machine: str = Field(default="", max_length=LONGEST)
    """Where it was typed, by the machine's own name; empty for ``argo`` and ``nobody``."""
    unread: str | None = Field(default=None, max_length=LONGEST)
    """What stood in the parameter, cut off, where it was typed by hand and names nobody; only for ``nobody``."""

    @classmethod
    def from_text(cls, text: str) -> "Asker":
        """From the workflow's parameter; empty text says nothing, and what `argosy run` or `submit` did not write names nobody.

        Argo's page offers the parameter to be typed, and it is read when the model is trained: no slip in it may cost the candidate.
        """
        whole = text.encode(errors="replace").decode()
        if not whole.strip():
            return cls()
        misread = cls(unread=whole[:LONGEST])
        try:
            found = cls.model_validate_json(whole)
        except ValidationError:
            return misread
        # Only a label may speak for Argo, and only this module says what it could not read.
        return found if found.known != "argo" and found.unread is None else misread

    def text(self) -> str:
        """As the workflow's parameter: on one line, in which nothing is left that Argo or a shell would evaluate."""
        return retraining_cause.unevaluated(self.canonical_json().rstrip("\n"))


def of_workflow(labels: Mapping[str, str], text: str) -> Asker:
    """Whom the creator label among the workflow's *labels* names, else who says so by the parameter's value *text*.

    A label holds no ``@``: Argo writes ``.at.`` for it.
    """
    names = [labels.get(f"{LABEL}{end}", "") for end in ("-email", "-preferred-username", "")]
    name = next(filter(None, (names[0].replace(".at.", "@"), *names[1:])), "")
    return Asker(name=name[:LONGEST], known="argo") if name else Asker.from_text(text)
