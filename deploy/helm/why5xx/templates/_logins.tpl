{{- /*
As whom a role asks Kafka, as {username, secret, tlsSecret}: its own login, else the common one, never a user of one with the
password of the other. Takes (list $ component).
*/ -}}
{{- define "why5xx.kafkaLogin" -}}
{{- $values := (index . 0).Values -}}
{{- $own := (index $values (index . 1)).kafka -}}
{{- $sasl := ternary $own $values.kafka.sasl (ne $own.existingSecret "") -}}
{{- dict "username" $sasl.username "secret" $sasl.existingSecret "tlsSecret" (default $values.kafka.tls.existingSecret $own.tlsSecret) | toYaml }}
{{- end }}

{{- /* As whom worker, alert or setup ask Elasticsearch, as {username, secret, key}; key is where the password or the API key is. Takes (list $ component). */ -}}
{{- define "why5xx.elasticsearchLogin" -}}
{{- $values := (index . 0).Values -}}
{{- $component := index . 1 -}}
{{- $common := ternary $values.setup $values.elasticsearch (eq $component "setup") -}}
{{- $login := $common -}}
{{- if ne $component "setup" }}
{{- $own := (index $values $component).elasticsearch -}}
{{- if $own.existingSecret }}{{ $login = $own }}{{ end }}
{{- end }}
{{- dict "username" $login.username "secret" $login.existingSecret "key" (ternary $common.passwordKey $common.apiKeyKey (ne $login.username "")) | toYaml }}
{{- end }}

{{- /* What of kafka.tls is in the Secret, as a list of keys. */ -}}
{{- define "why5xx.kafkaTlsKeys" -}}
{{- with .Values.kafka.tls }}{{ compact (list .caKey .certKey .keyKey) | toYaml }}{{ end }}
{{- end }}
