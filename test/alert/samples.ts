/** Sightings, findings and incidents of `shop/cart`, of which tests say what is different. Minutes are counted from `NOON`. */

import type { Detector } from '../../src/alert/alerting.ts'
import { type Finding, type IncidentCause, type JudgedWindow, MINUTE_MS } from '../../src/alert/finding.ts'
import type { Incident } from '../../src/alert/incident.ts'
import type { SightedRootCause, Sighting } from '../../src/alert/sighting.ts'
import { unknown } from '../support/incidents.ts'

/** 2026-11-21T10:00:00Z, as a minute since the epoch. */
export const NOON = Date.UTC(2026, 10, 21, 10) / MINUTE_MS

export function atMs(minute: number, second = 0): number {
  return (NOON + minute) * MINUTE_MS + second * 1_000
}

export const OOM: SightedRootCause = {
  kind: 'oom_killed',
  variant: null,
  ref: 'Pod shop/cart-1',
  atMs: atMs(2),
  confidence: 0.93,
  sentence: 'shop/cart-1 was OOM-killed at 10:02:00 (limit 256Mi)',
  evidence: [{ cite: 'Pod shop/cart-1 status.phase=Running', text: 'the last state of container app is OOMKilled' }],
  advice: 'Raise the memory limit, or find what fills it.'
}

export const UNDETERMINED: SightedRootCause = {
  ...OOM,
  kind: 'undetermined',
  ref: null,
  atMs: null,
  confidence: 0,
  sentence: 'the state of the cluster tells no reason',
  evidence: [],
  advice: null
}

export function sighting(changes: Partial<Omit<Sighting, 'id'>> & { id?: string } = {}): Sighting {
  const { id = 'id', ...fields } = changes
  return {
    timeMs: atMs(0),
    upstream: 'shop-cart-80',
    service: 'shop/cart',
    namespace: 'shop',
    ingress: 'cart',
    cause: 'connection_refused',
    status: 502,
    masked: false,
    counted: true,
    method: 'GET',
    host: 'shop.example.com',
    path: '/cart',
    address: '10.0.0.7:8080',
    pod: 'cart-1',
    node: 'worker-1',
    controllerPod: 'ingress-nginx/a',
    rootCause: null,
    ...fields,
    id: () => id
  }
}

export function windowOf(minutes: JudgedWindow['minutes'], failures: number, changes: Partial<JudgedWindow> = {}) {
  return { minutes, failures, requests: 1_000 * minutes, expected: 0.2 * minutes, spread: 1, pValue: 1e-9, ...changes }
}

/** `minute` and `start` are counted from `NOON`. */
export function finding(
  kind: Finding['kind'],
  minute: number,
  changes: Partial<Omit<Finding, 'minute' | 'startMinute'>> & { start?: number } = {}
): Finding {
  const { start = minute, ...fields } = changes
  return {
    kind,
    upstream: 'shop-cart-80',
    cause: 'connection_refused',
    minute: NOON + minute,
    startMinute: NOON + start,
    failures: 0,
    requests: 1_000,
    windows: [windowOf(5, 41), windowOf(1, 10, { pValue: 1e-5 }), windowOf(15, 41, { pValue: 1e-7 })],
    because: kind === 'resolved' ? 'quiet' : null,
    ...fields
  }
}

/** Finds what it was told to find. */
export class ScriptedDetector implements Detector {
  readonly facts = { services: 0, series: 0, dropped: 0, late: 0 }
  readonly adopted: [string, IncidentCause, number][] = []
  readonly #findings: Finding[]

  constructor(findings: Finding[]) {
    this.#findings = findings
  }

  addRequests(): void {}

  addFailures(): void {}

  advance(untilMinute: number): Finding[] {
    return this.#findings.splice(0, this.#findings.filter(({ minute }) => minute < untilMinute).length)
  }

  adopt(upstream: string, cause: IncidentCause, startMinute: number): void {
    this.adopted.push([upstream, cause, startMinute - NOON])
  }
}

export function idOf(openedMs: number, upstream: string, cause: string): string {
  return `inc-${new Date(openedMs).toISOString().slice(11, 16)}-${upstream}-${cause}`
}

export function incident(changes: Partial<Incident> = {}): Incident {
  const { upstream = 'shop-cart-80', cause = 'connection_refused', detectedMs = atMs(4) } = changes
  const windows = [windowOf(5, 41, { expected: 1.2, requests: 6_010, spread: 1.8, pValue: 3e-44 })]
  return {
    ...unknown(),
    id: idOf(detectedMs, upstream, cause),
    parent: null,
    state: 'open',
    severity: 'page',
    upstream,
    service: 'shop/cart',
    namespace: 'shop',
    ingress: 'cart',
    cause,
    startMs: atMs(2),
    detectedMs,
    updatedMs: atMs(4),
    endMs: null,
    failures: 41,
    requests: 2_000,
    peakPerMinute: 30,
    expected: 0.4,
    pValue: 3e-44,
    windows,
    lately: windows,
    status: 502,
    firstId: 'first',
    lastId: 'last',
    ...changes
  }
}
