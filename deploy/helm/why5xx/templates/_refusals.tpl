{{- /* What a schema cannot say: values that are right by themselves and wrong together. */ -}}
{{- define "why5xx.refusals" -}}
{{- $values := .Values -}}
{{- $partitions := int $values.kafka.partitions -}}
{{- if and (not $values.keda.enabled) (gt (int $values.worker.replicas) $partitions) }}
{{- fail (printf "worker.replicas is %d, and kafka.partitions %d: more workers than partitions would idle" (int $values.worker.replicas) $partitions) }}
{{- end }}
{{- if $values.keda.enabled }}
{{- if gt (int $values.keda.maxReplicas) $partitions }}
{{- fail (printf "keda.maxReplicas is %d, and kafka.partitions %d: more workers than partitions would idle" (int $values.keda.maxReplicas) $partitions) }}
{{- end }}
{{- if gt (int $values.keda.minReplicas) (include "why5xx.maxReplicas" . | int) }}
{{- fail "keda.minReplicas is more than keda.maxReplicas, or than kafka.partitions" }}
{{- end }}
{{- if and (eq $values.keda.trigger "prometheus") (not $values.keda.prometheus.serverAddress) }}
{{- fail "keda.trigger is prometheus: set keda.prometheus.serverAddress, such as http://prometheus-operated.monitoring:9090, or keda.trigger=kafka" }}
{{- end }}
{{- end }}
{{- with $values.kafka.tls }}
{{- if ne (empty .certKey) (empty .keyKey) }}
{{- fail "kafka.tls.certKey and kafka.tls.keyKey go together: give both, or none" }}
{{- end }}
{{- if and (or .certKey .existingSecret) (not .enabled) }}
{{- fail "kafka.tls names a Secret or a key, and kafka.tls.enabled is false" }}
{{- end }}
{{- end }}
{{- include "why5xx.refusedLogins" . }}
{{- if and $values.elasticsearch.username (not $values.elasticsearch.existingSecret) }}
{{- fail "elasticsearch.username needs elasticsearch.existingSecret with its password" }}
{{- end }}
{{- $hasLogin := or $values.elasticsearch.existingSecret $values.worker.elasticsearch.existingSecret $values.alert.elasticsearch.existingSecret -}}
{{- if and $values.setup.enabled $hasLogin (not $values.setup.existingSecret) }}
{{- fail "setup.enabled needs setup.existingSecret where elasticsearch.existingSecret is given, or that of a role: without a login of its own the Job is refused" }}
{{- end }}
{{- if and $values.setup.enabled $values.setup.username (not $values.setup.existingSecret) }}
{{- fail "setup.username needs setup.existingSecret with its password" }}
{{- end }}
{{- if and $values.kibana.url (not $values.setup.enabled) }}
{{- fail "kibana.url is for the Job of setup: set setup.enabled=true, or run why5xx setup --kibana yourself" }}
{{- end }}
{{- with $values.alert.alertmanager }}
{{- if and .username (not .existingSecret) }}
{{- fail "alert.alertmanager.username needs alert.alertmanager.existingSecret with its password" }}
{{- end }}
{{- end }}
{{- range $i, $webhook := $values.alert.webhooks }}
{{- $key := ternary "routingKeyKey" "urlKey" (eq (default "generic" $webhook.template) "pagerduty") }}
{{- if not (get $webhook $key) }}
{{- fail (printf "alert.webhooks[%d] needs %s: the key of %s that holds it" $i $key $webhook.existingSecret) }}
{{- end }}
{{- end }}
{{- if and $values.serviceMonitor.enabled (not $values.metrics.existingSecret) }}
{{- fail "serviceMonitor.enabled needs metrics.existingSecret: without a token /metrics answers nobody outside of the pod" }}
{{- end }}
{{- if and (eq $values.rbac.scope "namespaces") (not $values.rbac.namespaces) }}
{{- fail "rbac.scope is namespaces, and rbac.namespaces is empty" }}
{{- end }}
{{- if and (ne $values.rbac.scope "namespaces") $values.rbac.namespaces }}
{{- fail (printf "rbac.namespaces is given, and rbac.scope is %s: set rbac.scope=namespaces" $values.rbac.scope) }}
{{- end }}
{{- end }}

{{- /* Every role that runs has a whole login, of its own or the common one, and none that is not used. */ -}}
{{- define "why5xx.refusedLogins" -}}
{{- $values := .Values -}}
{{- $mechanism := $values.kafka.sasl.mechanism -}}
{{- range $component := list "worker" "watch" "alert" }}
{{- $own := (index $values $component).kafka -}}
{{- $login := include "why5xx.kafkaLogin" (list $ $component) | fromYaml -}}
{{- $runs := or (eq $component "worker") (index $values $component).enabled -}}
{{- if ne (empty $own.username) (empty $own.existingSecret) }}
{{- fail (printf "%s.kafka.username and %s.kafka.existingSecret go together: give both, or none" $component $component) }}
{{- end }}
{{- if and $own.existingSecret (eq $mechanism "none") }}
{{- fail (printf "%s.kafka.existingSecret is given, and kafka.sasl.mechanism is none" $component) }}
{{- end }}
{{- if and $own.tlsSecret (not $values.kafka.tls.enabled) }}
{{- fail (printf "%s.kafka.tlsSecret is given, and kafka.tls.enabled is false" $component) }}
{{- end }}
{{- if and $runs (ne $mechanism "none") (or (not $login.username) (not $login.secret)) }}
{{- fail (printf "kafka.sasl.mechanism is %s: set kafka.sasl.username and kafka.sasl.existingSecret, or %s.kafka.username and %s.kafka.existingSecret" $mechanism $component $component) }}
{{- end }}
{{- if and $runs $values.kafka.tls.certKey (not $login.tlsSecret) }}
{{- fail (printf "kafka.tls.certKey needs a Secret which holds it: set kafka.tls.existingSecret, or %s.kafka.tlsSecret" $component) }}
{{- end }}
{{- end }}
{{- range $component := list "worker" "alert" }}
{{- with (index $values $component).elasticsearch }}
{{- if and .username (not .existingSecret) }}
{{- fail (printf "%s.elasticsearch.username needs %s.elasticsearch.existingSecret with its password" $component $component) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "why5xx.maxReplicas" -}}
{{- $most := int .Values.keda.maxReplicas -}}
{{- ternary (int .Values.kafka.partitions) $most (eq $most 0) }}
{{- end }}
