import type { Peer } from './cluster.ts'
import type { Line } from './lines.ts'
import { Random } from './random.ts'
import { expectedRootCauses, type KnownReasons } from './rootCauses.ts'
import type { Simulation } from './simulation.ts'
import { Shop } from './state/shop.ts'
import { recordingText, snapshotText } from './state/written.ts'
import { stamp } from './times.ts'
import type { TruthCause } from './truth.ts'

/** How the lines were saved. */
export type Frame = 'kubectl' | 'plain' | 'cri' | 'docker'

export interface Incident {
  name: string
  story: string
  frame: Frame
  /** The service in trouble, `namespace/name`. */
  service: string
  /** How the state of the cluster was saved: by a watch all the time, or by kubectl when it was over. */
  state: 'recording' | 'snapshot'
  /** Of the service in trouble: causes that come in a spike, and the minute of 2026-11-21 in which each begins, UTC. */
  spikes: Partial<Record<TruthCause, string>>
  /** Of the service in trouble. */
  reasons: KnownReasons
  simulate: () => Simulation
}

export interface Files {
  'controller.log': string
  'expected.json': string
  'cluster.ndjson'?: string
  'cluster.json'?: string
}

export function writeIncident(incident: Incident): Files {
  const simulation = incident.simulate()
  const random = new Random(`${incident.name}/frame`)
  const lines = simulation.lines.sort((a, b) => a.at - b.at)
  let nanoseconds = 0
  let lastMs = 0
  const records = { access: 0, error: 0, controller: 0, streamAccess: 0, other: 0 }
  let continuations = 0
  const text: string[] = []
  for (const line of lines) {
    const ms = Math.floor(line.at)
    const fresh = Math.floor((line.at - ms) * 1_000_000) + random.integer(0, 99)
    nanoseconds = ms === lastMs ? Math.max(fresh, nanoseconds + random.integer(900, 9_000)) : fresh
    if (nanoseconds > 999_999) nanoseconds = 999_999
    lastMs = ms
    text.push(framed(line, incident.frame, ms, nanoseconds))
    if (line.kind === 'continuation') continuations += 1
    else records[line.kind] += 1
  }
  const heads = lines.filter(line => line.kind !== 'continuation')
  const { truth } = simulation
  const expected = {
    story: incident.story,
    service: incident.service,
    lines: lines.length,
    records,
    continuations,
    rejects: 0,
    requests: truth.requests,
    failures: truth.failures,
    masked: truth.masked,
    clientClosed: truth.clientClosed,
    refusedByNginx: truth.refusedByNginx,
    cut: truth.cut,
    byStatus: sorted(truth.byStatus),
    byCause: sorted(truth.byCause),
    byUpstream: sorted(truth.byUpstream),
    from: time(recordTime(heads[0]!, incident.frame)),
    to: time(recordTime(heads.at(-1)!, incident.frame)),
    controllers: simulation.controllers.map(controller => controller.pod),
    pods: simulation.endpoints.get(incident.service)!.all.map(describe),
    incidents: Object.entries(incident.spikes).map(([cause, start]) => ({
      service: incident.service,
      cause,
      start: `2026-11-21T${start}:00.000Z`,
      failures: failuresOf(simulation, incident.service, cause)
    })),
    rootCauses: expectedRootCauses(simulation, incident.service, incident.reasons)
  }
  return {
    'controller.log': `${text.join('\n')}\n`,
    'expected.json': `${JSON.stringify(expected, null, 2)}\n`,
    ...stateOf(incident, simulation)
  }
}

function failuresOf(simulation: Simulation, service: string, cause: string): number {
  const entries = [...simulation.truth.byCauseAndUpstream.values()]
  return entries.find(entry => entry.cause === cause && simulation.serviceOf(entry.upstream) === service)!.documents
}

/** So long after the log the state was saved, ms: the answers to its last requests are written by then. */
const AFTER_MS = 240_000

function stateOf({ name, state }: Incident, simulation: Simulation): Partial<Files> {
  const shop = new Shop(simulation, name)
  simulation.tell(shop)
  return state === 'recording'
    ? { 'cluster.ndjson': recordingText(shop, simulation.endMs + AFTER_MS) }
    : { 'cluster.json': snapshotText(shop) }
}

/** The stamp of the frame, cut to milliseconds; a plain line only has its own whole second, unless klog wrote it. */
function recordTime(line: Line, frame: Frame): number {
  return frame === 'plain' && line.kind !== 'controller' ? Math.floor(line.at / 1000) * 1000 : Math.floor(line.at)
}

function framed(line: Line, frame: Frame, ms: number, nanoseconds: number): string {
  if (frame === 'plain') return line.text
  if (frame === 'cri') return `${stamp(ms, nanoseconds, true)} ${line.stream} F ${line.text}`
  if (frame === 'kubectl') return `[pod/${line.pod}/controller] ${stamp(ms, nanoseconds, false)} ${line.text}`
  const log = goString(`${line.text}\n`)
  return `{"log":${log},"stream":"${line.stream}","time":"${stamp(ms, nanoseconds, true)}"}`
}

/** Go's JSON encoder also escapes the three characters that matter to HTML. */
function goString(text: string): string {
  return JSON.stringify(text).replaceAll('<', '\\u003c').replaceAll('>', '\\u003e').replaceAll('&', '\\u0026')
}

function describe(peer: Peer): object {
  return {
    service: peer.service,
    pod: peer.pod,
    address: peer.address,
    node: peer.node,
    from: peer.from === null ? null : time(peer.from),
    to: peer.to === null ? null : time(peer.to),
    facts: peer.facts.map(fact => ({ at: time(fact.at), what: fact.what }))
  }
}

function time(ms: number): string {
  return new Date(ms).toISOString()
}

function sorted<T>(map: ReadonlyMap<string, T>): Record<string, T> {
  return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)))
}
