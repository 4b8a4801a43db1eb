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
{{- with $values.kafka.sasl }}
{{- if and (ne .mechanism "none") (or (not .username) (not .existingSecret)) }}
{{- fail (printf "kafka.sasl.mechanism is %s: set kafka.sasl.username and kafka.sasl.existingSecret" .mechanism) }}
{{- end }}
{{- end }}
{{- with $values.kafka.tls }}
{{- if ne (empty .certKey) (empty .keyKey) }}
{{- fail "kafka.tls.certKey and kafka.tls.keyKey go together: give both, or none" }}
{{- end }}
{{- if and (or .certKey .existingSecret) (not .enabled) }}
{{- fail "kafka.tls names a Secret or a key, and kafka.tls.enabled is false" }}
{{- end }}
{{- if and .certKey (not .existingSecret) }}
{{- fail "kafka.tls.certKey needs kafka.tls.existingSecret, which holds it" }}
{{- end }}
{{- end }}
{{- if and $values.elasticsearch.username (not $values.elasticsearch.existingSecret) }}
{{- fail "elasticsearch.username needs elasticsearch.existingSecret with its password" }}
{{- end }}
{{- if and $values.setup.enabled $values.elasticsearch.existingSecret (not $values.setup.existingSecret) }}
{{- fail "setup.enabled needs setup.existingSecret where elasticsearch.existingSecret is given: without a login of its own the Job is refused" }}
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

{{- define "why5xx.maxReplicas" -}}
{{- $most := int .Values.keda.maxReplicas -}}
{{- ternary (int .Values.kafka.partitions) $most (eq $most 0) }}
{{- end }}
