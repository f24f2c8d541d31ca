"""The upstreams' side of a worker: names, connections, pools, and requests on their way out."""
