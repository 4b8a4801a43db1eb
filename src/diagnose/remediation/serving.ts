/** Remedies for what the proxy waits, buffers and keeps, and for CPU. */

import { secondsOf } from '../setting.ts'
import { change, changed, type Named, scale, show } from './kubectl.ts'
import type { Remediation } from './remedy.ts'
import type { Target } from './target.ts'

const PREFIX = 'nginx.ingress.kubernetes.io/'
const TIMEOUT_DEFAULT_S = 60
const BUFFER_DEFAULT_KB = 4
const BUFFER_KB = 16
const IDLE = /idle for ([\d.]+) s\b/

/** An annotation of an Ingress, set or taken away again. */
export function annotate(
  ingress: Named,
  name: string,
  [from, to]: readonly [from: string | null, to: string],
  note: string
): Remediation {
  const key = `${PREFIX}${name}`
  return change(
    ingress,
    `metadata.annotations[${key}]`,
    [from, to],
    value => ({ metadata: { annotations: { [key]: value } } }),
    'merge',
    note
  )
}

/** What the controller takes an annotation to be that is not set; null: it says nothing of itself. */
function inForce(target: Target, name: string): string | null {
  return target.told.cited(`data.${name}`)?.value ?? null
}

export function longerTimeout(target: Target): Remediation {
  const { ingress, diagnosis } = target
  const name = diagnosis.chain[0] === 'send_timeout' ? 'proxy-send-timeout' : 'proxy-read-timeout'
  const from = target.annotation(name)
  if (ingress === null || from === undefined)
    return target.manual(`${name} of the Ingress is not known: look at it; a faster answer is the better remedy`)
  const current = secondsOf(from ?? inForce(target, name) ?? String(TIMEOUT_DEFAULT_S))
  if (current === null) return target.manual(`${name} is no number of seconds: correct it first`)
  return annotate(
    ingress,
    name,
    [from, String(Math.ceil(current * 2))],
    'it holds for all paths of that Ingress: give the slow path one of its own; a faster answer is the better remedy'
  )
}

export function largerBuffer(target: Target): Remediation {
  const { ingress } = target
  const from = target.annotation('proxy-buffer-size')
  if (ingress === null || from === undefined)
    return target.manual('proxy-buffer-size of the Ingress is not known: look at it, then set 16k')
  const text = from ?? inForce(target, 'proxy-buffer-size') ?? `${BUFFER_DEFAULT_KB}k`
  const match = /^\s*(\d+)\s*([km])?\s*$/i.exec(text)
  if (match === null) return target.manual('proxy-buffer-size is no size: correct it first')
  const unit = match[2]?.toLowerCase()
  const kilobytes = Number(match[1]) * (unit === 'm' ? 1024 : unit === 'k' ? 1 : 1 / 1024)
  const to = `${Math.max(BUFFER_KB, Math.ceil(kilobytes * 2))}k`
  return annotate(
    ingress,
    'proxy-buffer-size',
    [from, to],
    'each connection may take that much memory; smaller cookies need none'
  )
}

export function shorterKeepalive(target: Target): Remediation {
  const { told, diagnosis } = target
  const cited = told.cited('data.upstream-keepalive-timeout', { kind: 'ConfigMap' })
  const idle = diagnosis.evidence.map(({ text }) => IDLE.exec(text)?.[1]).find(text => text !== undefined)
  const seconds = idle === undefined ? null : Math.floor(Number(idle)) - 1
  if (cited === null || seconds === null || !(seconds >= 1))
    return target.manual(
      'set the idle timeout of the application above upstream-keepalive-timeout of the controller, for instance to 75 s'
    )
  return change(
    { kind: 'ConfigMap', namespace: cited.namespace, name: cited.name },
    'data.upstream-keepalive-timeout',
    [cited.value, String(seconds)],
    value => ({ data: { 'upstream-keepalive-timeout': value } }),
    'merge',
    'it holds for all sites of the controller, and costs more new connections; a longer idle timeout of the application is the better remedy'
  )
}

/** One replica more, unless an autoscaler decides that. */
export function oneMore(target: Target, workload: Named | null): Remediation {
  if (workload === null || workload.kind === 'DaemonSet')
    return target.manual('no workload is known that could be scaled: raise the limit, or run more replicas')
  const replicas = target.seenWorkload(workload)?.spec?.replicas ?? null
  if (replicas === null)
    return target.unknown('how many replicas it has is not known: look, then add one', show(workload, 'spec.replicas'))
  const scaler = autoscalerOf(target, workload)
  if (scaler !== null)
    return target.manual(
      `HorizontalPodAutoscaler ${scaler} decides how many replicas there are: change its bounds or its target`
    )
  const full = fullQuota(target, workload.namespace)
  if (full !== null)
    return target.manual(`the quota ${full} of the namespace is used up: one more pod would be refused`)
  return scaled(workload, replicas, replicas + 1, 'look at the new pod: it needs room on a node')
}

export function scaled(workload: Named, from: number | null, to: number, note: string): Remediation {
  return {
    commands: [scale(workload, to, from)],
    diff: [changed(workload, 'spec.replicas', from ?? undefined, to)],
    undo: from === null ? [] : [scale(workload, from, to)],
    manifest: null,
    note,
    isAutomatic: true
  }
}

/** Its name; null: none scales that workload, as far as is known. */
function autoscalerOf({ state }: Target, { kind, namespace, name }: Named): string | null {
  for (const { name: scaler, versions, deletedMs } of state?.all('HorizontalPodAutoscaler', namespace) ?? []) {
    const { scaleTargetRef } = versions.at(-1)!.object.spec ?? {}
    if (deletedMs === null && scaleTargetRef?.kind === kind && scaleTargetRef.name === name) return scaler
  }
  return null
}

/** A quota of the namespace that admits no further pod; null: none is known. */
export function fullQuota({ state }: Target, namespace: string): string | null {
  for (const { name, versions, deletedMs } of state?.all('ResourceQuota', namespace) ?? []) {
    const { hard, used } = versions.at(-1)!.object.status ?? {}
    for (const what of ['pods', 'count/pods']) {
      const [bound, taken] = [Number(hard?.[what]), Number(used?.[what])]
      if (deletedMs === null && taken >= bound) return name
    }
  }
  return null
}
