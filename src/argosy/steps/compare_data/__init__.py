"""Holds a snapshot against the one that was accepted before it, and against the champion's."""
