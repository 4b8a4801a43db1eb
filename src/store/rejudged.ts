/** A stored failure that is judged again: the same document with what the state of the cluster says now. */

import { inputOfDocument, valueAt } from '../failureInput.ts'
import type { ClusterJudgement } from '../model.ts'
import { DIAGNOSIS_FIELDS, type JudgedFacts } from './diagnosisFields.ts'
import type { FailureDocument, StoredDocument } from './document.ts'
import { knowledge } from './identity.ts'

/** null: the judgement says what the document says already. */
export function rejudged(
  document: FailureDocument,
  judgement: ClusterJudgement,
  labels: readonly string[]
): StoredDocument | null {
  const { namespace, service, ingress } = inputOfDocument(document)
  const facts: JudgedFacts = {
    judgement,
    diagnosis: judgement.diagnosis,
    logged: { namespace, service, ingress },
    upstreamName: (valueAt(document, 'why5xx.upstream.name') as string | undefined) ?? null,
    labels
  }
  const changed = structuredClone(document)
  let isSame = true
  for (const { path, value } of DIAGNOSIS_FIELDS) {
    const content = value(facts)
    const isAbsent = content === null || content === undefined || (Array.isArray(content) && content.length === 0)
    const now = isAbsent ? undefined : (JSON.parse(JSON.stringify(content)) as unknown)
    if (JSON.stringify(now) === JSON.stringify(valueAt(document, path))) continue
    isSame = false
    setAt(changed, path.split('.'), now)
  }
  if (isSame) return null
  const { id } = document.event as { id: string }
  return {
    id,
    version: knowledge(
      {
        settled: true,
        clusterKnown: judgement.isKnown,
        joined: ((valueAt(document, 'why5xx.join.error_lines') as number | undefined) ?? 0) > 0
      },
      valueAt(document, 'why5xx.rule.version') as number
    ),
    timeMs: Date.parse(document['@timestamp'] as string),
    document: changed
  }
}

/** Sets a field of nested JSON; undefined takes it out, with the objects that hold nothing else. */
function setAt(target: Record<string, unknown>, [first, ...rest]: readonly string[], value: unknown): void {
  if (first === undefined) return
  if (rest.length === 0) {
    if (value === undefined) delete target[first]
    else target[first] = value
    return
  }
  if (target[first] === undefined && value === undefined) return
  const inner = (target[first] ??= {}) as Record<string, unknown>
  setAt(inner, rest, value)
  if (Object.keys(inner).length === 0) delete target[first]
}
