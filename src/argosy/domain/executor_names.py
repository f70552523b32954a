"""What executors that are pods are called, to whoever compiles for them, starts them, and says what they may."""

TOKEN, AUTHORITY, NAMESPACE = "ARGOSY_SPARK_TOKEN", "ARGOSY_SPARK_AUTHORITY", "ARGOSY_SPARK_NAMESPACE"
"""Variables of a step that may start executors, which the platform fills: what the API server knows it by, the authority (PEM) that signs
for the API server, the namespace."""
IMAGE, POD = "ARGOSY_SPARK_IMAGE", "ARGOSY_SPARK_POD"
"""Those that its manifest fills: the step's own image, and the name of its pod."""
PLACEMENT = "ARGOSY_SPARK_PLACEMENT"
"""One that its manifest fills where the model places the step: the fields of its pod that do, as a JSON object."""
TOLD = (TOKEN, AUTHORITY, NAMESPACE, IMAGE, POD)
LABEL = "argosy.dev/spark"
"""On the pods that may talk to each other, with one of these values:"""
DRIVER, EXECUTOR = "driver", "executor"
ACCOUNT = "argosy-spark-executor"
"""Of executors. It may do nothing, and has no token."""
MODULE = "argosy.adapters.spark.executor_main"
"""What the container of an executor runs."""


def token_secret(account: str) -> str:
    """The Secret with the token of *account*; there where the platform lets it start executors."""
    return f"{account}.service-account-token"
