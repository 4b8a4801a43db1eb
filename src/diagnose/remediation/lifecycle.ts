/** Remedies for the life of pods: how they end, how many there are, and what is left of them. */

import {
  change,
  changed,
  inTemplate,
  type Json,
  kubectl,
  patch,
  remove,
  rolloutUndo,
  show,
  templatePath
} from './kubectl.ts'
import type { Remediation } from './remedy.ts'
import { fullQuota, scaled } from './serving.ts'
import type { Target } from './target.ts'

/** Until nginx has left a pod: the change reaches it within 10 s. */
const PRE_STOP_S = 15
/** What the process has for itself after the hook. */
const DRAIN_S = 15
const GRACE_DEFAULT_S = 30
const SCALE_FACTOR = 1.5

export function preStopSleep(target: Target): Remediation {
  const { workload, told } = target
  const cited = told.citations.find(({ fields }) => /^spec\.containers\.lifecycle\b/.test(fields))
  const name = cited?.keys[0] ?? target.diagnosis.names.container
  if (workload === null || name === null)
    return target.manual('which workload makes these pods is not known: add lifecycle.preStop where they are described')
  const container = { name, list: 'containers' as const }
  const hook = target.seenContainer(workload, name)?.lifecycle?.preStop
  // exec and httpGet go: a hook may have one handler only.
  const preStop: Json = { sleep: { seconds: PRE_STOP_S }, exec: null, httpGet: null }
  const grace = Number(told.cited('metadata.deletionGracePeriodSeconds')?.value ?? GRACE_DEFAULT_S)
  const needed = PRE_STOP_S + DRAIN_S
  const isLonger = Number.isFinite(grace) && grace < needed
  const diff = [
    changed(workload, templatePath(container, 'lifecycle.preStop'), hookOf(cited, hook), {
      sleep: { seconds: PRE_STOP_S }
    })
  ]
  if (isLonger) diff.push(changed(workload, 'spec.template.spec.terminationGracePeriodSeconds', grace, needed))
  return {
    commands: [
      patch(workload, 'strategic', inTemplate(container, { lifecycle: { preStop } })),
      ...(isLonger ? [patch(workload, 'strategic', graceOf(needed))] : [])
    ],
    diff,
    undo: [
      ...(cited?.value === null
        ? [patch(workload, 'strategic', inTemplate(container, { lifecycle: { preStop: null } }))]
        : [rolloutUndo(workload)]),
      ...(isLonger ? [patch(workload, 'strategic', graceOf(grace))] : [])
    ],
    manifest: null,
    note:
      cited?.value === null
        ? `clusters before 1.30 have no sleep: there use exec with command ["sleep", "${PRE_STOP_S}"]`
        : 'it replaces the hook that is there, which ends too early',
    isAutomatic: true
  }
}

/** The hook as it is, as far as it is known. */
function hookOf(cited: { value: string | null } | undefined, hook: object | undefined): Json | undefined {
  if (hook !== undefined) return hook as { [key: string]: Json }
  return cited?.value ?? undefined
}

function graceOf(seconds: number): Json {
  return { spec: { template: { spec: { terminationGracePeriodSeconds: seconds } } } }
}

export function longerGrace(target: Target): Remediation {
  const { workload, told } = target
  const cited = told.cited('spec.terminationGracePeriodSeconds') ?? told.cited('metadata.deletionGracePeriodSeconds')
  const seen =
    workload === null ? null : target.seenWorkload(workload)?.spec?.template?.spec?.terminationGracePeriodSeconds
  const from = seen ?? Number(cited?.value ?? Number.NaN)
  if (workload === null || !Number.isSafeInteger(from))
    return target.manual('how long the grace period is, or which workload sets it, is not known: look first')
  return change(
    workload,
    'spec.template.spec.terminationGracePeriodSeconds',
    [from, Math.max(from * 2, GRACE_DEFAULT_S)],
    seconds => graceOf(seconds as number),
    'strategic',
    'pods that hang at their end then stay longer; it must exceed the preStop hook plus the longest request'
  )
}

export function scaleUp(target: Target): Remediation {
  const { object, diagnosis } = target
  if (object === null || !['Deployment', 'StatefulSet', 'ReplicaSet'].includes(object.kind))
    return target.manual('which workload was scaled to zero is not known')
  if (diagnosis.variant === 'keda')
    return target.manual('KEDA scaled it to zero: set minReplicaCount of its ScaledObject to 1 or more')
  return scaled(object, 0, 1, 'somebody scaled it to zero: make sure that it may run again')
}

export function higherMaximum(target: Target): Remediation {
  const { object, told } = target
  if (object === null || told.cited('status.conditions.status', { key: 'ScalingLimited' }) === null)
    return target.manual('the autoscaler cannot read its metrics: repair metrics-server or the adapter first')
  const from = Number(told.cited('spec.maxReplicas')?.value ?? Number.NaN)
  if (!Number.isSafeInteger(from) || from < 1)
    return target.unknown(
      'the maximum is not known: look at it, then raise it by half',
      show(object, 'spec.maxReplicas')
    )
  const full = fullQuota(target, object.namespace)
  if (full !== null) return target.manual(`the quota ${full} of the namespace is used up: raise it before maxReplicas`)
  return change(
    object,
    'spec.maxReplicas',
    [from, Math.ceil(from * SCALE_FACTOR)],
    maxReplicas => ({ spec: { maxReplicas } }),
    'merge',
    'nodes and what the pods depend on must have room for the new ones'
  )
}

/** The object that an eviction leaves behind holds no resource, but confuses. */
export function deleteFailed(target: Target): Remediation {
  const { pod, told } = target
  const isFailed =
    (pod === null ? null : target.seen('Pod', pod)?.status?.phase) === 'Failed' ||
    told.cited('status.reason', { kind: 'Pod' })?.value === 'Evicted'
  if (pod === null || !isFailed)
    return target.manual('nothing is left to delete: requests and room on the nodes are what matters')
  return {
    ...deleted(
      target,
      'the pod object that is left is deleted; requests that equal real use keep the next one on its node'
    ),
    isAutomatic: true
  }
}

export function deleteStuck(target: Target): Remediation {
  return target.pod === null
    ? target.manual('which pod it is, is not known')
    : deleted(target, 'repair the network of the node first: the new pod gets the same otherwise')
}

function deleted(target: Target, note: string): Remediation {
  const pod = target.pod!
  return {
    commands: [kubectl(pod, 'get', '-o wide'), remove(pod)],
    diff: [changed(pod, 'metadata.deletionTimestamp', undefined, 'now')],
    undo: [],
    manifest: null,
    note: `${note}; a pod cannot be brought back, its workload makes another`,
    isAutomatic: true
  }
}
