"""StepSpec, the interface of a step: its name, what goes in, what comes out, and what it touches outside.

Standard library only, so that compiling a pipeline loads no ML library. A step's logic is in its ``run`` module; how a spec becomes an
Argo template is ``argosy.templates``' business.
"""

from dataclasses import dataclass
from typing import Literal

Family = Literal["data", "features", "train", "evaluate", "promote", "monitor", "spark"]
"""The image a step runs in, one for each set of dependencies. No step names ``spark``: a model's settings do, for some of them."""

Key = Literal[
    "chat",
    "data",
    "forge",
    "forge-reader",
    "loop",
    "notify",
    "online",
    "predictions",
    "registry",
    "scores",
    "search",
    "signing",
    "spark",
    "store",
]
"""A secret a step may see; nothing else may. Only what opens requests sees ``forge``; reading the environment repo takes its reader."""

State = Literal[
    "forge",
    "loop",
    "main",
    "models",
    "notices",
    "online",
    "references",
    "registry",
    "shared-online",
    "signatures",
    "signing",
    "snapshots",
]
"""A state outside of a run that a step reads or changes; `main`: the branch of the environment repo alone; of the model store its parts;
`notices`: what people could not be told of."""

# One set for all steps of the search and the training, so that they share one warm process.
TRAINING = (
    "alembic.command",
    "argosy.ml.xgboost_library",
    "numpy",
    "optuna",
    "pyarrow.parquet",
    "sqlalchemy.dialects.sqlite",
)

# What scoring a point depends on; how many there are, and how they are dealt out, it does not.
SCORING = (
    *("label", "model", "seed", "split", "task"),
    *("search.early_stopping_rounds", "search.folds", "search.max_boost_rounds", "search.metric"),
    *("search.per_round", "search.prune_after_folds", "search.rows", "search.space"),
    *("training.bind_monotone", "training.library", "training.monotone", "training.nthread"),
)

ROOT = "/argosy"
"""The folder of a step's files inside a container; ``$ARGOSY_ROOT`` says where they are here."""


@dataclass(frozen=True)
class Parameter:
    """An input value, handed over in the environment and never in code."""

    name: str
    summary: str
    default: str | None = None
    noted: bool = False
    """True where it is only written down beside an answer: an answer kept with another value is as good."""

    @property
    def variable(self) -> str:
        """The environment variable that carries it."""
        return f"ARGOSY_PARAMETER_{_word(self.name)}"

    @property
    def file_variable(self) -> str:
        """The environment variable that names the file below ``$ARGOSY_ROOT`` which holds it, where a step of the same pod wrote it."""
        return f"ARGOSY_PARAMETER_FILE_{_word(self.name)}"


@dataclass(frozen=True)
class Artifact:
    """A file or folder that goes in or comes out."""

    name: str
    summary: str
    optional: bool = False

    @property
    def variable(self) -> str:
        """The environment variable that says where below ``$ARGOSY_ROOT`` it lies, where a step of the same pod left it."""
        return f"ARGOSY_INPUT_{_word(self.name)}"


@dataclass(frozen=True)
class Result:
    """A short output value, written to a file of its own. *exported*: the workflow shows it among its own outputs."""

    name: str
    summary: str
    exported: bool = False


@dataclass(frozen=True)
class StepSpec:
    """One step. ``name`` is also the name of its Argo template; its folder is the name with underscores."""

    name: str
    summary: str
    family: Family
    parameters: tuple[Parameter, ...] = ()
    inputs: tuple[Artifact, ...] = ()
    outputs: tuple[Artifact, ...] = ()
    results: tuple[Result, ...] = ()
    keys: tuple[Key, ...] = ()
    cached: bool = True
    """True where equal inputs give equal outputs, so that the step can be memoized."""
    observes: tuple[State, ...] = ()
    """Of a step that is not: all that it reads and changes outside. Done again where that is as it left it, it changes nothing and gives
    the same; so where all of that lies on one machine, and nothing there has moved, it need not be done again. One that is not
    *exclusive* changes nothing of it. Empty: nobody knows."""
    exclusive: bool = False
    """True where two runs of one model must take turns (a mutex), as whatever changes what it observes has to."""
    reads: tuple[str, ...] = ()
    """Data that it reads outside its inputs, as locations that may name a parameter (``{{inputs.parameters.data}}``): their content
    joins the cache key."""
    provenance: Literal["unseen", "noted", "stated"] = "unseen"
    """The provenance it is told (commit, images): ``stated``, as part of its answer, or ``noted`` beside it, so that an
    answer kept from another commit is as good."""
    settings: tuple[str, ...] = ()
    """Its parts of model.yaml, as ``section`` or ``section.field``: nothing else is there when it runs, and a change of anything else
    leaves its cached answer good. Empty: everything."""
    notes_run: bool = False
    """True where it writes down which workflow it is of, and who asked for that; beside its answer, as what is noted."""
    plans_memory: bool = False
    """True where it keeps to its limit on memory by itself, and goes to disk beyond it: so it is told the limit."""
    preload: tuple[str, ...] = ()
    """Modules worth importing once for all tasks of this step."""

    @property
    def module(self) -> str:
        """The Python module a container runs."""
        return f"argosy.steps.{self.name.replace('-', '_')}"


def spent(step: str) -> Result:
    """The result by which the step *step* tells its time; the shell round it (`argosy.steps.main`) writes it."""
    return Result(
        f"spent-{step}", "Its time, after that of steps before it that it was told (`spent`): JSON list of StepTime."
    )


SPENT = Parameter(
    "spent",
    "The time of steps before it, as they tell it (StepTime); empty where they tell none.",
    default="",
    noted=True,
)


ASKED_BY = "ARGOSY_ASKED_BY"
WORKFLOW, NAMESPACE = "ARGOSY_WORKFLOW", "ARGOSY_WORKFLOW_NAMESPACE"
CREATED, LABELS = "ARGOSY_WORKFLOW_CREATED", "ARGOSY_WORKFLOW_LABELS"
"""Variables in which a step that notes its run is told of it (`StepSpec.notes_run`): the parameter ``asked-by``; the workflow's name and
namespace; when it was created, in seconds since 1970, and its labels, as JSON."""


def input_path(name: str, root: str = ROOT) -> str:
    """The path of an input artifact."""
    return f"{root}/in/{name}"


def output_path(name: str, root: str = ROOT) -> str:
    """The path that a step writes an output artifact to."""
    return f"{root}/out/{name}"


def result_path(name: str, root: str = ROOT) -> str:
    """The path that a step writes an output parameter to."""
    return f"{root}/results/{name}"


def _word(name: str) -> str:
    return name.upper().replace("-", "_")
