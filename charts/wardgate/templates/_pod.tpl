{{- /* What the pods of both Deployments have in common. Service links are off: the variables that a Service named
"wardgate" would put into its neighbours are the names of options. */}}
{{- define "wardgate.pod" -}}
automountServiceAccountToken: true
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  seccompProfile:
    type: RuntimeDefault
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "wardgate.container" -}}
image: {{ include "wardgate.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  capabilities:
    drop: [ALL]
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  seccompProfile:
    type: RuntimeDefault
livenessProbe:
  httpGet:
    path: /healthz
    port: admin
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet:
    path: /readyz
    port: admin
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 3
resources:
  {{- toYaml .values.resources | nindent 2 }}
{{- end }}

{{- /* A map of settings as --set options. Helm reads whole numbers as floats, which would print as 6.7e+07. */}}
{{- define "wardgate.settings" -}}
{{- range $name, $value := . }}
{{- if kindIs "float64" $value }}{{ $value = ternary (printf "%.0f" $value) (toString $value) (eq (floor $value) $value) }}{{ end }}
- {{ printf "--set=%s=%v" $name $value | quote }}
{{- end }}
{{- end }}
