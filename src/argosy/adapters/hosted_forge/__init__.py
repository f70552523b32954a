"""The environment repo on a server: requests are its pull requests."""
