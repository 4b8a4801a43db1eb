/** What changed before an incident at whatever it concerns: rollouts, scaling, settings, reloads. Sentences, oldest first. */

import type { Kind, ObjectOf, Workload } from '../cluster/objects.ts'
import type { ClusterState, History, Version } from '../cluster/state.ts'
import { selects } from '../diagnose/routing.ts'
import { clip, plural, safeText } from '../text.ts'
import { differences, imageChanges, sameValue } from './differences.ts'
import type { Incident, IncidentChange } from './incident.ts'

export interface ControllerReload {
  atMs: number
  /** Of the controller; null: not known. */
  pod: string | null
  kind: 'reload' | 'reload_failed'
  text: string
}

export interface ChangeSources {
  /** null: nothing is known of the cluster. */
  state: ClusterState | null
  reloads: readonly ControllerReload[]
}

const CHANGES_MAX = 6
const TEXT_CHARS_MAX = 300
/** Controllers reload together: they watch the same objects. */
const TOGETHER_MS = 30_000
/** A new ReplicaSet comes with the new template of its Deployment. */
const SAME_ROLLOUT_MS = 60_000
const WORKLOADS = ['Deployment', 'StatefulSet', 'DaemonSet'] as const
/** Where the charts of ingress-nginx put it. */
const CONTROLLER_NAMESPACE = 'ingress-nginx'

/** What says more is kept when there is more than fits; reloads follow most changes of a cluster. */
const RELEVANCE: Record<IncidentChange['kind'], number> = {
  rollout: 3,
  reload_failed: 3,
  scale: 2,
  configuration: 2,
  reload: 1
}

/** In `[fromMs, toMs)`, at most six: the most telling ones, of these the nearest. */
export function changesBefore(
  incident: Incident,
  fromMs: number,
  toMs: number,
  { state, reloads }: ChangeSources
): IncidentChange[] {
  const isWithin = (atMs: number) => atMs >= fromMs && atMs < toMs
  const changes = state === null ? [] : clusterChanges(incident, state, isWithin)
  changes.push(...reloadChanges(reloads.filter(({ atMs }) => isWithin(atMs))))
  return changes
    .sort((a, b) => RELEVANCE[b.kind] - RELEVANCE[a.kind] || b.atMs - a.atMs || (a.text < b.text ? -1 : 1))
    .slice(0, CHANGES_MAX)
    .sort((a, b) => a.atMs - b.atMs)
    .map(change => ({ ...change, text: clip(safeText(change.text), TEXT_CHARS_MAX) }))
}

type IsWithin = (atMs: number) => boolean

function clusterChanges(incident: Incident, state: ClusterState, isWithin: IsWithin): IncidentChange[] {
  const changes: IncidentChange[] = []
  for (const { namespace, service } of servicesOf(incident, state)) {
    const services = state.named('Service', namespace, service)
    for (const history of services) changes.push(...settingChanges(history, isWithin))
    const selector = services.at(-1)?.versions.at(-1)?.object.spec?.selector ?? {}
    if (Object.keys(selector).length > 0) changes.push(...workloadChanges(namespace, selector, state, isWithin))
    for (const history of state.all('Ingress', namespace))
      if (history.name === incident.ingress || routesTo(history, service))
        changes.push(...settingChanges(history, isWithin))
  }
  for (const namespace of controllerNamespaces(incident))
    for (const history of state.all('ConfigMap', namespace)) changes.push(...settingChanges(history, isWithin))
  return changes
}

/** The Service of the log line, or those that the upstream name stands for. */
function servicesOf({ service, namespace, upstream }: Incident, state: ClusterState) {
  const prefix = `${namespace ?? ''}/`
  if (namespace !== null && service.startsWith(prefix)) return [{ namespace, service: service.slice(prefix.length) }]
  return state.upstream(upstream).filter(one => namespace === null || one.namespace === namespace)
}

function routesTo({ versions }: History<ObjectOf['Ingress']>, service: string): boolean {
  const spec = versions.at(-1)!.object.spec
  const rules = Array.isArray(spec?.rules) ? spec.rules : []
  if (spec?.defaultBackend?.service?.name === service) return true
  return rules.some(rule => rule?.http?.paths?.some(path => path?.backend?.service?.name === service))
}

function controllerNamespaces({ controllers }: Incident): Set<string> {
  const namespaces = controllers.map(([name]) => name.split('/')).filter(parts => parts.length === 2)
  return namespaces.length === 0 ? new Set([CONTROLLER_NAMESPACE]) : new Set(namespaces.map(parts => parts[0]!))
}

function workloadChanges(
  namespace: string,
  selector: Readonly<Record<string, string>>,
  state: ClusterState,
  isWithin: IsWithin
): IncidentChange[] {
  const changes: IncidentChange[] = []
  for (const kind of WORKLOADS)
    for (const history of state.all(kind, namespace)) {
      if (!history.versions.some(({ object }) => selects(selector, object.spec?.template?.metadata?.labels))) continue
      const rollouts = specChanges(history, isWithin)
      changes.push(...rollouts, ...newSetChanges(history, state, rollouts, isWithin))
      const goneMs = history.deletedMs
      if (goneMs !== null && isWithin(goneMs))
        changes.push({ atMs: goneMs, kind: 'scale', text: `${nameOf(history)} was deleted at ${clock(goneMs)}` })
    }
  return changes
}

