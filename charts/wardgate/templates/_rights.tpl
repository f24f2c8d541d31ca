{{- /* Policies and routing are read; only their status is written, never a spec. */}}
{{- define "wardgate.policyRules" -}}
- apiGroups: [admin.gloo.solo.io]
  resources: [extauthservers]
  verbs: [get, list, watch]
- apiGroups: [networking.gloo.solo.io]
  resources: [externalendpoints, externalservices, routetables, virtualgateways]
  verbs: [get, list, watch]
- apiGroups: [security.policy.gloo.solo.io]
  resources: [extauthpolicies]
  verbs: [get, list, watch]
- apiGroups: [trafficcontrol.policy.gloo.solo.io]
  resources: [transformationpolicies]
  verbs: [get, list, watch]
{{- if ne .Values.foreignGuards "ignore" }}
# Kinds that Wardgate does not implement, but closes routes for.
- apiGroups: [security.policy.gloo.solo.io]
  resources: [accesspolicies, clienttlspolicies, csrfpolicies, graphqlallowedquerypolicies, jwtpolicies, wafpolicies]
  verbs: [list, watch]
{{- end }}
- apiGroups: [admin.gloo.solo.io]
  resources: [extauthservers/status]
  verbs: [patch]
- apiGroups: [networking.gloo.solo.io]
  resources: [externalendpoints/status, externalservices/status, routetables/status, virtualgateways/status]
  verbs: [patch]
- apiGroups: [security.policy.gloo.solo.io]
  resources: [extauthpolicies/status]
  verbs: [patch]
- apiGroups: [trafficcontrol.policy.gloo.solo.io]
  resources: [transformationpolicies/status]
  verbs: [patch]
- apiGroups: ["", events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{- /* RBAC cannot narrow reads by type or label: whoever may watch key Secrets may watch all of them. */}}
{{- define "wardgate.keyRules" -}}
- apiGroups: [""]
  resources: [secrets]
  verbs: [list, watch]
{{- end }}

{{- define "wardgate.operatorSubject" -}}
subjects:
  - kind: ServiceAccount
    name: {{ include "wardgate.serviceAccount" (dict "root" . "component" "operator" "values" .Values.operator) | quote }}
    namespace: {{ .Release.Namespace | quote }}
{{- end }}

{{- /* One set of rules in every namespace of a list, or in the whole cluster where the list is empty. */}}
{{- define "wardgate.grant" -}}
{{- $root := .root }}
{{- $rules := .rules }}
{{- $name := include "wardgate.nameAbroad" . }}
{{- $kind := empty .namespaces | ternary "ClusterRole" "Role" }}
{{- range $namespace := .namespaces | default (list "") | uniq }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}
metadata:
  {{- include "wardgate.metadata" (dict "root" $root "component" "operator" "name" $name "namespace" $namespace) | nindent 2 }}
rules:
  {{- include $rules $root | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ $kind }}Binding
metadata:
  {{- include "wardgate.metadata" (dict "root" $root "component" "operator" "name" $name "namespace" $namespace) | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ $kind }}
  name: {{ $name | quote }}
{{ include "wardgate.operatorSubject" $root }}
{{- end }}
{{- end }}

{{- /* The API server's own address, which no upstream may be. */}}
{{- define "wardgate.apiServerRules" -}}
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  resourceNames: [kubernetes]
  verbs: [get]
{{- end }}
