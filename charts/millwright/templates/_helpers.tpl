{{- define "millwright.fullname" -}}
{{- if contains "millwright" .Release.Name -}}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{- else -}}{{ printf "%s-millwright" .Release.Name | trunc 40 | trimSuffix "-" }}{{- end -}}
{{- end -}}

{{/* Labels that selectors use. The operator's policies for sandboxes know gateway and broker by name and component. */}}
{{- define "millwright.selector" -}}
app.kubernetes.io/name: millwright
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "millwright.labels" -}}
{{ include "millwright.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "millwright.image" -}}
{{- $given := index .root.Values.images .name -}}
{{- if $given -}}{{ $given }}{{- else -}}
{{- with .root.Values.images.registry }}{{ trimSuffix "/" . }}/{{ end -}}millwright-{{ .name }}:{{ .root.Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "millwright.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "millwright.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: { drop: [ALL] }
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{/* What every pod template of the control plane has above its containers. */}}
{{- define "millwright.podSpec" -}}
{{- $values := index .root.Values .component -}}
serviceAccountName: {{ include "millwright.fullname" .root }}-{{ .component }}
enableServiceLinks: false
securityContext: {{- include "millwright.podSecurityContext" . | nindent 2 }}
{{- with .root.Values.images.pullSecrets }}
imagePullSecrets: {{- range . }}
  - name: {{ . }}
{{- end }}{{- end }}
{{- with $values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "millwright.selector" . | nindent 8 }}
{{- end -}}

{{/* Probes of a process that serves /healthz and /readyz. The first start may wait long for what it connects to. */}}
{{- define "millwright.probes" -}}
ports:
  - { name: http, containerPort: 8080 }
livenessProbe:
  httpGet: { path: /healthz, port: http }
  periodSeconds: 10
  timeoutSeconds: 6
  failureThreshold: 6
readinessProbe:
  httpGet: { path: /readyz, port: http }
  periodSeconds: 5
  timeoutSeconds: 6
  failureThreshold: 2
startupProbe:
  httpGet: { path: /healthz, port: http }
  periodSeconds: 1
  timeoutSeconds: 2
  failureThreshold: 180
{{- end -}}

{{/* Environment of every process. */}}
{{- define "millwright.commonEnv" -}}
- { name: MILLWRIGHT_HTTP_PORT, value: "8080" }
- { name: MILLWRIGHT_LOG_LEVEL, value: {{ .root.Values.logLevel | quote }} }
- name: POD_NAME
  valueFrom: { fieldRef: { fieldPath: metadata.name } }
- name: POD_NAMESPACE
  valueFrom: { fieldRef: { fieldPath: metadata.namespace } }
{{- with .root.Values.telemetry }}
{{- if .endpoint }}
- { name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ .endpoint | quote }} }
- { name: OTEL_TRACES_SAMPLER_ARG, value: {{ .sampleRatio | quote }} }
- name: POD_UID
  valueFrom: { fieldRef: { fieldPath: metadata.uid } }
- { name: OTEL_RESOURCE_ATTRIBUTES, value: "k8s.namespace.name=$(POD_NAMESPACE),k8s.pod.name=$(POD_NAME),k8s.pod.uid=$(POD_UID)" }
{{- with .headersSecret }}
- name: OTEL_EXPORTER_OTLP_HEADERS
  valueFrom: { secretKeyRef: { name: {{ . }}, key: headers } }
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "millwright.rabbitmqSecret" -}}
{{- if .Values.rabbitmq.existingSecret }}{{ .Values.rabbitmq.existingSecret }}{{ else }}{{ include "millwright.fullname" . }}-rabbitmq{{ end -}}
{{- end -}}

{{- define "millwright.supabaseSecret" -}}
{{- if .Values.quickstart.enabled }}{{ include "millwright.fullname" . }}-supabase-quickstart{{ else if .Values.supabase.existingSecret }}{{ .Values.supabase.existingSecret }}{{ else }}{{ include "millwright.fullname" . }}-supabase{{ end -}}
{{- end -}}

{{- define "millwright.signingKeySecret" -}}
{{- if .Values.signingKey.existingSecret }}{{ .Values.signingKey.existingSecret }}{{ else }}{{ include "millwright.fullname" . }}-signing-key{{ end -}}
{{- end -}}

