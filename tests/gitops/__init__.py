"""The examples for GitOps and EKS, and how GitOps tools see Wardgate's objects."""
