"""Results for people: the page of a run, pages and pictures of steps, Markdown for requests and the registry, tables for a terminal.

The only place that writes markup, so that what others named or wrote stays text everywhere. Decides nothing: what it shows is values of
``domain``. A step, a forge and the command line may all import it.
"""
