"""Whose failure it is, and which setting mends it, is read from what Spark says."""

import re

import pytest

from argosy import errors
from argosy.adapters.spark import spark_failures


@pytest.mark.parametrize(
    ("said", "kind", "told"),
    [
        pytest.param(
            "An error occurred while calling o1.collectToPython. : java.lang.OutOfMemoryError: Java heap space",
            errors.Misconfigured,
            r"Spark's driver, which is in the step, has not the memory for it; give the step more in model.yaml, `resources",
            id="driver",
        ),
        pytest.param(
            "Job aborted due to stage failure: Total size of serialized results is bigger than spark.driver.maxResultSize",
            errors.Misconfigured,
            "raise it in model.yaml, `compute: {options: {spark.driver.maxResultSize",
            id="too-much-comes-back",
        ),
        pytest.param(
            "Job aborted due to stage failure: Lost task 0.3 (10.0.0.9 executor 2): java.lang.OutOfMemoryError: Java heap space",
            errors.Misconfigured,
            r"give its executors more in model.yaml, `compute: {options: {spark.executor.memory: 8g}}",
            id="executor",
        ),
        pytest.param(
            "ExecutorLostFailure (executor 1 exited) Reason: exit code 137(SIGKILL, possible container OOM). reason: OOMKilled",
            errors.Misconfigured,
            "give its executors more",
            id="pod-of-an-executor",
        ),
        pytest.param(
            "ExecutorLostFailure (executor 1 exited) Reason: exit code 143(SIGTERM)",
            errors.TryAgain,
            "went away",
            id="pod-that-went",
        ),
        pytest.param(
            "SparkException: External scheduler cannot be instantiated\nCaused by: io.fabric8.kubernetes.client.KubernetesClientException: "
            "Operation: [get] for kind: [Pod] with name: [churn-train-1] in namespace: [ml] failed.\n"
            "Caused by: java.util.concurrent.TimeoutException",
            errors.TryAgain,
            r"TimeoutException: Spark at k8s://https://kubernetes\.default\.svc had no answer in time",
            id="api-server-silent",
        ),
        pytest.param(
            "KubernetesClientException: Failure executing: POST at: https://10.0.0.1/api/v1/namespaces/ml/pods. Message: Forbidden! "
            "Received status: Status(apiVersion=v1, code=403, reason=Forbidden)",
            errors.Misconfigured,
            "the API server at .* refuses what Spark asks of it",
            id="api-server-refuses",
        ),
        pytest.param(
            "KubernetesClientException: Failure executing: POST at: https://10.0.0.1/api/v1/namespaces/ml/pods. Message: "
            "etcdserver: leader changed. Received status: Status(apiVersion=v1, code=500, reason=null)",
            errors.TryAgain,
            "the API server at .* did not do what Spark asked of it",
            id="api-server-fails",
        ),
        pytest.param(
            "org.apache.spark.SparkException: Could not execute broadcast in 300 secs.\nCaused by: java.util.concurrent.TimeoutException",
            errors.TryAgain,
            "had no answer in time",
            id="waited-in-vain",
        ),
        pytest.param(
            "Answer from Java side is empty",
            errors.Misconfigured,
            "driver in this step ended.*`resources",
            id="driver-killed",
        ),
    ],
)
def test_whose_memory_it_was(said: str, kind: type[errors.ArgosyError], told: str) -> None:
    """Of a driver in the step, and executors elsewhere, the setting is named of whichever ran out of it."""
    failure = spark_failures.meaning(
        "the model cannot be fitted", said, "k8s://https://kubernetes.default.svc", "cluster"
    )
    assert type(failure) is kind
    assert re.search(told, str(failure)), failure


def test_a_server_that_ends() -> None:
    """Of Spark Connect no JVM is in the step: the same words are tried again."""
    said = "Answer from Java side is empty"
    assert type(spark_failures.meaning("-", said, "sc://spark.example", "server")) is errors.TryAgain
