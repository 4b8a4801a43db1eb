/** What is kept of an object's metadata: of annotations only those that diagnosis reads. */

import { type Field, fields, flag, isRecord, list, mapOf, seconds, text, time } from './fieldShape.ts'
import { keptSetting } from './keptValue.ts'
import type { Metadata, OwnerReference } from './objects.ts'

const CONTROLLER_PREFIX = 'nginx.ingress.kubernetes.io/'
/** Load balancers list their backends there, as JSON. */
const BACKENDS = 'ingress.kubernetes.io/backends'
const BACKENDS_MAX = 8_000

const ANNOTATIONS = new Set([
  BACKENDS,
  'kubernetes.io/ingress.class',
  'ingressclass.kubernetes.io/is-default-class',
  'deployment.kubernetes.io/revision',
  'kubectl.kubernetes.io/restartedAt',
  // Who scaled it to zero.
  'autoscaling.keda.sh/paused',
  'autoscaling.keda.sh/paused-replicas',
  'scaledobject.keda.sh/transfer-hpa-ownership'
])

const keptAnnotations: Field = value => {
  if (!isRecord(value)) return undefined
  const kept: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    const setting = value[key]
    if (typeof setting !== 'string' || !(key.startsWith(CONTROLLER_PREFIX) || ANNOTATIONS.has(key))) continue
    kept[key] = key === BACKENDS ? keptSetting(key, setting, BACKENDS_MAX) : keptSetting(key, setting)
  }
  return mapOf(setting => setting)(kept)
}

export const METADATA = fields<Metadata>(
  {
    name: text,
    namespace: text,
    uid: text,
    resourceVersion: text,
    creationTimestamp: time,
    deletionTimestamp: time,
    deletionGracePeriodSeconds: seconds,
    labels: mapOf(text),
    annotations: keptAnnotations,
    ownerReferences: list(
      fields<OwnerReference>({ kind: text, name: text, uid: text, controller: flag }, ['kind', 'name', 'uid']),
      50
    )
  },
  ['name']
)
