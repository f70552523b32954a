"""The rules of promotion over the ports: the one room for them, below the command line, the steps and the forges.

- ``standing``: reads main, at one commit
- ``subjects``: the subject of a request, by its commit
- ``proposals``: decides for a forge about a proposal
- ``offers``: a run asks for its model to be promoted
- ``desk``: the verbs of a reviewer, with ``seals`` for the signatures
- ``resigning``: what is served, signed by another key
- ``following``: follows a merge up, with ``aliases`` for the registry
- ``canaries``: revert or next request, by the rollouts of an environment, with ``reverting`` for the way back
- ``approval``: the approved version and its files
- ``online_stores``: published features and who needs them

Pure rules over values are ``domain``'s (``promotion_requests``, ``changes``, ``merge_checks``, ``rollouts``); words for people are
``report``'s.
"""
