"""Argosy: machine-learning pipelines on Argo Workflows, promoted by pull request."""
