{{- define "wardgate.scrape" -}}
path: /metrics
{{- with .interval }}
interval: {{ . }}
{{- end }}
{{- with .scrapeTimeout }}
scrapeTimeout: {{ . }}
{{- end }}
{{- with .relabelings }}
relabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- /* The labels by which Prometheus tells the pods of this release. */}}
{{- define "wardgate.scope" -}}
namespace="{{ .Release.Namespace }}",pod=~"{{ include "wardgate.fullname" . }}-(operator|proxy)-.+"
{{- end }}
