"""Who is about to leave? From the customers' file to a promotion request.

`argosy compile workflows/churn` writes pipeline.yaml; `argosy run churn` runs it here, `argo submit` on a cluster.
"""

from argosy.templates import pipeline, training

with pipeline.of(__file__) as run:
    training.dag(run)
