"""The rules of promotion over the ports: the one room for them, below the command line, the steps and the forges.

- ``standing``: what main says
- ``subjects``: what a request is about
- ``proposals``: what a forge does about a proposal
- ``offers``: a run asks for its model to be promoted
- ``desk``: a reviewer's verbs, with ``seals`` for the signatures
- ``following``: what a merge leads to, with ``aliases`` for the registry
- ``canaries``: what an environment's rollouts lead to, with ``reverting`` for the way back
- ``approval``: what an environment may serve, and its files
- ``online_stores``: who needs which published features

Pure rules over values are ``domain``'s (``promotion``, ``changes``, ``merge_checks``, ``rollouts``); words for people are ``report``'s.
"""
