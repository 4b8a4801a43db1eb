/** Cases are written by hand: a case that says something impossible would test nothing. */

import { describe, expect, test } from 'vitest'
import { allCases } from './support/allCases.ts'
import type { DiagnosisCase } from './support/caseBuilder.ts'
import { parsePattern } from './support/citation.ts'
import type { AnyObject } from './support/objectTypes.ts'

const CASES = await allCases()

test('ids are used once', () => {
  const ids = CASES.map(one => one.id)
  expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([])
})

describe.each(CASES.map(one => [one.id, one] as const))('%s', (_id, one) => {
  test('nothing in it is later than the moment it was read', () => {
    const limit = Date.parse(one.now)
    expect(Date.parse(one.failure.time)).toBeLessThanOrEqual(limit)
    const seen = (one.watch ?? []).map(entry => Date.parse(entry.at))
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
    expect(seen.every(at => at <= limit)).toBe(true)
    // Only the end of a grace period is told in advance.
    const text = JSON.stringify(everything(one)).replaceAll(/"deletionTimestamp":"[^"]*"/g, '')
    const times = text.match(/20\d\d-\d\d-\d\dT[\d:]+Z/g) ?? []
    expect(times.filter(at => Date.parse(at) > limit)).toEqual([])
  })

  test('an object is there once, and its owner is known by its uid', () => {
    const names = one.objects.map(object => `${object.kind} ${object.metadata.namespace}/${object.metadata.name}`)
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
    const uids = new Set(everything(one).map(object => object.metadata.uid))
    const orphans = one.objects.filter(object => object.metadata.ownerReferences?.some(owner => !uids.has(owner.uid)))
    expect(orphans.map(object => object.metadata.name)).toEqual([])
  })

  test('no event is older than what it is about', () => {
    const born = new Map(everything(one).map(({ metadata }) => [metadata.uid, metadata.creationTimestamp ?? '']))
    const events = one.objects.filter(object => object.kind === 'Event') as (AnyObject & {
      involvedObject: { uid: string }
    })[]
    const early = events.filter(
      event => (event.metadata.creationTimestamp ?? '') < (born.get(event.involvedObject.uid) ?? '')
    )
    expect(early.map(event => event.metadata.name)).toEqual([])
  })

  test('what must be cited is in it', () => {
    const present = new Set(one.objects.map(nameOf))
    const known = new Set(everything(one).map(nameOf))
    const patterns = (one.expect.must_cite ?? []).map(parsePattern)
    const unknown = patterns.filter(({ object, path }) => {
      const about = object.replace(/^Event /, '')
      return path[0]?.text === 'absent' ? present.has(about) : !known.has(about)
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
