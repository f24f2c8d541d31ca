{{- define "wardgate.toNameServers" -}}
- to:
    {{- toYaml .dns | nindent 4 }}
  ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
{{- end }}

{{- define "wardgate.toApiServer" -}}
- to:
    {{- if .apiServer }}
    {{- toYaml .apiServer | nindent 4 }}
    {{- else }}
    {{- include "wardgate.anywhere" . | nindent 4 }}
    {{- end }}
  ports:
    {{- range .apiServerPorts }}
    - port: {{ . }}
    {{- end }}
{{- end }}

{{- /* All networks without link-local addresses and the metadata services of the clouds, which hand out credentials: what the
proxy itself refuses to dial. */}}
{{- define "wardgate.anywhere" -}}
- ipBlock:
    cidr: 0.0.0.0/0
    except:
      - 169.254.0.0/16
      - 100.100.100.200/32
      - 168.63.129.16/32
      - 192.0.0.192/32
- ipBlock:
    cidr: ::/0
    except:
      - fe80::/10
      - fd00:ec2::254/128
      - fd00:ec2::253/128
      - fd00:ec2::123/128
      - fd00:ec2::23/128
      - fd20:ce::254/128
{{- end }}
