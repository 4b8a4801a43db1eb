/** Lists: one unit in pages, or everything at once as events. */

import { setTimeout as delay } from 'node:timers/promises'
import { ApiError, type Connection, getJson } from './apiRequest.ts'
import type { ClusterEvent, ListEvent } from './event.ts'
import type { Kind, KubeObject } from './objects.ts'
import { apiOf, pathOf } from './resources.ts'
import { listedKinds, type Selection, scopeKind, type Unit, unitsOf, unreadableBecause } from './units.ts'

/** What is kept of an object; null: nothing of it can be used. */
export type Keep = (object: unknown) => KubeObject | null

/** Where a list goes, page by page: a whole one need not fit into memory as objects. */
export interface Collector {
  /** It begins again. */
  clear(): void
  put(object: KubeObject): unknown
}

export interface UnitRequest {
  connection: Connection
  unit: Unit
  keep: Keep
  into: Collector
  signal: AbortSignal | undefined
}

const PAGE = 500
/** How often a list is begun again because it took longer than the server remembers (usually 5 min). */
const EXPIRED_MAX = 5
const SILENT_MS = 60_000
/** Lists under way at once: the server counts them against its limits. */
const AT_ONCE = 4
const TRIES_MAX = 3
const RETRY_MS = 500

export interface ListOptions extends Selection {
  keep: Keep
  /** When it is, Unix ms. */
  now: () => number
  /** `namespaces` alone, also when more may be listed. */
  isNarrow?: boolean
  /** Between tries, ms; default: waits. */
  wait?: (ms: number) => Promise<void>
  signal?: AbortSignal
}

/**
 * Everything that may be read, as a list between its marks. What may not is in `unreadable`. Throws Why5xxError
 * `WHY5XX_KUBERNETES` when nobody answers, nobody knows us (401), or nothing at all may be read.
 */
export async function listKinds(connection: Connection, options: ListOptions): Promise<ClusterEvent[]> {
  const { keep, signal } = options
  const wait = options.wait ?? (ms => delay(ms, undefined, signal ? { signal } : {}))
  const at = options.now()
  const namespaces = options.isNarrow
    ? (options.namespaces ?? [])
    : await listableNamespaces(connection, options, signal)
  const units = unitsOf(options, namespaces)
  const waiting = [...units]
  const listed = new Map<Unit, KubeObject[]>()
  const unreadable = new Map<Kind, string>()
  let refusal: ApiError | null = null
  const work = async () => {
    for (let unit = waiting.shift(); unit !== undefined; unit = waiting.shift()) {
      try {
        const objects: KubeObject[] = []
        const into = { clear: () => objects.splice(0), put: (object: KubeObject) => objects.push(object) }
        await patiently(() => listUnit({ connection, unit: unit!, keep, into, signal }), wait)
        listed.set(unit, objects)
      } catch (error) {
        if (!(error instanceof ApiError) || error.status === 401) throw error
        refusal = error
        unreadable.set(unit.kind, unreadableBecause(unit, error) ?? error.said)
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  if (listed.size === 0 && refusal !== null) throw refusal
  // In the order in which they were asked for, whoever answered first.
  const whole = units.filter(unit => listed.has(unit))
  const list: Omit<ListEvent, 'type'> = {
    at,
    kinds: listedKinds(whole).filter(kind => !unreadable.has(kind)),
    unreadable: Object.fromEntries(unreadable),
    namespaces: namespaces && [...namespaces]
  }
  return [
    { type: 'LIST_START', ...list },
    ...whole.flatMap(unit => listed.get(unit)!).map(object => ({ at, type: 'ADDED' as const, object })),
    { type: 'LIST_END', ...list }
  ]
}

/** null: everything may be listed everywhere, or no namespaces are given; else those that are. */
export async function listableNamespaces(
  connection: Connection,
  selection: Selection,
  signal?: AbortSignal
): Promise<readonly string[] | null> {
  const kind = scopeKind(selection)
  if (!selection.namespaces || selection.namespaces.length === 0 || kind === null) return null
  try {
    await getJson(connection, pathOf(kind, null), { limit: 1 }, { silentMs: SILENT_MS, signal })
    return null
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return selection.namespaces
    throw error
  }
}

/**
 * All objects of a unit; gives the version from which a watch goes on. Throws ApiError. One object that was named and is not
 * there is an empty list.
 */
export async function listUnit(request: UnitRequest): Promise<string> {
  for (let begun = 1; ; begun++) {
    request.into.clear()
    try {
      return await (request.unit.kind === 'Secret' ? getNamed(request) : listPages(request))
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 410 || begun === EXPIRED_MAX) throw error
    }
  }
}

/** Parameters that pick the object of a unit with a name: the role may be for that name alone. */
export function selectorOf(unit: Unit): Record<string, string> {
  return unit.name === null ? {} : { fieldSelector: `metadata.name=${unit.name}` }
}

async function listPages({ connection, unit, keep, into, signal }: UnitRequest): Promise<string> {
  const path = pathOf(unit.kind, unit.namespace)
  let next: string | undefined
  for (;;) {
    const parameters = { ...selectorOf(unit), limit: PAGE, continue: next }
    const page = (await getJson(connection, path, parameters, { silentMs: SILENT_MS, signal })) as {
      items?: unknown
      metadata?: { continue?: unknown; resourceVersion?: unknown } | null
    }
    if (!Array.isArray(page.items)) throw new ApiError(connection, `the answer to ${path} is no list`, null)
    for (const item of page.items as unknown[]) {
      const object = keep(withKind(item, unit.kind))
      if (object !== null) into.put(object)
    }
    const { continue: more, resourceVersion } = page.metadata ?? {}
    if (typeof more !== 'string' || more === '') return typeof resourceVersion === 'string' ? resourceVersion : ''
    if (more === next) throw new ApiError(connection, `the list of ${path} goes round in a circle`, null)
    next = more
  }
}

/** `get` alone: the role for Secrets allows no more. */
async function getNamed({ connection, unit, keep, into, signal }: UnitRequest): Promise<string> {
  const path = `${pathOf(unit.kind, unit.namespace)}/${encodeURIComponent(unit.name ?? '')}`
  try {
    const object = keep(withKind(await getJson(connection, path, {}, { silentMs: SILENT_MS, signal }), unit.kind))
    if (object !== null) into.put(object)
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error
  }
  return ''
}

/** Items of a list do not say what they are. */
function withKind(item: unknown, kind: Kind): unknown {
  if (typeof item !== 'object' || item === null) return item
  return { ...item, kind, apiVersion: apiOf(kind).replace(/^\/apis?\//, '') }
}

/** Once more for a cut answer, a server that is busy, or one that is just starting. */
export async function patiently<T>(ask: () => Promise<T>, wait: (ms: number) => Promise<void>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask()
    } catch (error) {
      const isPassing =
        error instanceof ApiError && (error.status === null || error.status === 429 || error.status >= 500)
      if (!isPassing || tries === TRIES_MAX) throw error
      await wait(error.retryAfterMs ?? RETRY_MS * tries)
    }
  }
}
