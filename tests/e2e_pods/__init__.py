"""The chart and the image on real pods, in whatever cluster ``KUBECONFIG`` names."""
