"""Which flight will arrive late? Three sources with real times: flights, weather, planes.

`argosy compile workflows/flight_delay` writes pipeline.yaml; `argosy run flight_delay` runs it here, `argo submit` on a cluster.
"""

from argosy.templates import pipeline, training

with pipeline.of(__file__) as run:
    training.dag(run)
