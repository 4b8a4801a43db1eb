/** A document that a store refused, from what was kept of it. */

import type { FailureDocument, StoredDocument } from './document.ts'
import { knowledge, RULES_VERSION } from './identity.ts'

/** What a text of the reject topic holds. */
export interface RefusedDocument {
  kind: 'failure' | 'controller'
  stored: StoredDocument
}

/** With the version that it had: it must not replace a better judgement. null: the text is no document of ours. */
export function refusedDocument(json: string): RefusedDocument | null {
  const document = objectOf(json)
  const { event, why5xx } = document as { event?: { id?: unknown; dataset?: unknown }; why5xx?: Judgement }
  const timeMs = Date.parse(String(document['@timestamp']))
  const kind = DATASETS.get(event?.dataset)
  const rules = why5xx?.rule?.version ?? RULES_VERSION
  if (kind === undefined || typeof event?.id !== 'string' || Number.isNaN(timeMs)) return null
  if (!Number.isSafeInteger(rules)) return null
  const joined = (why5xx?.join?.error_lines ?? 0) > 0
  const judged = knowledge({ settled: false, clusterKnown: false, joined }, rules)
  const version = event?.dataset === 'why5xx.gap' ? 1 : kind === 'controller' ? rules : judged
  return { kind, stored: { id: event.id, version, timeMs, document } }
}

const DATASETS = new Map<unknown, RefusedDocument['kind']>([
  ['why5xx.failure', 'failure'],
  ['why5xx.controller', 'controller'],
  // Gaps lie with the controller lines.
  ['why5xx.gap', 'controller']
])

interface Judgement {
  rule?: { version?: number }
  join?: { error_lines?: number }
}

function objectOf(json: string): FailureDocument {
  try {
    const value = JSON.parse(json) as unknown
    return typeof value === 'object' && value !== null ? (value as FailureDocument) : {}
  } catch {
    return {}
  }
}
