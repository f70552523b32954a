"""Artifacts that lie outside a run: in buckets, behind URLs, in git repositories. Which step takes which is ``attempts``' business."""
