"""Shows Prometheus what no server and no controller can tell it: what was seen of a model, what waits, what ran, what expires."""
