/** What is kept of pods, and of the templates that they are made from. */

import {
  type Field,
  fields,
  flag,
  isRecord,
  list,
  logText,
  mapOf,
  message,
  number,
  numberOrText,
  quantity,
  seconds,
  text,
  time
} from './fieldShape.ts'
import { keptArguments } from './keptArguments.ts'
import { keptValue } from './keptValue.ts'
import type {
  Condition,
  Container,
  ContainerPort,
  ContainerState,
  ContainerStatus,
  EnvVariable,
  Handler,
  Pod,
  PodSpec,
  PodTemplate,
  Probe
} from './objects.ts'

type Item<T> = NonNullable<T> extends (infer Element)[] ? NonNullable<Element> : never
type Inner<T, Key extends keyof T> = NonNullable<T[Key]>

export const CONDITIONS: Field = list(
  fields<Condition>(
    {
      type: text,
      status: text,
      reason: text,
      message,
      lastTransitionTime: time,
      lastHeartbeatTime: time
    },
    ['type', 'status']
  )
)

const EXEC = fields<{ command?: string[] }>({ command: keptArguments })
const HTTP_GET = fields<Inner<Probe, 'httpGet'>>({ path: text, port: numberOrText, scheme: text, host: text }, ['port'])

const PROBE = fields<Probe>({
  httpGet: HTTP_GET,
  tcpSocket: fields<Inner<Probe, 'tcpSocket'>>({ port: numberOrText }, ['port']),
  grpc: fields<Inner<Probe, 'grpc'>>({ port: number }, ['port']),
  exec: EXEC,
  initialDelaySeconds: seconds,
  periodSeconds: seconds,
  timeoutSeconds: seconds,
  failureThreshold: number,
  successThreshold: number
})

const HANDLER = fields<Handler>({
  exec: EXEC,
  sleep: fields<Inner<Handler, 'sleep'>>({ seconds }, ['seconds']),
  httpGet: HTTP_GET
})

const KEY_REFERENCE = fields<{ name: string; key: string; optional?: boolean }>(
  { name: text, key: text, optional: flag },
  ['name', 'key']
)
const NAME_REFERENCE = fields<{ name: string; optional?: boolean }>({ name: text, optional: flag }, ['name'])

const ENV_SHAPE = fields<EnvVariable>(
  {
    name: text,
    value: value => (typeof value === 'string' ? value : undefined),
    valueFrom: fields<Inner<EnvVariable, 'valueFrom'>>({ configMapKeyRef: KEY_REFERENCE, secretKeyRef: KEY_REFERENCE })
  },
  ['name']
)

/** What its value may be depends on its name. */
const ENV: Field = value => {
  const found = ENV_SHAPE(value)
  if (!isRecord(found) || found.value === undefined) return found
  const { value: plain, ...variable } = found as unknown as EnvVariable
  const kept = keptValue(variable.name, plain!)
  return kept === undefined ? variable : { ...variable, value: kept }
}

const CONTAINER = fields<Container>(
  {
    name: text,
    image: text,
    command: keptArguments,
    args: keptArguments,
    ports: list(fields<ContainerPort>({ containerPort: number, name: text, protocol: text }, ['containerPort'])),
    env: list(ENV),
    envFrom: list(fields<Item<Container['envFrom']>>({ configMapRef: NAME_REFERENCE, secretRef: NAME_REFERENCE })),
    resources: fields<Inner<Container, 'resources'>>({ limits: mapOf(quantity), requests: mapOf(quantity) }),
    readinessProbe: PROBE,
    livenessProbe: PROBE,
    startupProbe: PROBE,
    lifecycle: fields<Inner<Container, 'lifecycle'>>({ preStop: HANDLER, postStart: HANDLER }),
    volumeMounts: list(fields<Item<Container['volumeMounts']>>({ name: text, mountPath: text }, ['name'])),
    restartPolicy: text
  },
  ['name']
)

type Volume = Item<PodSpec['volumes']>

const VOLUME = fields<Volume>(
  {
    name: text,
    secret: fields<Inner<Volume, 'secret'>>({ secretName: text, optional: flag }),
    configMap: fields<Inner<Volume, 'configMap'>>({ name: text, optional: flag }),
    persistentVolumeClaim: fields<Inner<Volume, 'persistentVolumeClaim'>>({ claimName: text }, ['claimName'])
  },
  ['name']
)

const POD_SPEC = fields<PodSpec>({
  nodeName: text,
  hostNetwork: flag,
  containers: list(CONTAINER),
  initContainers: list(CONTAINER),
  volumes: list(VOLUME),
  readinessGates: list(fields<Item<PodSpec['readinessGates']>>({ conditionType: text }, ['conditionType'])),
  restartPolicy: text,
  terminationGracePeriodSeconds: seconds,
  serviceAccountName: text
})

export const POD_TEMPLATE = fields<PodTemplate>({
  metadata: fields<Inner<PodTemplate, 'metadata'>>({ labels: mapOf(text) }),
  spec: POD_SPEC
})

const CONTAINER_STATE = fields<ContainerState>({
  waiting: fields<Inner<ContainerState, 'waiting'>>({ reason: text, message }),
  running: fields<Inner<ContainerState, 'running'>>({ startedAt: time }),
  terminated: fields<Inner<ContainerState, 'terminated'>>({
    reason: text,
    message: logText,
    exitCode: number,
    signal: number,
    startedAt: time,
    finishedAt: time
  })
})

const CONTAINER_STATUSES = list(
  fields<ContainerStatus>(
    {
      name: text,
      image: text,
      ready: flag,
      started: flag,
      restartCount: number,
      state: CONTAINER_STATE,
      lastState: CONTAINER_STATE
    },
    ['name']
  )
)

export const POD: { readonly [Key in keyof Required<Omit<Pod, 'kind' | 'metadata'>>]: Field } = {
  spec: POD_SPEC,
  status: fields<Inner<Pod, 'status'>>({
    phase: text,
    reason: text,
    message,
    podIP: text,
    podIPs: list(fields<{ ip: string }>({ ip: text }, ['ip'])),
    hostIP: text,
    startTime: time,
    conditions: CONDITIONS,
    containerStatuses: CONTAINER_STATUSES,
    initContainerStatuses: CONTAINER_STATUSES
  })
}
