"""Ports: all that Argosy needs from the outside world, as Protocols. Adapters keep these promises; steps rely on nothing else."""
