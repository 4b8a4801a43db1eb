/** Cases are written by hand: a case that says something impossible would test nothing. */

import { describe, expect, test } from 'vitest'
import { allCases } from './support/allCases.ts'
import type { DiagnosisCase } from './support/caseBuilder.ts'
import { parsePattern } from './support/citation.ts'

const CASES = await allCases()

test('ids are used once', () => {
  const ids = CASES.map(one => one.id)
  expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([])
})

describe.each(CASES.map(one => [one.id, one] as const))('%s', (_id, one) => {
  test('nothing in it is later than what was read', () => {
    const limit = Date.parse(one.now)
    expect(Date.parse(one.failure.time)).toBeLessThanOrEqual(limit)
    const seen = (one.watch ?? []).map(entry => Date.parse(entry.at))
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
    expect(seen.every(at => at <= limit)).toBe(true)
    const created = one.objects.map(object => Date.parse(object.metadata.creationTimestamp ?? ''))
    expect(created.every(at => at <= limit)).toBe(true)
  })

  test('an object is there once, and its owner is known by its uid', () => {
    const names = one.objects.map(object => `${object.kind} ${object.metadata.namespace}/${object.metadata.name}`)
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
    const uids = new Set(everything(one).map(object => object.metadata.uid))
    const orphans = one.objects.filter(object => object.metadata.ownerReferences?.some(owner => !uids.has(owner.uid)))
    expect(orphans.map(object => object.metadata.name)).toEqual([])
  })

  test('what must be cited is in it', () => {
    const known = new Set(everything(one).map(object => nameOf(object)))
    const patterns = (one.expect.must_cite ?? []).map(parsePattern)
    const unknown = patterns.filter(({ object, path }) => {
      const about = object.replace(/^Event /, '')
      return known.has(about) === (path[0]?.text === 'absent')
    })
    expect(unknown).toEqual([])
    expect(one.expect.must_not ?? []).not.toContain(one.expect.root_cause)
  })
})

function everything(one: DiagnosisCase) {
  return [...one.objects, ...(one.watch ?? []).map(entry => entry.object)]
}

function nameOf(object: { kind: string; metadata: { namespace?: string; name: string } }): string {
  const { namespace, name } = object.metadata
  return `${object.kind} ${namespace === undefined ? name : `${namespace}/${name}`}`
}
