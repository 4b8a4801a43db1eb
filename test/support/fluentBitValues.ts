/**
 * Values for the official chart of Fluent Bit with our configuration in them: deploy/fluent-bit/values.yaml.
 *
 *   npx vitest run --project unit test/deploy/fluentBit.test.ts -u        (the committed file is a snapshot)
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const FLUENT_BIT_FOLDER = join(import.meta.dirname, '../../deploy/fluent-bit')
export const FLUENT_BIT_PATH = join(FLUENT_BIT_FOLDER, 'fluent-bit.yaml')
export const VALUES_PATH = join(FLUENT_BIT_FOLDER, 'values.yaml')

export const fluentBitText = (): string => readFileSync(FLUENT_BIT_PATH, 'utf8')

const HEAD = `# Values for the official chart (0.53 or newer), generated: fluent-bit.yaml says what to change in \`fluent-bit.yaml\` below, and
# test/support/fluentBitValues.ts in all the rest. Set your brokers and the name of your cluster:
#
#   helm repo add fluent https://fluent.github.io/helm-charts
#   helm upgrade --install why5xx-fluent-bit fluent/fluent-bit --namespace why5xx --create-namespace --values values.yaml \\
#     --set 'env[1].value=prod' --set 'env[2].value=kafka-0.kafka:9092\\,kafka-1.kafka:9092'
kind: DaemonSet

image:
  # The version whose behaviour is described in README.md; that one was built from source. Pin its digest: \`image.digest\`.
  tag: 5.1.1

env:
  - name: NODE_NAME
    valueFrom: { fieldRef: { fieldPath: spec.nodeName } }
  # \`clusterName\` of why5xx.
  - name: CLUSTER_NAME
    value: default
  - name: KAFKA_BROKERS
    value: kafka:9092
  # For the lines with sasl below.
  # - name: KAFKA_USERNAME
  #   value: fluent-bit
  # - name: KAFKA_PASSWORD
  #   valueFrom: { secretKeyRef: { name: why5xx-fluent-bit-kafka, key: password } }

# Nobody asks the API server: no token, no role.
rbac:
  create: false
automountServiceAccountToken: false
serviceAccount:
  automountServiceAccountToken: false

# When a node runs out of memory the shipper must not be what goes first.
priorityClassName: system-node-critical
# Wherever controllers may run, whatever their nodes are tainted with. With nodes of their own: a nodeSelector beside it.
tolerations:
  - operator: Exists

securityContext:
  # The runtime's log files are readable by root alone; of root's rights no other is needed.
  runAsUser: 0
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
  seccompProfile: { type: RuntimeDefault }

# 128 chunks of 2 MB, 16 MB in librdkafka, 2 MB a file, and the rest of the process.
resources:
  requests: { cpu: 100m, memory: 128Mi }
  limits: { memory: 512Mi }

# Behind service.grace below.
terminationGracePeriodSeconds: 60

livenessProbe:
  httpGet: { path: /, port: http }
readinessProbe:
  httpGet: { path: /api/v1/health, port: http }

daemonSetVolumes:
  - name: varlog
    hostPath: { path: /var/log }
  - name: state
    hostPath: { path: /var/lib/fluent-bit, type: DirectoryOrCreate }
# /var/log/containers holds links to /var/log/pods. Where docker is the runtime those lead on to /var/lib/docker/containers.
daemonSetVolumeMounts:
  - name: varlog
    mountPath: /var/log
    readOnly: true
  - name: state
    mountPath: /var/lib/fluent-bit
# With TLS: authorities and certificate of the brokers, see rdkafka.ssl below.
# extraVolumes:
#   - name: kafka-tls
#     secret: { secretName: why5xx-fluent-bit-kafka-tls }
# extraVolumeMounts:
#   - name: kafka-tls
#     mountPath: /etc/kafka-tls
#     readOnly: true

# It fetches an image to look whether the Service answers.
testFramework:
  enabled: false

command:
  - /fluent-bit/bin/fluent-bit
args:
  - --workdir=/fluent-bit/etc
  - --config=/fluent-bit/etc/conf/fluent-bit.yaml

config:
  # The chart's own configuration, in the classic format, is not used.
  service: ''
  inputs: ''
  filters: ''
  outputs: ''
  customParsers: ''
  extraFiles:
    fluent-bit.yaml: |
`

/** `configuration`: fluent-bit.yaml, which stands in them with its comments. */
export function fluentBitValues(configuration: string): string {
  return HEAD + configuration.replace(/^(?=.)/gm, '      ')
}
