"""What Spark's failures mean to whoever asked: which can be tried again, which somebody has to mend, and how."""

from typing import Literal

from argosy import errors

Where = Literal["step", "cluster", "server"]
"""Where Spark is: all of it in the step; its driver there, and its executors in a cluster; all of it elsewhere."""
NO_MEMORY = (
    "OutOfMemoryError",
    "Java heap space",
    "GC overhead limit",
    "UNABLE_TO_ACQUIRE_MEMORY",
    "Container killed by YARN",
    "OOMKilled",
)
OF_EXECUTORS = ("stage failure", "ExecutorLostFailure", "Lost task")
"""Words of what happened in an executor; a memory that is not one's is the driver's."""
OF_DRIVER = ("increase the spark driver memory",)
TOO_MUCH = ("spark.driver.maxResultSize",)
NO_JVM = (
    "Answer from Java side is empty",
    "while sending or receiving",
    "ConnectionRefusedError",
    "BrokenPipeError",
    "ConnectionResetError",
)
"""Words of a JVM in this step that ended. To a server of Spark Connect, which is elsewhere, they mean that it went away."""
GONE = (
    *(
        "ExecutorLostFailure",
        "executor lost",
        "All masters are unresponsive",
        "SparkContext was shut down",
        "UNAVAILABLE",
    ),
    *("Connection refused", "SparkContext was stopped"),
    *NO_JVM,
)
"""Words of a Spark that went away, some of whose executors did, or that cannot be reached."""
API_REFUSES = ("code=401", "code=403", "Unauthorized", "Forbidden")
API_ANSWERED = ("code=",)
"""Words of an answer of the API server, whatever it is."""
NO_ANSWER = ("KubernetesClientException", "TimeoutException", "SocketTimeout", "Futures timed out")
"""Words of a wait that Spark gave up, of its scheduler for Kubernetes whatever the API server did not do."""
NO_SLOTS = ("requires more slots than the total number of slots",)
OTHER_PYTHON = ("ModuleNotFoundError", "PYTHON_VERSION_MISMATCH", "fits by XGBoost")
"""Words of executors whose Python is not the step's; the last are of ``argosy.ml.batches``."""
NO_S3 = ("S3AFileSystem not found",)
REFUSED = ("AccessDenied", "UNAUTHENTICATED", "PERMISSION_DENIED", "Access Denied")
WRONG = ("JAVA_GATEWAY_EXITED", "Could not parse Master URL")


def meaning(subject: str, said: str, place: str, where: Where) -> errors.ArgosyError | None:
    """What *said*, in the words of the Spark at *place*, means to *subject*; None where nobody knows, so that it is a fault of ours."""
    why = f"{subject}: {cause(said)}"
    if errors.says_disk_full(said) and not any(words in said for words in NO_MEMORY):
        return errors.LocalDisk(f"{why}; make room where Spark keeps what does not fit in memory")
    for words, kind, told in _rules(said, place, where):
        if any(each in said for each in words):
            return kind(f"{why}{told}")
    return None


def cause(said: str) -> str:
    """The line of Spark's message that says most: the last cause of all in what may be pages of a stack."""
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.strip().startswith("at ")]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    return (causes[-1] if causes else lines[0] if lines else "it says nothing")[:300]


Rule = tuple[tuple[str, ...], type[errors.ArgosyError], str]
"""Words, what they mean, and what is said of it."""
ROOM = ": a model is fitted by `compute.workers` tasks at once, and Spark has room for fewer"
MORE = "give the step more in model.yaml, `resources: {<step>: {memory: 4Gi}}`"

COMES_BACK: Rule = (
    TOO_MUCH,
    errors.Misconfigured,
    "; raise it in model.yaml, `compute: {options: {spark.driver.maxResultSize: 4g}}`",
)


def _rules(said: str, place: str, where: Where) -> list[Rule]:
    if where == "step":
        return _here()
    if where == "cluster" and not any(words in said for words in OF_EXECUTORS):
        return [*_driver(), *_kubernetes(said, place), *_elsewhere(place)]
    return [COMES_BACK, *_elsewhere(place)]


def _kubernetes(said: str, place: str) -> list[Rule]:
    """What a scheduler that asks the API server meets: a right that it has not, or a server that does otherwise now, or does not answer."""
    if "KubernetesClientException" not in said:
        return []
    return [
        (API_REFUSES, errors.Misconfigured, f": the API server at {place} refuses what Spark asks of it"),
        (API_ANSWERED, errors.TryAgain, f": the API server at {place} did not do what Spark asked of it"),
    ]


def _driver() -> list[Rule]:
    """What a driver in the step meets by itself: the same again would end in the same way."""
    return [
        (
            (*NO_MEMORY, *OF_DRIVER),
            errors.Misconfigured,
            f": Spark's driver, which is in the step, has not the memory for it; {MORE}",
        ),
        (
            NO_JVM,
            errors.Misconfigured,
            f": Spark's driver in this step ended, most often for memory; {MORE}. Where executors kept failing, the lines above say so",
        ),
    ]


def _here() -> list[Rule]:
    return [
        COMES_BACK,
        ((*NO_MEMORY, *OF_DRIVER), errors.Misconfigured, f": Spark has not the memory for it; {MORE}"),
        *_anywhere(f"{ROOM}; lower it in model.yaml, or give the step more cores", errors.Misconfigured),
        (REFUSED, errors.Misconfigured, ": Spark in this step refuses"),
        # The same again would end in the same way.
        (GONE, errors.Misconfigured, f": the JVM in this step ended, most often for memory; {MORE}"),
        (
            NO_ANSWER,
            errors.TryAgain,
            ": Spark in this step waited for a part of itself in vain; the machine may be busy",
        ),
    ]


def _elsewhere(place: str) -> list[Rule]:
    more = "give its executors more in model.yaml, `compute: {options: {spark.executor.memory: 8g}}`"
    return [
        (NO_MEMORY, errors.Misconfigured, f": Spark has not the memory for it; {more}"),
        *_anywhere(f"{ROOM} now; where it never has more, lower it in model.yaml", errors.TryAgain),
        (REFUSED, errors.Misconfigured, f": Spark at {place} refuses"),
        (GONE, errors.TryAgain, f": Spark at {place} went away"),
        (NO_ANSWER, errors.TryAgain, f": Spark at {place} had no answer in time"),
    ]


def _anywhere(room: str, kind: type[errors.ArgosyError]) -> list[Rule]:
    return [
        (NO_SLOTS, kind, room),
        (
            OTHER_PYTHON,
            errors.Misconfigured,
            ": the Python of Spark's executors is not the step's; give them the image `spark`, or name it in PYSPARK_PYTHON",
        ),
        (
            NO_S3,
            errors.Misconfigured,
            ": this Spark cannot read S3: it has no hadoop-aws; add the one of its Hadoop's version "
            "(`compute.options: {spark.jars.packages: org.apache.hadoop:hadoop-aws:<version>}`), or name a folder that both see in "
            "ARGOSY_SPARK_FOLDER",
        ),
        (WRONG, errors.Misconfigured, ""),
    ]
