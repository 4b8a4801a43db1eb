import { CAUSES } from '../parsers/causes.ts'
import { type Alerting, openAlerting } from '../src/alert/alerting.ts'
import { MINUTE_MS } from '../src/alert/finding.ts'
import type { SightedRootCause, Sighting } from '../src/alert/sighting.ts'
import type { Finding } from './finding.ts'
import { collectGarbage, cpuMs, heldBytes } from './heap.ts'

/**
 * What does it cost to watch 5,000 series with everything that belongs to it: detector, evidence, incidents, groups? Each failure is a
 * sighting of its own, with texts of its own as if cut from a line, and each minute has root causes that were put into words again.
 */
const SERVICES = 1_250
const CAUSES_A_SERVICE = 4
const SERIES = SERVICES * CAUSES_A_SERVICE
const PODS = 3
const NODES = 50
const CONTROLLERS = 3
/** The detector says nothing in its first hour. */
const WARM_UP_MINUTES = 80
const MINUTES = 60
const BYTES_MAX = 100 * 1024 * 1024
const MINUTE_MS_MAX = 50
const LINE_BYTES = 330
const BEGIN_MS = Date.UTC(2026, 10, 21)
const QUIET_FAILURES = 2
const SPIKE_FAILURES = 10

interface Case {
  name: string
  /** So many of the series. */
  firing: number
  isGate: boolean
}

const CASES: readonly Case[] = [
  { name: 'two failures a minute each, no incident', firing: 0, isGate: true },
  { name: '500 with an open incident', firing: 500, isGate: true },
  { name: 'all with an open incident', firing: SERIES, isGate: false }
]

export function benchAlerting(only?: number): Finding[] {
  return (only === undefined ? CASES : CASES.slice(only, only + 1)).flatMap(benchCase)
}

function benchCase({ name, firing, isGate }: Case): Finding[] {
  collectGarbage()
  const before = heldBytes()
  const alerting = openAlerting({ profile: 'normal', idOf: (ms, upstream, cause) => `inc-${ms}-${upstream}-${cause}` })
  let minute = 0
  for (; minute < WARM_UP_MINUTES; minute += 1) pass(alerting, minute, 0)
  const times: number[] = []
  let opened = 0
  for (; minute < WARM_UP_MINUTES + MINUTES; minute += 1) {
    const started = process.cpuUsage()
    opened = Math.max(opened, pass(alerting, minute, firing))
    times.push(cpuMs(started))
  }
  collectGarbage()
  const bytes = heldBytes() - before
  if (alerting.facts.series !== SERIES) throw new Error(`${alerting.facts.series} series are kept`)
  if (opened !== firing) throw new Error(`${opened} of ${firing} series have an incident`)
  // Garbage is collected whenever it is, so what the sightings alone cost is measured by itself and taken off.
  const made = process.cpuUsage()
  for (let at = minute; at < minute + MINUTES; at += 1) eachSighting(at, firing, () => {})
  const making = cpuMs(made) / MINUTES
  const perMinute = times.reduce((sum, ms) => sum + ms, 0) / MINUTES - making
  const question = `facade, ${SERIES} series, ${name}`
  return [
    {
      question: `${question}: memory`,
      figure: `${(bytes / 1024 / 1024).toFixed(1)} MiB`,
      gate: isGate ? `<= ${BYTES_MAX / 1024 / 1024}.0 MiB` : '',
      passes: isGate ? bytes <= BYTES_MAX : null
    },
    {
      question: `${question}: cpu of a minute, mean of ${MINUTES}, and the highest`,
      figure: `${perMinute.toFixed(1)} and ${(Math.max(...times) - making).toFixed(1)} ms`,
      gate: isGate ? `<= ${MINUTE_MS_MAX} ms` : '',
      passes: isGate ? perMinute <= MINUTE_MS_MAX : null
    }
  ]
}

/** How many incidents changed. */
function pass(alerting: Alerting, minute: number, firing: number): number {
  for (let i = 0; i < SERVICES; i += 1) alerting.addRequests(upstreamOf(i), BEGIN_MS + minute * MINUTE_MS, 1_000)
  eachSighting(minute, firing, sighting => alerting.add(sighting))
  const { changed } = alerting.advance(BEGIN_MS + (minute + 1) * MINUTE_MS)
  // Receivers ask for them every minute.
  if (alerting.groups.length > SERIES) throw new Error('more groups than series')
  return changed.length
}

function eachSighting(minute: number, firing: number, visit: (sighting: Sighting) => void): void {
  for (let service = 0; service < SERVICES; service += 1) {
    const rootCause = service % 2 === 0 ? null : rootCauseOf(service)
    for (let i = 0; i < CAUSES_A_SERVICE; i += 1) {
      const failures = i * SERVICES + service < firing ? SPIKE_FAILURES : QUIET_FAILURES
      for (let at = 0; at < failures; at += 1) visit(sightingOf(minute, service, i, at, rootCause))
    }
  }
}

function sightingOf(
  minute: number,
  service: number,
  cause: number,
  at: number,
  rootCause: SightedRootCause | null
): Sighting {
  const name = `service${service}`
  const pod = (minute + at) % PODS
  return {
    timeMs: BEGIN_MS + minute * MINUTE_MS + Math.floor((at * MINUTE_MS) / SPIKE_FAILURES),
    upstream: upstreamOf(service),
    service: `shop/${name}`,
    namespace: 'shop',
    ingress: `${name}-ingress`,
    cause: CAUSES[cause]!,
    status: 502 + (at % 2),
    masked: false,
    counted: true,
    method: 'GET',
    host: `${name}.shop.example.com`,
    path: cutFromLine(`/api/orders/${minute}/${service}/${cause}/${at}/lines`),
    address: `10.${service % 200}.${Math.floor(service / 200)}.${pod + 7}:8080`,
    pod: `${name}-7d4b9c6f5-${pod}`,
    node: `worker-${(service + pod) % NODES}`,
    controllerPod: `ingress-nginx/controller-${(minute + at) % CONTROLLERS}`,
    rootCause,
    id: () => `Zy4aQ1hTz0${minute}-${service}-${cause}-${at}`
  }
}

/** A text that was cut out of a line keeps all of it. */
function cutFromLine(text: string): string {
  return Buffer.from(text.padEnd(LINE_BYTES)).toString('latin1').slice(0, text.length)
}

function upstreamOf(service: number): string {
  return `shop-service${service}-80`
}

function rootCauseOf(service: number): SightedRootCause {
  const pod = `shop/service${service}-7d4b9c6f5-0`
  return {
    kind: 'oom_killed',
    variant: null,
    ref: `Pod ${pod}`,
    atMs: BEGIN_MS,
    confidence: 0.93,
    sentence: `${pod} was OOM-killed at 00:00:00 (limit 256Mi)`,
    evidence: [
      { cite: `Pod ${pod} status.phase=Running`, text: 'the last state of container app is OOMKilled' },
      { cite: `Pod ${pod} status.containerStatuses`, text: 'container app was restarted 3 times' }
    ],
    advice: 'Raise the memory limit, or find what fills it.'
  }
}
