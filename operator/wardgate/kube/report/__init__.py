"""An installation as a person with a kubeconfig finds it, for ``wardgate status``."""
