"""What do people who use Argosy ask? From its documentation to a promotion request.

`argosy compile workflows/support_answers` writes pipeline.yaml; `argosy run support_answers` runs it here, `argo submit` on a cluster.
"""

from argosy.templates import answering, pipeline

with pipeline.of(__file__) as run:
    answering.dag(run)
