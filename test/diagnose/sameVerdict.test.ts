/** What must not change a verdict: the order of objects, what happens elsewhere, the date. */

import { describe, expect, test } from 'vitest'
import { someOf } from '../support/seed.ts'
import { allCases } from './support/allCases.ts'
import { type DiagnosisCase, shopCase } from './support/caseBuilder.ts'
import { caseVerdict } from './support/caseVerdict.ts'
import { numberOf } from './support/identity.ts'
import { shifted } from './support/moment.ts'
import type { AnyObject } from './support/objectTypes.ts'

const CASES = someOf(await allCases()).map(one => [one.id, one] as const)

const ELSEWHERE = { namespace: 'elsewhere', app: 'elsewhere-web' }

/** Everything goes wrong in another namespace at the same time. */
const TROUBLE = shopCase(
  'trouble',
  'another team has its own trouble',
  shop => {
    const [first, second, third] = shop.pods
    shop.restarts(first, { reason: 'OOMKilled', exitCode: 137, at: -2, up: 1, ready: 12 })
    shop.waitsFor([second!], 'ImagePullBackOff', 'manifest unknown')
    shop.deletes(third!, -3)
    shop.addEvent(shop.replicaSet!, 'FailedCreate', 'Error creating: exceeded quota: team', { first: -500, last: 2 })
    shop.fails('no_endpoints', null)
    return { root_cause: 'oom_killed' }
  },
  { ...ELSEWHERE, replicas: 3, isWhole: false }
)

/** The trouble, at the time of a case and with addresses that no case has. */
function troubleAt(one: DiagnosisCase): AnyObject[] {
  const text = JSON.stringify(shifted(TROUBLE, Date.parse(one.failure.time) - Date.parse(TROUBLE.failure.time)).objects)
  return JSON.parse(text.replaceAll('"10.244.', '"10.77.').replaceAll('"10.96.', '"10.97.')) as AnyObject[]
}

function shuffled<T>(items: readonly T[], seed: string): T[] {
  const keyed = items.map((item, i) => ({ item, key: numberOf(`${seed}/${i}`) }))
  return keyed.sort((one, other) => one.key - other.key).map(({ item }) => item)
}

describe.each(CASES)('%s', (id, one) => {
  const verdict = caseVerdict(one)

  // Where a kind cannot be read there is no trouble of it to see.
  const elsewhere = 'unreadable' in one ? [] : troubleAt(one)
  test('in another order, and beside trouble elsewhere', () => {
    expect(caseVerdict({ ...one, objects: shuffled([...elsewhere, ...one.objects], id) })).toEqual(verdict)
  })

  // The dates of a certificate are its own.
  test.skipIf(JSON.stringify(one).includes('"tls.crt"'))('on another day', () => {
    const days = 101 * 86_400_000
    expect(shifted(caseVerdict(shifted(one, days + 3_661_000)), -days - 3_661_000)).toEqual(shifted(verdict, 0))
  })
})
