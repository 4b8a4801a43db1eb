import '../support/seed.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Diagnosis } from '../../src/diagnose/diagnosis.ts'
import { DIAGNOSIS_FIELDS } from '../../src/store/diagnosisFields.ts'
import { diagnosisOfDocument } from '../../src/store/diagnosisOfDocument.ts'
import type { FailureDocument } from '../../src/store/document.ts'
import { diagnosedCases, judged, sampleCases } from '../diagnose/support/judged.ts'

/** The fields that a diagnosis gives to a document, as a store keeps them. */
function documentOf(diagnosis: Diagnosis): FailureDocument {
  const document: FailureDocument = {}
  const facts = {
    judgement: { isKnown: true, diagnosis },
    diagnosis,
    logged: { namespace: null, service: null, ingress: null },
    upstreamName: null,
    labels: []
  }
  for (const { path, value } of DIAGNOSIS_FIELDS) {
    const stored = value(facts)
    if (stored === null || stored === undefined) continue
    const keys = path.split('.')
    let inner = document
    for (const key of keys.slice(0, -1)) inner = (inner[key] ??= {}) as FailureDocument
    inner[keys.at(-1)!] = stored
  }
  return JSON.parse(JSON.stringify(document))
}

/** Labels of pods and the controller's names stand elsewhere in a document, or nowhere. */
function asStored({ names, ...rest }: Diagnosis): Diagnosis {
  const podIp = names.pod === null ? null : names.podIp
  return { ...rest, names: { ...names, podIp, labels: {}, controllerNamespace: null, controllerPod: null } }
}

const CASES = await diagnosedCases()

test('what a document was built from comes back', () => {
  expect(CASES.length).toBeGreaterThan(100)
  for (const one of CASES) {
    const { diagnosis } = judged(one)
    expect(diagnosisOfDocument(documentOf(diagnosis)), one.id).toEqual(asStored(diagnosis))
  }
})

describe('a document that others wrote', () => {
  const one = documentOf(judged(sampleCases()[0]!).diagnosis)

  test.each([
    ['nothing', {}],
    ['no object', { why5xx: 'x' }],
    ['a root cause of another version', { why5xx: { root_cause: { kind: 'gremlins' } } }]
  ])('%s has no diagnosis', (_name, document) => {
    expect(diagnosisOfDocument(document)).toBeNull()
  })

  test('the controller is the one that wrote the lines', () => {
    const why5xx = { ...(one.why5xx as object), controller: { namespace: 'edge', pod: { name: 'c-1' } } }
    expect(diagnosisOfDocument({ ...one, why5xx })?.names).toMatchObject({
      controllerNamespace: 'edge',
      controllerPod: 'c-1'
    })
  })

  test('any value anywhere is left out, and nothing throws', () => {
    const stored = (one.why5xx as { root_cause: Record<string, unknown> }).root_cause
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(stored)), fc.jsonValue(), (key, value) => {
        const read = diagnosisOfDocument({ why5xx: { root_cause: { ...stored, [key]: value } } })
        if (key !== 'kind') expect(read?.rootCause).toBe('oom_killed')
        expect(read?.evidence.every(({ cite }) => typeof cite === 'string') ?? true).toBe(true)
      })
    )
  })
})
