{{- define "wardgate.configNamespace" -}}
{{ .Values.configNamespace.name | default (printf "%s-config" .Release.Name) }}
{{- end }}

{{- /* What lies outside the release namespace carries its name, so that two releases of one name do not collide. */}}
{{- define "wardgate.nameAbroad" -}}
{{ .root.Release.Name }}-operator-{{ .what }}.{{ .root.Release.Namespace }}
{{- end }}

{{- define "wardgate.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end }}

{{- define "wardgate.selectorLabels" -}}
app.kubernetes.io/name: wardgate
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "wardgate.labels" -}}
{{ include "wardgate.selectorLabels" . }}
app.kubernetes.io/part-of: wardgate
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}
