"""A Kubernetes cluster, read through its API with the client ``kubernetes``."""
