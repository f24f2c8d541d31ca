"""The workshop's objects: what labs 2 to 6 apply, and nothing else."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

import yaml

Manifest = dict[str, Any]

_TEXT: Final = """
apiVersion: networking.gloo.solo.io/v2
kind: VirtualGateway
metadata: {name: ingress, namespace: gloo-mesh-gateways}
spec:
  workloads:
    - selector:
        labels: {app: istio-ingressgateway}
        namespace: gloo-mesh-gateways
  listeners:
    - http: {}
      port: {number: 80}
      allowedRouteTables:
        - host: '*'
          selector: {namespace: gloo-mesh-gateways}
---
apiVersion: networking.gloo.solo.io/v2
kind: RouteTable
metadata: {name: ingress, namespace: gloo-mesh-gateways}
spec:
  hosts: ['*']
  virtualGateways: [{name: ingress, namespace: gloo-mesh-gateways}]
  workloadSelectors: []
  http:
    - name: application-ingress
      labels: {ingress: all}
      delegate: {routeTables: [{namespace: online-boutique}]}
---
apiVersion: networking.gloo.solo.io/v2
kind: RouteTable
metadata: {name: frontend, namespace: online-boutique}
spec:
  workloadSelectors: []
  http:
    - matchers: [{uri: {prefix: /}}]
      name: frontend
      labels: {route: frontend}
      forwardTo:
        destinations: [{ref: {name: frontend, namespace: online-boutique}, port: {number: 80}}]
---
apiVersion: networking.gloo.solo.io/v2
kind: RouteTable
metadata: {name: productcatalog, namespace: online-boutique}
spec:
  weight: 100
  workloadSelectors: []
  http:
    - matchers: [{uri: {exact: /products}}, {uri: {prefix: /products}}]
      name: productcatalog
      labels: {route: products}
      forwardTo:
        destinations: [{ref: {name: productcatalogservice, namespace: online-boutique}, port: {number: 3555}}]
---
apiVersion: networking.gloo.solo.io/v2
kind: ExternalService
metadata: {name: httpbin, namespace: online-boutique}
spec:
  hosts: [httpbin.org]
  ports: [{name: https, number: 443, protocol: HTTPS, clientsideTls: {}}]
---
apiVersion: networking.gloo.solo.io/v2
kind: RouteTable
metadata: {name: httpbin, namespace: online-boutique}
spec:
  weight: 150
  workloadSelectors: []
  http:
    - matchers: [{uri: {prefix: /httpbin}}]
      name: httpbin
      forwardTo:
        pathRewrite: /
        destinations: [{ref: {name: httpbin}, port: {number: 443}, kind: EXTERNAL_SERVICE}]
---
apiVersion: networking.gloo.solo.io/v2
kind: VirtualGateway
metadata: {name: ai-ingress-gw, namespace: gloo-mesh-gateways}
spec:
  workloads:
    - selector:
        labels: {app: istio-ingressgateway}
        namespace: gloo-mesh-gateways
  listeners:
    - http: {}
      port: {number: 8081}
      allowedRouteTables:
        - host: '*'
          selector: {namespace: gloo-mesh-gateways}
---
apiVersion: networking.gloo.solo.io/v2
kind: RouteTable
metadata: {name: ai-ingress-rt, namespace: gloo-mesh-gateways}
spec:
  hosts: ['*']
  virtualGateways: [{name: ai-ingress-gw, namespace: gloo-mesh-gateways}]
  workloadSelectors: []
  http:
    - name: ai-ingress-requests
      labels: {ingress: all}
      delegate: {routeTables: [{namespace: ai-demo}]}
---
apiVersion: networking.gloo.solo.io/v2
kind: ExternalService
metadata: {name: huggingface-api, namespace: ai-demo}
spec:
  hosts: [api-inference.huggingface.co]
  ports: [{name: https, number: 443, protocol: HTTPS, clientsideTls: {}}]
---
apiVersion: networking.gloo.solo.io/v2
kind: RouteTable
metadata: {name: direct-to-huggingface-routetable, namespace: ai-demo}
spec:
  workloadSelectors: []
  http:
    - name: demo-huggingface
      labels: {route: huggingface}
      matchers: [{uri: {prefix: /huggingface}}]
      forwardTo:
        pathRewrite: /models/openai-community/gpt2
        hostRewrite: api-inference.huggingface.co
        destinations: [{kind: EXTERNAL_SERVICE, ref: {name: huggingface-api}, port: {number: 443}}]
---
apiVersion: v1
kind: Secret
metadata: {name: solo-admin, namespace: gloo-mesh-gateways, labels: {api-keyset: httpbin-users}}
type: extauth.solo.io/apikey
data: {api-key: YWRtaW4ta2V5}
---
apiVersion: admin.gloo.solo.io/v2
kind: ExtAuthServer
metadata: {name: ext-auth-server, namespace: gloo-mesh-gateways}
spec:
  destinationServer:
    ref: {cluster: cluster-1, name: ext-auth-service, namespace: gloo-mesh}
    port: {name: grpc}
---
apiVersion: security.policy.gloo.solo.io/v2
kind: ExtAuthPolicy
metadata: {name: products-apikey, namespace: gloo-mesh-gateways}
spec:
  applyToRoutes: [{route: {labels: {route: products}}}]
  config:
    server: {name: ext-auth-server, namespace: gloo-mesh-gateways, cluster: cluster-1}
    glooAuth:
      configs:
        - apiKeyAuth:
            headerName: x-api-key
            labelSelector: {api-keyset: httpbin-users}
---
apiVersion: security.policy.gloo.solo.io/v2
kind: ExtAuthPolicy
metadata: {name: huggingface-apikey, namespace: gloo-mesh-gateways}
spec:
  applyToRoutes: [{route: {labels: {route: huggingface}}}]
  config:
    server: {name: ext-auth-server, namespace: gloo-mesh-gateways, cluster: cluster-1}
    glooAuth:
      configs:
        - apiKeyAuth:
            headerName: api-key
            k8sSecretApikeyStorage:
              labelSelector: {api-key: api-huggingface}
---
apiVersion: v1
kind: Secret
metadata: {name: api-huggingface-key, labels: {api-key: api-huggingface}}
type: extauth.solo.io/apikey
data: {api-key: bXlzZWNyZXRrZXk=}
---
apiVersion: trafficcontrol.policy.gloo.solo.io/v2
kind: TransformationPolicy
metadata: {name: huggingface-transformations}
spec:
  applyToRoutes: [{route: {labels: {route: huggingface}}}]
  config:
    request:
      injaTemplate:
        headers: {Authorization: {text: 'Bearer {{ huggingface-api-key }}'}}
        extractors: {huggingface-api-key: {header: x-api-key, regex: '.*'}}
"""

LAB: Final[tuple[Manifest, ...]] = tuple(yaml.load_all(_TEXT, yaml.CSafeLoader))
"""Every object of the labs, in the order in which they are applied."""


def lab_object(kind: str, name: str) -> Manifest:
    """A fresh copy of one object, to be changed at will."""
    found = [one for one in LAB if one["kind"] == kind and one["metadata"]["name"] == name]
    assert len(found) == 1
    return deepcopy(found[0])