{{- define "millwright.rabbitmqEnv" -}}
- name: MILLWRIGHT_AMQP_URL
  valueFrom: { secretKeyRef: { name: {{ include "millwright.rabbitmqSecret" . }}, key: url } }
{{- end -}}

{{- define "millwright.artifactKeyEnv" -}}
- name: MILLWRIGHT_ARTIFACT_KEY
  valueFrom: { secretKeyRef: { name: {{ include "millwright.signingKeySecret" . }}, key: artifactKey, optional: true } }
{{- end -}}

{{- define "millwright.signingKeyEnv" -}}
- name: MILLWRIGHT_SIGNING_KEY
  valueFrom: { secretKeyRef: { name: {{ include "millwright.signingKeySecret" . }}, key: key } }
{{- end -}}

{{- define "millwright.gatewayUrl" -}}
{{- if .Values.gateway.url }}{{ .Values.gateway.url }}{{ else }}http://{{ include "millwright.fullname" . }}-gateway.{{ .Release.Namespace }}.svc:{{ .Values.gateway.service.port }}{{ end -}}
{{- end -}}

{{/* Every replica by its own name: projects are spread over them by hash. */}}
{{- define "millwright.gitUrls" -}}
{{- $name := printf "%s-git" (include "millwright.fullname" .) -}}
{{- $urls := list -}}
{{- range until (int .Values.git.replicas) -}}
{{- $urls = append $urls (printf "http://%s-%d.%s.%s.svc:8080" $name . $name $.Release.Namespace) -}}
{{- end -}}
{{ join "," $urls }}
{{- end -}}

{{/* Restarts the pods when a Secret made by this chart changes. Those that exist already are the owner's business. */}}
{{- define "millwright.checksums" -}}
checksum/secrets: {{ list .Values.rabbitmq .Values.supabase .Values.telemetry | toJson | sha256sum | trunc 16 }}
{{- end -}}

{{/* A budget keeps one replica; with one replica it would block every drain. */}}
{{- define "millwright.podDisruptionBudget" -}}
{{- $values := index .root.Values .component -}}
{{- if and .root.Values.podDisruptionBudgets.enabled (gt (int $values.replicas) 1) }}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "millwright.fullname" .root }}-{{ .component }}
  labels: {{- include "millwright.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{- include "millwright.selector" . | nindent 6 }}
---
{{- end }}
{{- end -}}

{{- define "millwright.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "millwright.fullname" .root }}-{{ .component }}
  labels: {{- include "millwright.labels" . | nindent 4 }}
automountServiceAccountToken: false
---
{{- end -}}

{{/* Pods of hooks run before and after the release's NetworkPolicies exist, so those must not select them. */}}
{{- define "millwright.hookLabels" -}}
app.kubernetes.io/name: millwright-hook
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "millwright.egressTo" -}}
- ports: {{- range .ports }}
    - { protocol: TCP, port: {{ . }} }
  {{- end }}
  {{- with .cidrs }}
  to: {{- range . }}
    - ipBlock: { cidr: {{ . | quote }} }
  {{- end }}
  {{- end }}
{{- end -}}

{{/* Where Projects have their repositories. Unless the values say so, everywhere but at link-local addresses, where clouds give credentials to who asks. */}}
{{- define "millwright.egressToForges" -}}
{{- include "millwright.egressTo" . }}
{{- if not .cidrs }}
  to:
    - ipBlock: { cidr: 0.0.0.0/0, except: [169.254.0.0/16] }
    - ipBlock: { cidr: '::/0', except: ['fe80::/10', 'fd00:ec2::/32'] }
    - namespaceSelector: {}
{{- end }}
{{- end -}}

{{- define "millwright.policyHead" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "millwright.fullname" .root }}-{{ .component }}
  labels: {{- include "millwright.labels" . | nindent 4 }}
{{- end -}}

{{/* For what lies outside the release's namespace: two releases may have the same name in two namespaces. */}}
{{- define "millwright.wideName" -}}
{{ include "millwright.fullname" .root }}-{{ .component }}-{{ .root.Release.Namespace }}
{{- end -}}
