{{- /*
why5xx.yaml of a component: worker, watch, alert, setup. Each gets what it uses and no more, so that another webhook starts no
worker again. A file with a secret is named by its path; secretVolumes below puts it there. Takes (list $ component).
*/ -}}
{{- define "why5xx.config" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $values := $root.Values -}}
{{- $secrets := "/etc/why5xx/secrets" -}}
{{- $config := dict "clusterName" $values.clusterName "log" (dict "format" "json") -}}

{{- if ne $component "setup" }}
{{- $kafka := dict "brokers" $values.kafka.brokers "topic" $values.kafka.topic "groupId" $values.kafka.groupId "rejectTopic" $values.kafka.rejectTopic "driver" $values.kafka.driver -}}
{{- $login := include "why5xx.kafkaLogin" . | fromYaml -}}
{{- $tls := $values.kafka.tls -}}
{{- if $tls.enabled }}
{{- $files := dict "enabled" true -}}
{{- if $login.tlsSecret }}
{{- if $tls.caKey }}{{ $_ := set $files "caFile" (printf "%s/kafka-tls/%s" $secrets $tls.caKey) }}{{ end }}
{{- if $tls.certKey }}{{ $_ := set $files "certFile" (printf "%s/kafka-tls/%s" $secrets $tls.certKey) }}{{ end }}
{{- if $tls.keyKey }}{{ $_ := set $files "keyFile" (printf "%s/kafka-tls/%s" $secrets $tls.keyKey) }}{{ end }}
{{- end }}
{{- $_ := set $kafka "tls" $files }}
{{- end }}
{{- with $values.kafka.sasl }}
{{- if ne .mechanism "none" }}
{{- $_ := set $kafka "sasl" (dict "mechanism" .mechanism "username" $login.username "passwordFile" (printf "%s/kafka-sasl/%s" $secrets .passwordKey)) }}
{{- end }}
{{- end }}
{{- $_ := set $config "roles" (list $component) }}
{{- $_ := set $config "source" (dict "kind" "kafka" "kafka" $kafka) }}
{{- $web := dict "listen" (printf ":%d" (int $values.metrics.port)) -}}
{{- if $values.metrics.existingSecret }}
{{- $_ := set $web "metricsTokenFile" (printf "%s/metrics/%s" $secrets $values.metrics.tokenKey) }}
{{- end }}
{{- $_ := set $config "web" $web }}
{{- $kubernetes := dict "controllerNamespace" $values.ingressNginx.namespace "topic" $values.kafka.kubernetesTopic -}}
{{- if eq $component "watch" }}
{{- $_ := set $kubernetes "api" "in-cluster" }}
{{- if eq $values.rbac.scope "namespaces" }}{{ $_ := set $kubernetes "namespaces" $values.rbac.namespaces }}{{ end }}
{{- if $values.rbac.tlsSecrets }}{{ $_ := set $kubernetes "tlsSecrets" $values.rbac.tlsSecrets }}{{ end }}
{{- end }}
{{- $_ := set $config "kubernetes" $kubernetes }}
{{- end }}

{{- if ne $component "watch" }}
{{- $login := include "why5xx.elasticsearchLogin" . | fromYaml -}}
{{- $elasticsearch := dict "nodes" $values.elasticsearch.nodes "namespace" $values.elasticsearch.namespace -}}
{{- if $login.secret }}
{{- $file := printf "%s/elasticsearch/%s" $secrets $login.key -}}
{{- if $login.username }}
{{- $_ := set $elasticsearch "username" $login.username }}
{{- $_ := set $elasticsearch "passwordFile" $file }}
{{- else }}
{{- $_ := set $elasticsearch "apiKeyFile" $file }}
{{- end }}
{{- end }}
{{- if $values.elasticsearch.caSecret }}
{{- $_ := set $elasticsearch "caFile" (printf "%s/elasticsearch-ca/%s" $secrets $values.elasticsearch.caKey) }}
{{- end }}
{{- $_ := set $config "sink" (dict "kind" "elasticsearch" "elasticsearch" $elasticsearch) }}
{{- end }}

{{- if and (eq $component "setup") $values.kibana.url }}
{{- $kibana := dict "url" $values.kibana.url "space" $values.kibana.space -}}
{{- if or $values.kibana.existingSecret $values.setup.existingSecret }}
{{- if $values.setup.username }}
{{- $_ := set $kibana "username" $values.setup.username }}
{{- $_ := set $kibana "passwordFile" (printf "%s/kibana/%s" $secrets $values.setup.passwordKey) }}
{{- else }}
{{- $_ := set $kibana "apiKeyFile" (printf "%s/kibana/%s" $secrets $values.setup.apiKeyKey) }}
{{- end }}
{{- end }}
{{- if $values.kibana.caSecret }}
{{- $_ := set $kibana "caFile" (printf "%s/kibana-ca/%s" $secrets $values.kibana.caKey) }}
{{- end }}
{{- $_ := set $config "kibana" $kibana }}
{{- end }}

