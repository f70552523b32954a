"""The parts of ``argosy demo``: its script, the stages it prints, the commands it runs, the rows it sends."""
