/** From what failed to the part of the cluster that is asked. */

import type { Connection } from '../cluster/apiRequest.ts'
import type { Controller } from '../cluster/controllers.ts'
import type { ClusterState } from '../cluster/state.ts'
import { ClusterPart } from './clusterPart.ts'
import { refusalNotes } from './refusals.ts'
import type { Survey } from './survey.ts'
import { Whereabouts } from './whereabouts.ts'

export interface ConcernedRequest {
  connection: Connection
  controllers: readonly Controller[]
  /** Failures of this one alone are of interest; null: all. */
  namespace: string | null
  /** Everything is listed, whatever failed. */
  isWhole: boolean
  now: () => number
  signal: AbortSignal
  wait?: (ms: number) => Promise<void>
  say: (text: string) => void
}

export interface Concerned {
  state: ClusterState
  /** What could not be read for another reason than rights. */
  problems: readonly string[]
  /** What may not be read. */
  notes: readonly string[]
  isOf(upstreamName: string, namespace: string): boolean
  /** Namespaces that an upstream name may be of. */
  whereOf(upstreamName: string): string[]
}

const DNS_NAMESPACE = 'kube-system'
/** With more of them it is less work to list everything. */
const NAMESPACES_MAX = 20

export async function concernedPart(found: Survey, request: ConcernedRequest): Promise<Concerned> {
  const { connection, controllers, namespace, now, signal, wait, say } = request
  const configMaps = [...new Map(controllers.map(({ configMap }) => [JSON.stringify(configMap), configMap])).values()]
  const part = new ClusterPart({ connection, configMaps, now, signal, ...(wait && { wait }) })
  const homes = controllers.map(controller => controller.namespace)
  const whereabouts = () => new Whereabouts(part.state, [...new Set([...part.namespaces, ...guesses()])])
  const guesses = () => [namespace ?? connection.namespace, ...found.namespaces]
  if (found.byName.size > 0) {
    say('reading the state of the cluster')
    await part.listEverywhere(request.isWhole)
    const where = whereabouts()
    const named = [...found.byName.keys()].flatMap(name => where.of(name))
    const all = [...new Set([...named, ...found.namespaces])]
    const wanted = namespace === null ? all : all.filter(one => one === namespace)
    if (found.causes.has('dns_failure')) wanted.push(DNS_NAMESPACE)
    const concerned = [...new Set([...wanted, ...homes])].sort()
    if (concerned.length > NAMESPACES_MAX) await part.listEverywhere(true)
    say(`reading the state of ${concerned.length} namespaces`)
    await part.listIn(concerned)
    // Services that they lean on: auth, dependencies, DNS.
    await part.listIn(part.mentioned())
  }
  const where = whereabouts()
  return {
    state: part.state,
    problems: part.problems,
    notes: refusalNotes(part.refused),
    isOf: (name, one) => where.of(name).includes(one),
    whereOf: name => where.of(name)
  }
}
