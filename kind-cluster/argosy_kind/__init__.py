"""What makes a cluster on which a model can be trained, reviewed, served and trained again, and what shows that.

``install`` puts the parts into whatever cluster KUBECONFIG names, ``demo`` takes a model through all of them, ``remove`` takes them away,
and ``lock`` writes the checksums of everything that is downloaded. ``up`` makes the cluster itself, by ``cluster.sh``, which alone calls
kind and docker.
"""
