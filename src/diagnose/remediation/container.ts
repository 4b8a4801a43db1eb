/** Remedies for containers that end, do not start, or fail their probes. */

import { quantityOf } from '../quantity.ts'
import { change, changed, inTemplate, type Json, patch, show, templatePath } from './kubectl.ts'
import type { Change, Remediation } from './remedy.ts'
import { restart, undoRollout } from './rollout.ts'
import type { Target } from './target.ts'

const MEMORY_FACTOR = 1.5
/** What a probe does when nothing is said. */
const TIMEOUT_DEFAULT = 1
const FAILURES_DEFAULT = 3

export function moreMemory(target: Target): Remediation {
  const { workload, container, told } = target
  if (workload === null || container === null)
    return target.manual('which workload sets the memory limit is not known: raise it where the pod is described')
  const cited = told.cited('resources.limits.memory')?.value ?? null
  const from = target.seenContainer(workload, container.name)?.resources?.limits?.memory ?? cited
  const to = from === null ? null : scaledQuantity(from, MEMORY_FACTOR)
  const path = templatePath(container, 'resources.limits.memory')
  if (from === null || to === null)
    return target.unknown(
      'the memory limit is not known: look at it, then raise it by half',
      show(workload, templateField(container.list))
    )
  return change(
    workload,
    path,
    [from, to],
    memory => inTemplate(container, { resources: { limits: { memory } } }),
    'strategic',
    'all pods are replaced; look for a leak when usage only ever rises'
  )
}

export function looserProbe(target: Target): Remediation {
  const { workload, container, diagnosis } = target
  if (workload === null || container === null)
    return target.manual('which workload describes the probe is not known: loosen it where the pod is described')
  const name = diagnosis.variant === 'startup' ? 'startupProbe' : 'livenessProbe'
  const probe = target.seenContainer(workload, container.name)?.[name]
  if (probe === undefined || probe === null)
    return target.unknown(
      `the ${name} is not known as it stands: look at it, then raise timeoutSeconds and failureThreshold`,
      show(workload, templateField(container.list))
    )
  const { timeoutSeconds = TIMEOUT_DEFAULT, failureThreshold = FAILURES_DEFAULT } = probe
  const to =
    name === 'startupProbe'
      ? { timeoutSeconds: Math.max(timeoutSeconds, 2), failureThreshold: failureThreshold * 2 }
      : {
          timeoutSeconds: Math.max(timeoutSeconds * 2, 5),
          failureThreshold: Math.max(failureThreshold, FAILURES_DEFAULT)
        }
  const before: { [key: string]: Json } = {
    timeoutSeconds: probe.timeoutSeconds ?? null,
    failureThreshold: probe.failureThreshold ?? null
  }
  const diff: Change[] = []
  for (const field of ['timeoutSeconds', 'failureThreshold'] as const)
    if (to[field] !== { timeoutSeconds, failureThreshold }[field])
      diff.push(changed(workload, templatePath(container, `${name}.${field}`), before[field], to[field]))
  return {
    commands: [patch(workload, 'strategic', inTemplate(container, { [name]: to }))],
    diff,
    undo: [patch(workload, 'strategic', inTemplate(container, { [name]: before }))],
    manifest: null,
    note: 'a process that hangs is then noticed later; the better probe asks a cheap path of its own',
    isAutomatic: true
  }
}

/** A new start helps one pod that is stuck; when all of them say that they are not ready, they mean it. */
export function restartOne(target: Target): Remediation {
  const { workload, told } = target
  const unready = new Set(
    told.citations
      .filter(({ kind, fields, value }) => kind === 'Pod' && fields === 'status.conditions.status' && value !== 'True')
      .map(({ namespace, name }) => `${namespace}/${name}`)
  )
  const seen = workload === null ? null : target.seenWorkload(workload)
  const replicas = seen?.spec?.replicas ?? null
  if (workload === null || replicas === null || replicas < 2 || unready.size !== 1)
    return target.manual('what the readiness probe reports must be mended: a restart would not')
  const ready = seen?.status?.readyReplicas ?? 0
  if (ready < replicas - 1) return target.manual('several pods are not ready: what their probes report must be mended')
  return restart(target, workload, 'a single pod is not ready: all pods are started again, one after the other')
}

export { undoRollout }

/** `256Mi` × 1.5 → `384Mi`, rounded up; null: no quantity. */
export function scaledQuantity(text: string, factor: number): string | null {
  const bytes = quantityOf(text)
  const match = /^\s*([0-9.]+)(Ki|Mi|Gi|Ti|k|M|G|T)?\s*$/.exec(text)
  if (bytes === null || bytes <= 0) return null
  if (match === null) return String(Math.ceil(bytes * factor))
  const [, number = '', unit = ''] = match
  const scaled = Number(number) * factor
  if (Number.isInteger(scaled)) return `${scaled}${unit}`
  const finer: Record<string, string> = { Ti: 'Gi', Gi: 'Mi', Mi: 'Ki', T: 'G', G: 'M', M: 'k' }
  const smaller = Object.hasOwn(finer, unit) ? finer[unit]! : null
  if (smaller === null) return `${Math.ceil(scaled)}${unit}`
  return `${Math.ceil(scaled * (unit.endsWith('i') ? 1024 : 1000))}${smaller}`
}

function templateField(list: 'containers' | 'initContainers'): string {
  return `spec.template.spec.${list}`
}
