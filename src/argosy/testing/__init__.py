"""Contract suites: what every adapter of a port must hold, the fakes included. Needs pytest."""
