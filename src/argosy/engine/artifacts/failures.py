"""The failures of an artifact, told apart as far as it makes a difference to the step that wants it."""


class ArtifactFailure(Exception):
    """An artifact could not be loaded or saved."""


class ArtifactMissing(ArtifactFailure):
    """There is nothing at the artifact's location. To an optional input that is no failure."""
