"""The AI-API-key lab as a folder of manifests, one file an object, for tests that edit them."""

from __future__ import annotations

from pathlib import Path

GATEWAY = """\
apiVersion: networking.gloo.solo.io/v2
kind: VirtualGateway
metadata:
  name: ai-ingress-gw
  namespace: gloo-mesh-gateways
spec:
  workloads:
  - selector:
      labels:
        app: istio-ingressgateway
      namespace: gloo-mesh-gateways
  listeners:
  - http: {}
    port:
      number: 8081
    allowedRouteTables:
    - host: '*'
      selector:
        namespace: gloo-mesh-gateways
"""

ROUTES = """\
apiVersion: networking.gloo.solo.io/v2
kind: RouteTable
metadata:
  name: ai-ingress-rt
  namespace: gloo-mesh-gateways
spec:
  hosts:
  - '*'
  virtualGateways:
  - name: ai-ingress-gw
    namespace: gloo-mesh-gateways
  workloadSelectors: []
  http:
  - name: ai-ingress-requests
    labels:
      ingress: all
    delegate:
      routeTables:
      - namespace: ai-demo
---
apiVersion: networking.gloo.solo.io/v2
kind: RouteTable
metadata:
  name: direct-to-huggingface-routetable
  namespace: ai-demo
spec:
  workloadSelectors: []
  http:
  - name: demo-huggingface
    labels:
      route: huggingface
    matchers:
    - uri:
        prefix: /huggingface
    forwardTo:
      pathRewrite: /models/openai-community/gpt2
      hostRewrite: api-inference.huggingface.co
      destinations:
      - kind: EXTERNAL_SERVICE
        ref:
          name: huggingface-api
        port:
          number: 443
"""

SERVICE = """\
apiVersion: networking.gloo.solo.io/v2
kind: ExternalService
metadata:
  name: huggingface-api
  namespace: ai-demo
spec:
  hosts:
  - api-inference.huggingface.co
  ports:
  - name: https
    number: 443
    protocol: HTTPS
    clientsideTls: {}
"""

POLICY = """\
apiVersion: security.policy.gloo.solo.io/v2
kind: ExtAuthPolicy
metadata:
  name: huggingface-apikey
  namespace: gloo-mesh-gateways
spec:
  applyToRoutes:
  - route:
      labels:
        route: huggingface
  config:
    glooAuth:
      configs:
      - apiKeyAuth:
          headerName: api-key
          k8sSecretApikeyStorage:
            labelSelector:
              api-key: api-huggingface
          headersFromMetadataEntry:
            x-api-key:
              name: huggingface-api-key
"""

SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: api-huggingface-key
  labels:
    api-key: api-huggingface
type: extauth.solo.io/apikey
data:
  api-key: bXlzZWNyZXRrZXk=
  huggingface-api-key: aGZfcHJvdmlkZXJfdG9rZW4=
"""

TRANSFORMATION = """\
apiVersion: trafficcontrol.policy.gloo.solo.io/v2
kind: TransformationPolicy
metadata:
  name: huggingface-transformations
spec:
  applyToRoutes:
  - route:
      labels:
        route: huggingface
  config:
    request:
      injaTemplate:
        headers:
          Authorization:
            text: 'Bearer {{ huggingface-api-key }}'
        extractors:
          huggingface-api-key:
            header: 'x-api-key'
            regex: '.*'
"""

FILES = {
    "gateway.yaml": GATEWAY,
    "routes.yaml": ROUTES,
    "service.yaml": SERVICE,
    "policy.yaml": POLICY,
    "secret.yaml": SECRET,
    "transformation.yaml": TRANSFORMATION,
}

KEY = "mysecretkey"
TOKEN = "hf_provider_token"


def write_lab(root: Path, **changed: str) -> Path:
    """Write all files; ``changed`` gives other content for some, by name without the suffix, empty for none."""
    root.mkdir(parents=True, exist_ok=True)
    for name, content in FILES.items():
        text = changed.get(name.removesuffix(".yaml"), content)
        if text:
            (root / name).write_text(text)
    return root