{{- if eq $component "alert" }}
{{- $_ := set $config "alerts" (include "why5xx.alerts" $root | fromYaml) }}
{{- end }}
{{- mergeOverwrite $config (deepCopy $values.config) | toYaml }}
{{- end }}

{{- define "why5xx.alerts" -}}
{{- $values := .Values -}}
{{- $secrets := "/etc/why5xx/secrets" -}}
{{- $alerts := dict "topic" $values.kafka.incidentTopic -}}
{{- with $values.alert.alertmanager }}
{{- if .urls }}
{{- $alertmanager := dict "urls" .urls -}}
{{- if .existingSecret }}
{{- if .username }}
{{- $_ := set $alertmanager "username" .username }}
{{- $_ := set $alertmanager "passwordFile" (printf "%s/alertmanager/%s" $secrets .passwordKey) }}
{{- else }}
{{- $_ := set $alertmanager "bearerTokenFile" (printf "%s/alertmanager/%s" $secrets .bearerTokenKey) }}
{{- end }}
{{- end }}
{{- $_ := set $alerts "alertmanager" $alertmanager }}
{{- end }}
{{- end }}
{{- $webhooks := list -}}
{{- range $i, $given := $values.alert.webhooks }}
{{- $webhook := pick $given "name" "template" "headers" "severities" -}}
{{- range $key, $file := dict "urlKey" "urlFile" "secretKey" "secretFile" "routingKeyKey" "routingKeyFile" }}
{{- if hasKey $given $key }}
{{- $_ := set $webhook $file (printf "%s/webhook-%d/%s" $secrets $i (get $given $key)) }}
{{- end }}
{{- end }}
{{- $webhooks = append $webhooks $webhook }}
{{- end }}
{{- if $webhooks }}{{ $_ := set $alerts "webhooks" $webhooks }}{{ end }}
{{- toYaml $alerts }}
{{- end }}

{{- /* Which Secrets a component needs, as a list of {name, secret, keys}: those keys are mounted at /etc/why5xx/secrets/NAME. Takes (list $ component). */ -}}
{{- define "why5xx.secrets" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $values := $root.Values -}}
{{- $found := list -}}
{{- if ne $component "setup" }}
{{- $login := include "why5xx.kafkaLogin" . | fromYaml -}}
{{- if and $values.kafka.tls.enabled $login.tlsSecret }}
{{- $found = append $found (dict "name" "kafka-tls" "secret" $login.tlsSecret "keys" (include "why5xx.kafkaTlsKeys" $root | fromYamlArray)) }}
{{- end }}
{{- if ne $values.kafka.sasl.mechanism "none" }}
{{- $found = append $found (dict "name" "kafka-sasl" "secret" $login.secret "keys" (list $values.kafka.sasl.passwordKey)) }}
{{- end }}
{{- if $values.metrics.existingSecret }}
{{- $found = append $found (dict "name" "metrics" "secret" $values.metrics.existingSecret "keys" (list $values.metrics.tokenKey)) }}
{{- end }}
{{- end }}
{{- if ne $component "watch" }}
{{- $login := include "why5xx.elasticsearchLogin" . | fromYaml -}}
{{- if $login.secret }}
{{- $found = append $found (dict "name" "elasticsearch" "secret" $login.secret "keys" (list $login.key)) }}
{{- end }}
{{- if $values.elasticsearch.caSecret }}
{{- $found = append $found (dict "name" "elasticsearch-ca" "secret" $values.elasticsearch.caSecret "keys" (list $values.elasticsearch.caKey)) }}
{{- end }}
{{- end }}
{{- if and (eq $component "setup") $values.kibana.url }}
{{- $secret := default $values.setup.existingSecret $values.kibana.existingSecret -}}
{{- if $secret }}
{{- $found = append $found (dict "name" "kibana" "secret" $secret "keys" (list (ternary $values.setup.passwordKey $values.setup.apiKeyKey (ne $values.setup.username "")))) }}
{{- end }}
{{- if $values.kibana.caSecret }}
{{- $found = append $found (dict "name" "kibana-ca" "secret" $values.kibana.caSecret "keys" (list $values.kibana.caKey)) }}
{{- end }}
{{- end }}
{{- if eq $component "alert" }}
{{- with $values.alert.alertmanager }}
{{- if and .urls .existingSecret }}
{{- $found = append $found (dict "name" "alertmanager" "secret" .existingSecret "keys" (list (ternary .passwordKey .bearerTokenKey (ne .username "")))) }}
{{- end }}
{{- end }}
{{- range $i, $webhook := $values.alert.webhooks }}
{{- $found = append $found (dict "name" (printf "webhook-%d" $i) "secret" $webhook.existingSecret "keys" (compact (list $webhook.urlKey $webhook.secretKey $webhook.routingKeyKey) | uniq)) }}
{{- end }}
{{- end }}
{{- toYaml $found }}
{{- end }}
