/** What the load generator knows that it has done. */
import type { LabRequest } from '../../services/labRequest.ts'
import type { WayControllers } from './wayControllers.ts'

export interface MadeFaults {
  /** Requests that got an access line. */
  requests: number
  /** Of these, answered with 5xx, 000 or 009. */
  failed: number
  /** Requests, with or without an access line, of which there must be a document. */
  failing: number
  /** By kind of fault. */
  madeOf: ReadonlyMap<string, number>
  /** Requests by the upstream name of a story, those of before among them. */
  requestsOf: ReadonlyMap<string, number>
}

export function madeFaults({ all, past, stories }: WayControllers): MadeFaults {
  const before = [...past.values()].reduce((sum, count) => sum + count)
  const madeOf = new Map<string, number>()
  for (const { kind } of all) madeOf.set(kind, (madeOf.get(kind) ?? 0) + 1)
  return {
    requests: before + all.filter(({ status }) => status !== null).length,
    failed: all.filter(isFailed).length,
    failing: all.filter(({ causes }) => causes.length > 0).length,
    madeOf,
    requestsOf: new Map(
      stories.map(({ kind, upstreamName }) => [upstreamName, (madeOf.get(kind) ?? 0) + (past.get(upstreamName) ?? 0)])
    )
  }
}

/** Of requests that may have one of several statuses, all count or none does. */
function isFailed({ status, kind }: LabRequest): boolean {
  const each = [status ?? []].flat().map(one => one >= 500 || one === 9 || one === 0)
  if (new Set(each).size > 1) throw new Error(`${kind}: whether it counts as failed is not known`)
  return each[0] === true
}
