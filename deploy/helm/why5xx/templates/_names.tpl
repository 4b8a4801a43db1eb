{{- define "why5xx.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- /* At most 40 characters: names of roles, -setup and hashes of pods follow. */ -}}
{{- define "why5xx.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- $full | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- /* Never changes in the life of a release: selectors cannot. Takes (list $ component). */ -}}
{{- define "why5xx.selectorLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "why5xx.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- /* Of pods: without the versions of chart and program, so that a new chart alone restarts nothing. Takes (list $ component). */ -}}
{{- define "why5xx.podLabels" -}}
{{- $root := index . 0 -}}
{{- include "why5xx.selectorLabels" . }}
app.kubernetes.io/part-of: why5xx
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- /* Of objects. Takes (list $ component). */ -}}
{{- define "why5xx.labels" -}}
{{- $root := index . 0 -}}
{{- include "why5xx.podLabels" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- /* Takes (list $ component). */ -}}
{{- define "why5xx.metadata" -}}
{{- $root := index . 0 -}}
name: {{ include "why5xx.fullname" $root }}-{{ index . 1 }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- include "why5xx.labels" . | nindent 2 }}
{{- end }}

{{- /* Setup and tests run as the worker: they may ask the API server as little. Takes (list $ component). */ -}}
{{- define "why5xx.serviceAccountName" -}}
{{- $root := index . 0 -}}
{{- default (printf "%s-%s" (include "why5xx.fullname" $root) (index . 1)) (index $root.Values.serviceAccounts.names (index . 1)) }}
{{- end }}

{{- define "why5xx.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest }}
{{- printf "%s@%s" $image.repository $image.digest }}
{{- else }}
{{- printf "%s:%s" $image.repository (default .Chart.AppVersion $image.tag) }}
{{- end }}
{{- end }}
