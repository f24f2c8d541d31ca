"""The same pipeline as in a cluster, fed by a folder of manifests that is watched: no cluster needed.

The folder plays the API server: it reads YAML, gives every object an identity and a version, and says where in which
file an object stands. ``translate`` decides on the meaning of the objects, exactly as in a cluster.
"""
