{{- /* What the pods of both Deployments have in common. Service links are off: the variables that a Service named
"wardgate" would put into its neighbours are the names of options. */}}
{{- define "wardgate.pod" -}}
{{- $values := .values -}}
serviceAccountName: {{ include "wardgate.serviceAccount" . | quote }}
automountServiceAccountToken: true
enableServiceLinks: false
{{- include "wardgate.pullSecrets" .root }}
{{- $context := .root.Values.podSecurityContext | default dict }}
{{- with .lowest }}
{{- $allowed := dict "name" "net.ipv4.ip_unprivileged_port_start" "value" (toString .) }}
{{- $context = merge (dict "sysctls" (append ($context.sysctls | default list) $allowed)) $context }}
{{- end }}
securityContext:
  {{- toYaml $context | nindent 2 }}
{{- include "wardgate.placing" . }}
{{- range $field := list "priorityClassName" "runtimeClassName" "schedulerName" "dnsPolicy" }}
{{- with index $values $field }}
{{ $field }}: {{ . | quote }}
{{- end }}
{{- end }}
{{- range $field := list "nodeSelector" "tolerations" "hostAliases" "dnsConfig" "initContainers" }}
{{- with index $values $field }}
{{ $field }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{- define "wardgate.pullSecrets" -}}
{{- with concat (.Values.imagePullSecrets | default list) ((.Values.global).imagePullSecrets | default list) }}
imagePullSecrets:
  {{- range . }}
  - name: {{ kindIs "map" . | ternary (get (ternary . dict (kindIs "map" .)) "name") . | quote }}
  {{- end }}
{{- end }}
{{- end }}

{{- /* Pods of one kind go to different zones and nodes; what values say replaces a rule. */}}
{{- define "wardgate.placing" -}}
{{- $hard := eq .values.spread "hard" }}
{{- if .values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- toYaml .values.topologySpreadConstraints | nindent 2 }}
{{- else if ne .values.spread "none" }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: topology.kubernetes.io/zone
    whenUnsatisfiable: {{ ternary "DoNotSchedule" "ScheduleAnyway" $hard }}
    labelSelector:
      matchLabels:
        {{- include "wardgate.selectorLabels" . | nindent 8 }}
    # The pods of a rollout are spread among themselves.
    matchLabelKeys: [pod-template-hash]
{{- end }}
{{- if .values.affinity }}
affinity:
  {{- toYaml .values.affinity | nindent 2 }}
{{- else if ne .values.spread "none" }}
affinity:
  podAntiAffinity:
    {{- if $hard }}
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            {{- include "wardgate.selectorLabels" . | nindent 12 }}
    {{- else }}
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- include "wardgate.selectorLabels" . | nindent 14 }}
    {{- end }}
{{- end }}
{{- end }}

{{- define "wardgate.container" -}}
image: {{ include "wardgate.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  {{- toYaml .root.Values.securityContext | nindent 2 }}
{{- include "wardgate.probe" (dict "name" "startupProbe" "path" "/healthz" "with" .values.startupProbe) }}
{{- include "wardgate.probe" (dict "name" "livenessProbe" "path" "/healthz" "with" .values.livenessProbe) }}
{{- include "wardgate.probe" (dict "name" "readinessProbe" "path" "/readyz" "with" .values.readinessProbe) }}
{{- with .values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
resources:
  {{- toYaml .values.resources | nindent 2 }}
{{- end }}

{{- define "wardgate.probe" }}
{{ .name }}:
  httpGet:
    path: {{ .path }}
    port: admin
  {{- with .with }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- /* A map of settings as --set options. Helm reads whole numbers as floats, which would print as 6.7e+07. */}}
{{- define "wardgate.settings" -}}
{{- range $name, $value := .settings }}
{{- if kindIs "float64" $value }}{{ $value = ternary (printf "%.0f" $value) (toString $value) (eq (floor $value) $value) }}{{ end }}
- {{ printf "--set=%s=%v" $name $value | quote }}
{{- end }}
{{- range .extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end }}
