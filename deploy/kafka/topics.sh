#!/bin/sh
# Makes the topics of why5xx. What is there stays as it is, so it can be run again.
#
#   BOOTSTRAP=kafka:9092 ./topics.sh
#   BOOTSTRAP=kafka:9093 COMMAND_CONFIG=admin.properties TOOLS=/opt/kafka/bin ./topics.sh
#
# BOOTSTRAP       brokers to ask first, HOST:PORT,…
# PREFIX          what their names begin with; why5xx unless told: another cluster or tenant has topics of its own
# REPLICATION     copies of each partition; 3 unless told. With 1 a lost broker loses lines; with 2 one that is away stops writing.
# COMMAND_CONFIG  file with the login of who may make topics (security.protocol, sasl.*, ssl.*); none unless told
# TOOLS           folder of kafka-topics.sh; found by PATH unless told
set -eu

: "${BOOTSTRAP:?brokers to ask first, HOST:PORT}"
PREFIX=${PREFIX:-why5xx}
REPLICATION=${REPLICATION:-3}
# A write counts once so many copies have it. More than there are copies would stop all writing.
IN_SYNC=2
[ "$REPLICATION" -gt 1 ] || IN_SYNC=1

# make_topic NAME PARTITIONS --config KEY=VALUE…
make_topic() {
  name=$1
  partitions=$2
  shift 2
  "${TOOLS:+$TOOLS/}kafka-topics.sh" --bootstrap-server "$BOOTSTRAP" ${COMMAND_CONFIG:+--command-config "$COMMAND_CONFIG"} \
    --create --if-not-exists --topic "$name" --partitions "$partitions" --replication-factor "$REPLICATION" \
    --config min.insync.replicas="$IN_SYNC" "$@"
}

# Lines of the controllers, keyed by the log's path. 48 h: an outage of Elasticsearch that is longer loses lines. The shipper's
# compression is kept. Never add partitions later: keys would move, and open joins split.
make_topic "$PREFIX.nginx.raw" 12 --config cleanup.policy=delete --config retention.ms=172800000 --config compression.type=producer

# Original bytes of what nobody could read or store, for why5xx replay --rejects: 14 days.
make_topic "$PREFIX.reject" 3 --config cleanup.policy=delete --config retention.ms=1209600000

# The state of the cluster: one partition, because its events have one order; 30 days.
make_topic "$PREFIX.kubernetes" 1 --config cleanup.policy=delete --config retention.ms=2592000000

# Open incidents, for a restart of the role alert while Elasticsearch is away: the last of each is kept. Small segments, because
# only closed ones are compacted, and a start reads them all.
make_topic "$PREFIX.incidents" 1 --config cleanup.policy=compact --config segment.bytes=16777216 --config segment.ms=3600000 \
  --config min.cleanable.dirty.ratio=0.1 --config delete.retention.ms=86400000
