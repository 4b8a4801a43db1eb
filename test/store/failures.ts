/** Failures, totals and streams as the engine would give them, for tests of stores. */
import type { Cause } from '../../parsers/causes.ts'
import { START } from '../../src/checkpoint.ts'
import type { StreamState } from '../../src/source/source.ts'
import type { StoredDocument } from '../../src/store/document.ts'
import type { Batch, StoredReject, StoreFilter, TotalsRow } from '../../src/store/store.ts'

export const DAY_MS = 86_400_000
export const MINUTE_MS = 60_000
/** 2026-11-21T10:00:00Z. */
export const NOON = Date.UTC(2026, 10, 21, 10)

export const EVERYTHING: StoreFilter = {
  fromMs: Number.NEGATIVE_INFINITY,
  toMs: Number.POSITIVE_INFINITY,
  services: [],
  causes: [],
  pods: [],
  statuses: []
}

export interface Given {
  id: string
  version?: number
  timeMs?: number
  cause?: Cause
  upstream?: string
  service?: string
  status?: number
  masked?: boolean
  pod?: string
  address?: string
  path?: string
  message?: string
}

export function failure(given: Given): StoredDocument {
  const timeMs = given.timeMs ?? NOON
  const upstream = given.upstream ?? 'shop-cart-80'
  return {
    id: given.id,
    version: given.version ?? 8,
    timeMs,
    document: {
      '@timestamp': new Date(timeMs).toISOString(),
      event: { id: given.id },
      message: given.message ?? 'it failed',
      http: { request: { method: 'GET' }, response: { status_code: given.status ?? 502 } },
      url: { domain: 'shop.example.com', path: given.path ?? '/cart' },
      source: { address: '203.0.113.9' },
      service: { name: given.service ?? upstream },
      ...(given.pod !== undefined && { kubernetes: { pod: { name: given.pod } } }),
      error: { message: 'connect() failed' },
      why5xx: {
        cause: given.cause ?? 'connection_refused',
        confidence: 0.97,
        ...(given.masked && { masked: true }),
        upstream: { name: upstream, address: given.address ?? '10.2.3.14:8080' }
      }
    }
  }
}

export function controller(
  id: string,
  timeMs: number,
  kind = 'reload',
  message = 'Backend successfully reloaded'
): StoredDocument {
  return {
    id,
    version: 1,
    timeMs,
    document: {
      event: { id, action: kind },
      message,
      log: { level: 'info' },
      why5xx: { controller: { pod: { name: 'ingress-1' } } }
    }
  }
}

export function reject(id: string, timeMs: number, code: string, raw = 'bytes \xff\n of it'): StoredReject {
  return {
    id,
    version: 1,
    timeMs,
    raw,
    position: { file: 'log', line: 1 },
    document: { event: { id }, error: { code } }
  }
}

export function totals(given: Partial<TotalsRow> & { minuteMs: number }): TotalsRow {
  return {
    upstream: 'shop-cart-80',
    container: 'prod/ingress-nginx/ingress-1/controller',
    stream: 'stream-1',
    requests: 100,
    failures: 3,
    masked: 2,
    clientClosed: 1,
    status500: 0,
    status502: 2,
    status503: 1,
    status504: 0,
    durationMsSum: 1234.5,
    ...given
  }
}

export function stream(name: string, readTo: number, isDone = false): StreamState {
  return {
    stream: name,
    place: { path: `/var/log/${name}`, inode: 7, heads: ['a', null] },
    read: { ...START, readTo, from: readTo, held: [1, 2], zoneMs: 0, newestMs: NOON },
    isDone
  }
}

export function batch(given: Partial<Batch>): Batch {
  return { failures: [], controllers: [], rejects: [], gaps: [], totals: [], streams: [], engine: null, ...given }
}

export async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const row of rows) found.push(row)
  return found
}
