#!/bin/sh
# Allows each part of why5xx what it does with Kafka, and nothing else. It can be run again.
#
#   BOOTSTRAP=kafka:9093 COMMAND_CONFIG=admin.properties ./acls.sh
#
# BOOTSTRAP       brokers to ask first, HOST:PORT,…
# COMMAND_CONFIG  file with the login of who may change access rules (security.protocol, sasl.*, ssl.*); none unless told
# TOOLS           folder of kafka-acls.sh; found by PATH unless told
# PREFIX          what the topics begin with; why5xx unless told
# GROUP           source.kafka.groupId; $PREFIX-worker unless told
# SHIPPER, WATCH, WORKER, ALERT, REPLAY  principals; User:$PREFIX-shipper and so on unless told
#
# Reading, writing and deleting include describing. An idempotent producer needs no right of its own from Kafka 2.8 on.
set -eu

: "${BOOTSTRAP:?brokers to ask first, HOST:PORT}"
PREFIX=${PREFIX:-why5xx}
GROUP=${GROUP:-$PREFIX-worker}
SHIPPER=${SHIPPER:-User:$PREFIX-shipper}
WATCH=${WATCH:-User:$PREFIX-watch}
WORKER=${WORKER:-User:$PREFIX-worker}
ALERT=${ALERT:-User:$PREFIX-alert}
REPLAY=${REPLAY:-User:$PREFIX-replay}

allow() {
  "${TOOLS:+$TOOLS/}kafka-acls.sh" --bootstrap-server "$BOOTSTRAP" ${COMMAND_CONFIG:+--command-config "$COMMAND_CONFIG"} --add "$@"
}

# Lines: the shipper writes them, workers and alerts read them; why5xx check looks at how long they are kept.
allow --allow-principal "$SHIPPER" --operation Write --topic "$PREFIX.nginx.raw"
allow --allow-principal "$WORKER" --allow-principal "$ALERT" --operation Read --operation DescribeConfigs --topic "$PREFIX.nginx.raw"
allow --allow-principal "$WORKER" --operation Read --group "$GROUP"

# What nobody could read or store: a worker writes it, and whoever replays it reads it, in a group for the occasion.
allow --allow-principal "$WORKER" --operation Write --topic "$PREFIX.reject"
allow --allow-principal "$REPLAY" --operation Read --topic "$PREFIX.reject"
allow --allow-principal "$REPLAY" --operation Read --operation Delete --resource-pattern-type prefixed --group "$GROUP-replay-"

# The state of the cluster: the watch writes it, whoever judges reads it, in groups that go with the process.
allow --allow-principal "$WATCH" --operation Write --topic "$PREFIX.kubernetes"
allow --allow-principal "$WORKER" --allow-principal "$ALERT" --allow-principal "$REPLAY" --operation Read --topic "$PREFIX.kubernetes"
allow --allow-principal "$WORKER" --allow-principal "$ALERT" --allow-principal "$REPLAY" --operation Read --operation Delete \
  --resource-pattern-type prefixed --group "$GROUP-cluster-"

# Alerts read all lines beside the workers, and keep incidents.
allow --allow-principal "$ALERT" --operation Read --operation Write --topic "$PREFIX.incidents"
allow --allow-principal "$ALERT" --operation Read --operation Delete --resource-pattern-type prefixed \
  --group "$GROUP-alert-" --group "$GROUP-incidents-"
