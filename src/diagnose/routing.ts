/** From a failed request to the Service and the Ingress that it was sent through. */

import type { Ingress, LabelSelector, Service, ServicePort } from '../cluster/objects.ts'
import type { ClusterState } from '../cluster/state.ts'
import { listOf } from './conditions.ts'
import { type Current, current } from './current.ts'
import type { DiagnosisInput } from './input.ts'
import type { Moment } from './moment.ts'

export interface Routed {
  namespace: string
  service: string
  /** As the Ingress writes it; null: not told. */
  port: string | null
}

/** The Service that was asked: the canary's when an alternative upstream was, else what the log says, else by upstream name. */
export function routed(input: DiagnosisInput, state: ClusterState): Routed | null {
  const { alternativeUpstreamName, upstreamName } = input.detail
  if (alternativeUpstreamName !== null && alternativeUpstreamName !== '-' && alternativeUpstreamName !== '') {
    const canary = byUpstreamName(alternativeUpstreamName, input, state)
    if (canary !== null) return canary
  }
  const { namespace, service, port } = input
  if (namespace !== null && service !== null) return { namespace, service, port }
  return upstreamName === null ? null : byUpstreamName(upstreamName, input, state)
}

/** What exists under the name; else, in a namespace that the log names, what is between it and the last dash. */
function byUpstreamName(name: string, { namespace }: DiagnosisInput, state: ClusterState): Routed | null {
  const known = state.upstream(name)
  const found = known.find(item => item.namespace === namespace) ?? (known.length === 1 ? known[0]! : null)
  if (found !== null) return found
  if (known.length > 0 || namespace === null || !name.startsWith(`${namespace}-`)) return null
  const rest = name.slice(namespace.length + 1)
  const dash = rest.lastIndexOf('-')
  return dash <= 0 ? null : { namespace, service: rest.slice(0, dash), port: rest.slice(dash + 1) }
}

/** The controller takes a backend port by number = port, by name, or by targetPort. */
export function servicePortOf(service: Service, port: string | null): ServicePort | null {
  const ports = listOf(service.spec?.ports)
  if (port === null) return ports.length === 1 ? ports[0]! : null
  return (
    ports.find(item => String(item.port) === port) ??
    ports.find(item => item.name === port) ??
    ports.find(item => String(item.targetPort ?? item.port) === port) ??
    null
  )
}

/** The Ingress of the log line; else one of the namespace that sends this host to the Service. */
export function ingressOf(
  input: DiagnosisInput,
  route: Routed | null,
  state: ClusterState,
  moment: Moment
): Current<Ingress> | null {
  const namespace = input.namespace ?? route?.namespace ?? null
  const all: Current<Ingress>[] = []
  for (const history of state.all('Ingress', namespace)) {
    const at = current(history, moment)
    if (at !== null) all.push(at)
  }
  const named = all.find(({ history }) => history.name === input.ingress)
  if (input.ingress !== null && named !== undefined) return named
  const rated = all
    .map(at => ({ at, rating: rating(at.object, input, route) }))
    .filter(({ rating }) => rating > 0)
    .sort((a, b) => b.rating - a.rating)
  return rated[0]?.at ?? null
}

function rating({ spec }: Ingress, { host, symptom }: DiagnosisInput, route: Routed | null): number {
  let best = 0
  for (const rule of listOf(spec?.rules)) {
    const isHost = host !== null && hostMatches(rule.host, host)
    const isService = listOf(rule.http?.paths).some(({ backend }) => backend?.service?.name === route?.service)
    best = Math.max(best, (isHost && rule.host ? 2 : 0) + (isService && route !== null ? 4 : 0))
  }
  if (route !== null && spec?.defaultBackend?.service?.name === route.service) best = Math.max(best, 3)
  const isTls = symptom === 'client_tls_failure' && host !== null
  if (isTls && listOf(spec?.tls).some(({ hosts }) => listOf(hosts).some(name => hostMatches(name, host)))) best += 1
  return best
}

/** Exact, or `*.` for one label. A rule without host takes every host. */
export function hostMatches(pattern: string | undefined, host: string): boolean {
  if (pattern === undefined || pattern === '') return true
  const name = host.replace(/:\d+$/, '').toLowerCase()
  const wanted = pattern.toLowerCase()
  if (!wanted.startsWith('*.')) return wanted === name
  const dot = name.indexOf('.')
  return dot > 0 && name.slice(dot + 1) === wanted.slice(2)
}

/**
 * A rule's path takes a path: Exact, Prefix by segment, else by characters. With `isRegex` (`use-regex`) only what stands
 * before the first special character is compared: patterns of strangers are not run.
 */
export function pathMatches(
  { path: pattern, pathType }: { path: string; pathType?: string | undefined },
  path: string,
  isRegex = false
): boolean {
  if (isRegex && pathType !== 'Exact') {
    const plain = /^[\w/~%-]*/.exec(pattern.replace(/^\^/, ''))![0]
    // The last character may be optional: `/s?`.
    const isWhole = plain.length === pattern.length
    return path.toLowerCase().startsWith((isWhole ? plain : plain.slice(0, -1)).toLowerCase())
  }
  if (pathType === 'Exact') return path === pattern
  if (pathType !== 'Prefix') return path.startsWith(pattern)
  const prefix = pattern.endsWith('/') ? pattern.slice(0, -1) : pattern
  return path === prefix || path.startsWith(`${prefix}/`)
}

/** Every pair of a selector stands in the labels. */
export function selects(
  selector: Readonly<Record<string, string>>,
  labels: Record<string, string> | undefined
): boolean {
  return Object.entries(selector).every(
    ([name, value]) => labels !== undefined && Object.hasOwn(labels, name) && labels[name] === value
  )
}

/** matchLabels and matchExpressions; an empty selector matches everything. */
export function selectorMatches(selector: LabelSelector, labels: Record<string, string> | undefined): boolean {
  if (!selects(selector.matchLabels ?? {}, labels)) return false
  return listOf(selector.matchExpressions).every(({ key, operator, values }) => {
    const has = labels !== undefined && Object.hasOwn(labels, key)
    const isIn = has && listOf(values).includes(labels[key]!)
    if (operator === 'In') return isIn
    if (operator === 'NotIn') return !isIn
    return operator === 'Exists' ? has : operator === 'DoesNotExist' && !has
  })
}