/** New pod templates and numbers of replicas. */
function specChanges(history: History<Workload>, isWithin: IsWithin): IncidentChange[] {
  const changes: IncidentChange[] = []
  for (const [before, now] of steps(history, isWithin)) {
    const [old, spec] = [before.object.spec ?? {}, now.object.spec ?? {}]
    const at = momentOf(now)
    if (!sameValue(old.template, spec.template)) {
      const images = imageChanges(old.template, spec.template)
      const what = images === '' ? 'pod template changed' : images
      changes.push({ atMs: now.atMs, kind: 'rollout', text: `${nameOf(history)} was rolled out ${at} (${what})` })
    }
    const [from, to] = [old.replicas ?? 1, spec.replicas ?? 1]
    if (from !== to) {
      const text = `${nameOf(history)} was scaled ${at} (${from} → ${to} replicas)`
      changes.push({ atMs: now.atMs, kind: 'scale', text })
    }
  }
  return changes
}

/** Rollouts that show in nothing that is kept of the Deployment, as `kubectl rollout restart` does. */
function newSetChanges(
  history: History<Workload>,
  state: ClusterState,
  known: readonly IncidentChange[],
  isWithin: IsWithin
): IncidentChange[] {
  const changes: IncidentChange[] = []
  for (const { kind, createdMs, name } of state.ownedBy(history.uid)) {
    if (kind !== 'ReplicaSet' || createdMs === null || !isWithin(createdMs)) continue
    if (known.some(change => change.kind === 'rollout' && Math.abs(change.atMs - createdMs) <= SAME_ROLLOUT_MS))
      continue
    // The first one comes with the Deployment itself.
    const verb =
      history.createdMs !== null && createdMs - history.createdMs <= SAME_ROLLOUT_MS ? 'created' : 'rolled out'
    const text = `${nameOf(history)} was ${verb} at ${clock(createdMs)} (new ReplicaSet ${name})`
    changes.push({ atMs: createdMs, kind: 'rollout', text })
  }
  return changes
}

/** Services, Ingresses and ConfigMaps. */
function settingChanges<K extends 'Service' | 'Ingress' | 'ConfigMap'>(
  history: History<ObjectOf[K]>,
  isWithin: IsWithin
): IncidentChange[] {
  const changes: IncidentChange[] = []
  const add = (atMs: number, text: string): void => {
    changes.push({ atMs, kind: 'configuration', text: `${nameOf(history)} ${text}` })
  }
  const { createdMs, deletedMs } = history
  if (createdMs !== null && isWithin(createdMs)) add(createdMs, `was created at ${clock(createdMs)}`)
  for (const [before, now] of steps(history, isWithin)) {
    const told = differences(settingsOf(before.object), settingsOf(now.object))
    if (told !== '') add(now.atMs, `was changed ${momentOf(now)} (${told})`)
  }
  if (deletedMs !== null && isWithin(deletedMs)) add(deletedMs, `was deleted at ${clock(deletedMs)}`)
  return changes
}

function settingsOf(object: ObjectOf['Service' | 'Ingress' | 'ConfigMap']): Record<string, unknown> {
  if (object.kind === 'ConfigMap') return { ...object.data }
  return { ...object.spec, ...object.metadata.annotations }
}

/** Versions within, each with the one before it. */
function steps<O>({ versions }: History<O>, isWithin: IsWithin): [Version<O>, Version<O>][] {
  const found: [Version<O>, Version<O>][] = []
  for (let i = 1; i < versions.length; i++)
    if (isWithin(versions[i]!.atMs)) found.push([versions[i - 1]!, versions[i]!])
  return found
}

function reloadChanges(reloads: readonly ControllerReload[]): IncidentChange[] {
  const bursts: { first: ControllerReload; pods: Set<string | null> }[] = []
  for (const reload of [...reloads].sort((a, b) => a.atMs - b.atMs)) {
    const burst = bursts.findLast(({ first }) => first.kind === reload.kind)
    if (burst !== undefined && reload.atMs - burst.first.atMs <= TOGETHER_MS) burst.pods.add(reload.pod)
    else bursts.push({ first: reload, pods: new Set([reload.pod]) })
  }
  return bursts.map(({ first: { atMs, kind, pod, text }, pods }) => {
    const one = pod === null ? 'the controller' : `controller ${pod}`
    const who = pods.size > 1 ? plural(pods.size, 'controller') : one
    const did = kind === 'reload' ? 'reloaded nginx' : 'failed to reload nginx'
    const why = kind === 'reload' || text === '' ? '' : `: ${clip(text, 160)}`
    return { atMs, kind, text: `${who} ${did} at ${clock(atMs)}${why}` }
  })
}

function nameOf({ kind, namespace, name }: Pick<History, 'namespace' | 'name'> & { kind: Kind }): string {
  return `${kind} ${namespace}/${name}`
}

/** What a list or the time after a gap shows may be older. */
function momentOf({ atMs, isObserved }: Version<unknown>): string {
  return `${isObserved ? 'at' : 'by'} ${clock(atMs)}`
}

/** UTC. */
function clock(atMs: number): string {
  return new Date(atMs).toISOString().slice(11, 19)
}
