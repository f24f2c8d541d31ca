{{- /* Begins the name of every object. In a parent chart the release's name alone would be that of a neighbour, too. */}}
{{- define "wardgate.fullname" -}}
{{- $suffix := .Values.nameOverride | default (ternary "" .Chart.Name .Chart.IsRoot) }}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride }}
{{- else if contains $suffix .Release.Name }}{{ .Release.Name }}
{{- else }}{{ .Release.Name }}-{{ $suffix }}
{{- end }}
{{- end }}

{{- define "wardgate.configNamespace" -}}
{{ .Values.configNamespace.name | default (printf "%s-config" (include "wardgate.fullname" .)) }}
{{- end }}

{{- /* What lies outside the release namespace carries its name, so that two releases of one name do not collide. */}}
{{- define "wardgate.nameAbroad" -}}
{{ include "wardgate.fullname" .root }}-operator-{{ .what }}.{{ .root.Release.Namespace }}
{{- end }}

{{- define "wardgate.serviceAccount" -}}
{{ .values.serviceAccount.name | default (printf "%s-%s" (include "wardgate.fullname" .root) .component) }}
{{- end }}

{{- define "wardgate.image" -}}
{{- $registry := .Values.image.registry | default (.Values.global).imageRegistry }}
{{- with .Values.image -}}
{{- with $registry }}{{ . }}/{{ end }}{{ .repository }}
{{- if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end }}

{{- define "wardgate.selectorLabels" -}}
app.kubernetes.io/name: wardgate
app.kubernetes.io/instance: {{ include "wardgate.fullname" .root | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- /* The chart's own labels win: Services and policies select by them. */}}
{{- define "wardgate.labels" -}}
{{- $fixed := include "wardgate.selectorLabels" . | fromYaml }}
{{- $chart := dict
  "app.kubernetes.io/part-of" "wardgate"
  "app.kubernetes.io/version" .root.Chart.AppVersion
  "app.kubernetes.io/managed-by" .root.Release.Service
  "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_") }}
{{- toYaml (merge $fixed $chart (.labels | default dict) (.root.Values.commonLabels | default dict)) }}
{{- end }}

{{- define "wardgate.podLabels" -}}
{{- $fixed := include "wardgate.selectorLabels" . | fromYaml }}
{{- toYaml (merge $fixed (.values.podLabels | default dict) (.root.Values.commonLabels | default dict)) }}
{{- end }}

{{- /* root, name and component; namespace, labels and annotations where the object has them. */}}
{{- define "wardgate.metadata" -}}
name: {{ .name | quote }}
{{- with .namespace }}
namespace: {{ . | quote }}
{{- end }}
labels:
  {{- include "wardgate.labels" . | nindent 2 }}
{{- with merge dict (.annotations | default dict) (.root.Values.commonAnnotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
