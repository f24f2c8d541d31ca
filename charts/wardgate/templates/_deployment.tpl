{{- define "wardgate.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "wardgate.metadata" (merge (dict "name" (printf "%s-%s" (include "wardgate.fullname" .root) .component)
    "namespace" .root.Release.Namespace "labels" .values.labels "annotations" .values.annotations) .) | nindent 2 }}
spec:
  {{- include "wardgate.replicas" . | nindent 2 }}
  {{- with .values.minReadySeconds }}
  minReadySeconds: {{ . }}
  {{- end }}
  revisionHistoryLimit: {{ .values.revisionHistoryLimit }}
  strategy:
    {{- toYaml .values.strategy | nindent 4 }}
  selector:
    matchLabels:
      {{- include "wardgate.selectorLabels" . | nindent 6 }}
{{- end }}

{{- /* Nothing where something else scales. A Deployment whose number nobody has scaled yet keeps the number that it has:
left out, it would fall to one. */}}
{{- define "wardgate.replicas" -}}
{{- if not (or .autoscaled (kindIs "invalid" .values.replicas)) -}}
replicas: {{ .values.replicas }}
{{- else -}}
{{- $live := lookup "apps/v1" "Deployment" .root.Release.Namespace (printf "%s-%s" (include "wardgate.fullname" .root) .component) }}
{{- $scaled := false }}
{{- range dig "metadata" "managedFields" list $live }}
{{- if and (eq (.subresource | default "") "scale") (hasKey (dig "fieldsV1" "f:spec" dict .) "f:replicas") }}{{ $scaled = true }}{{ end }}
{{- end }}
{{- if and $live (not $scaled) -}}
replicas: {{ $live.spec.replicas }}
{{- end }}
{{- end }}
{{- end }}
