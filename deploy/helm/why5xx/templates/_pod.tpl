{{- /* What every pod has in common. Takes (list $ component). */ -}}
{{- define "why5xx.podSpec" -}}
{{- $root := index . 0 -}}
{{- $values := $root.Values -}}
{{- /* Variables of Services are called WHY5XX_… when a Service is, and why5xx takes these for options. */ -}}
enableServiceLinks: false
{{- with $values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml $values.podSecurityContext | nindent 2 }}
{{- end }}

{{- define "why5xx.volumes" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
- name: config
  configMap:
    name: {{ include "why5xx.fullname" $root }}-{{ $component }}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
{{- range include "why5xx.secrets" . | fromYamlArray }}
- name: {{ .name }}
  secret:
    secretName: {{ .secret }}
    # Owner and group (fsGroup) alone.
    defaultMode: 0440
    {{- with .keys }}
    items:
      {{- range . }}
      - key: {{ . | quote }}
        path: {{ . | quote }}
      {{- end }}
    {{- end }}
{{- end }}
{{- with $root.Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "why5xx.container" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $values := $root.Values -}}
image: {{ include "why5xx.image" $root | quote }}
imagePullPolicy: {{ $values.image.pullPolicy }}
env:
  # The image sets it, and the environment is stronger than the file.
  - name: WHY5XX_WEB_LISTEN
    value: ":{{ $values.metrics.port }}"
  {{- with $values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
securityContext:
  {{- toYaml $values.securityContext | nindent 2 }}
volumeMounts:
  - name: config
    mountPath: /etc/why5xx/why5xx.yaml
    subPath: why5xx.yaml
    readOnly: true
  - name: tmp
    mountPath: /tmp
  {{- range include "why5xx.secrets" . | fromYamlArray }}
  - name: {{ .name }}
    mountPath: /etc/why5xx/secrets/{{ .name }}
    readOnly: true
  {{- end }}
  {{- with $values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- /* A role that runs for good. Takes (list $ component). */ -}}
{{- define "why5xx.podTemplate" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $values := $root.Values -}}
{{- $role := index $values $component -}}
metadata:
  labels:
    {{- include "why5xx.podLabels" . | nindent 4 }}
  annotations:
    # Another configuration starts the pods again: it is read at start.
    checksum/config: {{ include "why5xx.config" . | sha256sum }}
    {{- with $role.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "why5xx.serviceAccountName" . }}
  # Only watch asks the API server.
  automountServiceAccountToken: {{ eq $component "watch" }}
  {{- include "why5xx.podSpec" . | nindent 2 }}
  terminationGracePeriodSeconds: {{ $role.terminationGracePeriodSeconds }}
  {{- with $role.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $role.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $role.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $role.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if eq $component "worker" }}
  {{- with $role.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- range . }}
    - {{- toYaml . | nindent 6 }}
      labelSelector:
        matchLabels:
          {{- include "why5xx.selectorLabels" (list $root $component) | nindent 10 }}
    {{- end }}
  {{- end }}
  {{- end }}
  containers:
    - name: {{ $component }}
      args: [run, --config, /etc/why5xx/why5xx.yaml]
      {{- include "why5xx.container" . | nindent 6 }}
      ports:
        - name: metrics
          containerPort: {{ $values.metrics.port }}
          protocol: TCP
      startupProbe:
        httpGet: { path: /healthz, port: metrics }
        {{- toYaml $values.probes.startup | nindent 8 }}
      livenessProbe:
        httpGet: { path: /healthz, port: metrics }
        {{- toYaml $values.probes.liveness | nindent 8 }}
      readinessProbe:
        httpGet: { path: /readyz, port: metrics }
        {{- toYaml $values.probes.readiness | nindent 8 }}
      resources:
        {{- toYaml $role.resources | nindent 8 }}
  volumes:
    {{- include "why5xx.volumes" . | nindent 4 }}
{{- end }}
