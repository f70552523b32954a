"""The process of an executor that is a pod: turns what Spark's scheduler puts into its environment into the executor's own command.

Standard library only, and gone once the JVM has taken its place.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

BACKEND = "org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend"
ARGUMENTS = {
    "--driver-url": "SPARK_DRIVER_URL",
    "--executor-id": "SPARK_EXECUTOR_ID",
    "--cores": "SPARK_EXECUTOR_CORES",
    "--app-id": "SPARK_APPLICATION_ID",
    "--hostname": "SPARK_EXECUTOR_POD_IP",
    "--resourceProfileId": "SPARK_RESOURCE_PROFILE_ID",
    "--podName": "SPARK_EXECUTOR_POD_NAME",
}
"""Arguments of the backend, and the variables that Spark's scheduler gives each pod for them."""
OPTION = "SPARK_JAVA_OPT_"
"""What the names of variables begin with that hold an option of the JVM each, and end with their place."""


def main() -> None:
    """Become the executor. Exits 78 where the environment is not that of one."""
    if absent := [name for name in (*ARGUMENTS.values(), "SPARK_EXECUTOR_MEMORY") if name not in os.environ]:
        sys.exit(_no_executor(absent[0]))
    os.execvp("java", command(os.environ, Path(sys.prefix)))  # noqa: S606 - the image's own Java, by its PATH


def command(environment: Mapping[str, str], prefix: Path) -> list[str]:
    """The command of the executor that *environment* describes, in the Python installation *prefix*."""
    memory = environment["SPARK_EXECUTOR_MEMORY"]
    (jars,) = prefix.glob("lib/python3*/site-packages/pyspark/jars")
    places = [environment.get("SPARK_CLASSPATH", ""), f"{jars}/*"]
    return [
        "java",
        *(value for _, value in sorted(_options(environment))),
        f"-Xms{memory}",
        f"-Xmx{memory}",
        "-cp",
        ":".join(place for place in places if place),
        BACKEND,
        *(word for name, variable in ARGUMENTS.items() for word in (name, environment[variable])),
    ]


def _options(environment: Mapping[str, str]) -> list[tuple[int, str]]:
    return [(int(name.removeprefix(OPTION)), value) for name, value in environment.items() if name.startswith(OPTION)]


def _no_executor(name: str) -> int:
    print(  # noqa: T201 - the log of the pod
        f"{name} is not set: this is what a pod runs that Spark's scheduler starts; steps start theirs where ARGOSY_SPARK_MASTER is k8s://…",
        file=sys.stderr,
    )
    return 78


if __name__ == "__main__":
    main()
