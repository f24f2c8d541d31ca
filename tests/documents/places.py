"""Where each command of the documents is run. A command that stands nowhere here fails ``test_coverage.py``.

Commands are named by how they begin, in the order of their document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeAlias


class Place(StrEnum):
    """The test that runs a command."""

    NEWCOMER = "tests/install/newcomer.py, in an empty clone, on the ports that the README names"
    EXAMPLE = "tests/documents/test_examples.py, behind the stand-in provider"
    DEMO = "tests/documents/test_demo.py"
    ALONE = "tests/documents/test_reference.py, by itself"
    REPOSITORY = "tests/documents/test_reference.py, in a repository that holds more than manifests"
    CHART = "tests/documents/test_installing.py, with the real Helm on a real API server"
    STATUS = "tests/documents/test_status.py, on a real API server"
    EXPORT = "tests/documents/test_migration.py, on a real API server"
    NO_REGISTRY = "not run, there is neither Docker nor a registry: test_flags.py compares it with the Dockerfile"
    ELSEWHERE = "not run, it asks for a cluster with other tools: tests/gitops validates what it applies"
    NO_PODS = "not run, the API server has no pods: test_installing.py asks for the service and its port"


Row: TypeAlias = tuple[str, Place]

PLACES: Mapping[str, Sequence[Row]] = {
    "README.md": [
        ("make demo", Place.NEWCOMER),
        ("curl -i", Place.NEWCOMER),
        ("curl -X POST", Place.NEWCOMER),
        ("wardgate render", Place.ALONE),
    ],
    "docs/gloo-migration.md": [
        ("mkdir manifests", Place.EXPORT),
        ("kubectl get -A -o yaml virtualgateways", Place.EXPORT),
        ("kubectl get -A -o yaml secrets", Place.EXPORT),
        ("wardgate check manifests", Place.EXPORT),
        ("wardgate render manifests", Place.EXPORT),
    ],
    "docs/findings.md": [
        ("wardgate check --explain NoRoutes", Place.ALONE),
        ("wardgate check --explain list", Place.ALONE),
    ],
    "docs/install.md": [
        ("docker build", Place.NO_REGISTRY),
        ("docker push", Place.NO_REGISTRY),
        ("helm install", Place.CHART),
        ("kubectl create namespace gloo-mesh-gateways", Place.CHART),
        ("kubectl create namespace ai-demo", Place.CHART),
        ("kubectl apply -f examples/huggingface", Place.CHART),
        ("kubectl wait", Place.CHART),
        ("kubectl -n wardgate port-forward", Place.NO_PODS),
        ("curl -i", Place.CHART),
        ("helm template", Place.ALONE),
        ("helm install", Place.CHART),
        ("kubectl apply --server-side", Place.CHART),
        ("helm upgrade", Place.CHART),
    ],
    "docs/settings.md": [
        ("wardgate run", Place.ALONE),
        ("WARDGATE_SET=", Place.ALONE),
        ("wardgate check .", Place.REPOSITORY),
        ("printf", Place.REPOSITORY),
    ],
    "docs/status.md": [
        ("kubectl get extauthpolicies -A", Place.STATUS),
        ("kubectl get extauthpolicies -A -o wide", Place.STATUS),
        ("kubectl apply", Place.STATUS),
        ("kubectl wait", Place.STATUS),
        ("wardgate status --context", Place.STATUS),
        ("wardgate status --output json | jq", Place.STATUS),
    ],
    "docs/templates.md": [(".venv/bin/wardgate render", Place.ALONE)],
    "examples/anthropic/README.md": [
        (".venv/bin/wardgate run", Place.EXAMPLE),
        ("curl -i", Place.EXAMPLE),
        ("curl http", Place.EXAMPLE),
    ],
    "examples/argocd/README.md": [
        ("kubectl patch configmap argocd-cm", Place.ELSEWHERE),
        ("kubectl apply", Place.ELSEWHERE),
        ("argocd app wait", Place.ELSEWHERE),
    ],
    "examples/demo/README.md": [
        ("make demo ", Place.DEMO),
        ("make demo PORT=18081", Place.DEMO),
        ("make demo DEMO_FLAGS", Place.DEMO),
        (".venv/bin/python examples/demo --help", Place.ALONE),
    ],
    "examples/eks/README.md": [
        ("aws eks associate-encryption-config", Place.ELSEWHERE),
        ("kubectl apply -f examples/eks/1-namespaces.yaml", Place.ELSEWHERE),
        ("helm install", Place.ELSEWHERE),
        ("kubectl -n wardgate get service", Place.ELSEWHERE),
        ("aws iam create-policy", Place.ELSEWHERE),
        ("eksctl create iamserviceaccount", Place.ELSEWHERE),
        ("aws secretsmanager create-secret", Place.ELSEWHERE),
        ("kubectl apply -f examples/eks/2-secret-store.yaml", Place.ELSEWHERE),
        ("kubectl -n ai-gateway wait", Place.ELSEWHERE),
        ("kubectl apply -f examples/eks/4-certificate.yaml", Place.ELSEWHERE),
        ("kubectl -n ai-gateway wait", Place.ELSEWHERE),
        ("kubectl apply -f examples/eks/5-gateway.yaml", Place.ELSEWHERE),
        ("kubectl -n ai-gateway wait", Place.ELSEWHERE),
        ("wardgate status", Place.ELSEWHERE),
        ("curl -i", Place.ELSEWHERE),
        ("curl https", Place.ELSEWHERE),
    ],
    "examples/flux/README.md": [
        ("kubectl create namespace wardgate", Place.ELSEWHERE),
        ("kubectl apply -f examples/flux/1-wardgate.yaml", Place.ELSEWHERE),
        ("flux reconcile helmrelease", Place.ELSEWHERE),
        ("kubectl apply -f examples/flux/2-policies.yaml", Place.ELSEWHERE),
        ("flux reconcile kustomization", Place.ELSEWHERE),
    ],
    "examples/huggingface/README.md": [
        (".venv/bin/python examples/provider", Place.EXAMPLE),
        (".venv/bin/wardgate run", Place.EXAMPLE),
        ("curl -I", Place.EXAMPLE),
        ("curl http", Place.EXAMPLE),
    ],
    "examples/huggingface-router/README.md": [
        (".venv/bin/wardgate run", Place.EXAMPLE),
        ("curl -i", Place.EXAMPLE),
        ("curl http", Place.EXAMPLE),
    ],
    "examples/huggingface-steps/README.md": [
        ("mkdir /tmp/lab", Place.EXAMPLE),
        (".venv/bin/wardgate run", Place.EXAMPLE),
    ],
    "examples/kind/README.md": [
        ("examples/kind/lab up", Place.ELSEWHERE),
        ("curl -i", Place.ELSEWHERE),
        ("curl http", Place.ELSEWHERE),
        ("examples/kind/lab down", Place.ELSEWHERE),
    ],
    "examples/openai/README.md": [
        (".venv/bin/wardgate run", Place.EXAMPLE),
        ("curl -i", Place.EXAMPLE),
        ("curl http", Place.EXAMPLE),
    ],
    "examples/shared-token/README.md": [
        (".venv/bin/wardgate run", Place.EXAMPLE),
        ("curl http", Place.EXAMPLE),
        ("curl http", Place.EXAMPLE),
    ],
    "examples/provider/README.md": [(".venv/bin/python examples/provider", Place.EXAMPLE)],
}
