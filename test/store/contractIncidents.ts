/** What a store does with incidents: versions, filters, order, and nothing lost on the way. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Incident } from '../../src/alert/incident.ts'
import type { IncidentFilter } from '../../src/store/store.ts'
import '../support/seed.ts'
import { anyIncident, BEGIN, EVERY_INCIDENT, incident, MINUTE_MS } from '../support/incidents.ts'
import type { Contract } from './contract.ts'

export function testIncidents({ putIncidents, open, write }: Contract): void {
  const found = async (filter: Partial<IncidentFilter> = {}): Promise<Incident[]> =>
    (await open()).incidents({ ...EVERY_INCIDENT, ...filter })

  test('no incident is there at first', async () => {
    await write(async () => {})
    expect(await found()).toEqual([])
    expect(await found({ fromMs: BEGIN, toMs: BEGIN + 1, services: ['a/b'], causes: ['x'], state: 'open' })).toEqual([])
  })

  test('the newest version of an incident stays, whoever comes last', async () => {
    const at = (minutes: number, failures: number): Incident =>
      incident({ updatedMs: BEGIN + minutes * MINUTE_MS, failures })
    await putIncidents([at(3, 30)], [at(5, 50), at(4, 40)], [at(2, 20)])
    expect(await found()).toEqual([at(5, 50)])
    const end = incident({ endMs: BEGIN + 9 * MINUTE_MS, failures: 60 })
    await putIncidents([end, at(8, 55)])
    expect(await found()).toEqual([end])
    expect(await found({ state: 'open' })).toEqual([])
  })

  test('of equal versions the last one stays: it may know who was told', async () => {
    const told = incident({ told: { slack: { state: 'open', atMs: BEGIN, failures: 41 } } })
    await putIncidents([incident({ told: {} })], [told])
    expect(await found()).toEqual([told])
  })

  test('open ones first, then the newest by their start', async () => {
    const given = [
      incident({ id: 'a', startMs: BEGIN, endMs: BEGIN + MINUTE_MS }),
      incident({ id: 'b', startMs: BEGIN + 1 }),
      incident({ id: 'c', startMs: BEGIN + 2, endMs: BEGIN + MINUTE_MS }),
      incident({ id: 'd', startMs: BEGIN + 3 })
    ]
    await putIncidents(given)
    expect((await found()).map(({ id }) => id)).toEqual(['d', 'b', 'c', 'a'])
  })

  test('filters', async () => {
    const open = incident({ id: 'open' })
    const timeout = incident({
      id: 'timeout',
      cause: 'read_timeout',
      startMs: BEGIN - 1,
      upstream: 'shop-api-80',
      service: 'shop/api'
    })
    const silent = incident({
      id: 'silent',
      cause: 'no_requests',
      startMs: BEGIN - 2,
      endMs: BEGIN,
      upstream: 'blog-web-80',
      service: 'blog-web-80'
    })
    await putIncidents([open, timeout, silent])
    const ids = async (filter: Partial<IncidentFilter>): Promise<string[]> => (await found(filter)).map(({ id }) => id)
    expect(await ids({ services: ['shop/cart'] })).toEqual(['open'])
    expect(await ids({ services: ['shop-api-80', 'blog/web'] })).toEqual(['timeout', 'silent'])
    expect(await ids({ services: ['shop'] })).toEqual([])
    expect(await ids({ causes: ['read_timeout', 'no_requests'] })).toEqual(['timeout', 'silent'])
    expect(await ids({ state: 'open' })).toEqual(['open', 'timeout'])
    expect(await ids({ state: 'resolved' })).toEqual(['silent'])
    expect(await ids({ state: 'resolved', causes: ['read_timeout'] })).toEqual([])
  })

  test('a window finds what was going on in it, and what is open goes on', async () => {
    const over = incident({ id: 'over', startMs: BEGIN, endMs: BEGIN + 10 * MINUTE_MS })
    const open = incident({ id: 'open', startMs: BEGIN + 5 * MINUTE_MS })
    await putIncidents([over, open])
    const between = async (from: number, to: number): Promise<string[]> =>
      (await found({ fromMs: BEGIN + from * MINUTE_MS, toMs: BEGIN + to * MINUTE_MS })).map(({ id }) => id)
    expect(await between(-2, 0)).toEqual([])
    expect(await between(-2, 1)).toEqual(['over'])
    expect(await between(2, 3)).toEqual(['over'])
    expect(await between(9, 99)).toEqual(['open', 'over'])
    // The end itself is no part of it.
    expect(await between(10, 11)).toEqual(['open'])
    expect(await between(5_000, 5_001)).toEqual(['open'])
    expect(await found({ fromMs: BEGIN + 0.5, toMs: BEGIN + 0.75 })).toEqual([over])
  })

  test('whatever was written comes back', async () => {
    const given = fc
      .sample(anyIncident, 60)
      .map((one, i): Incident => ({ ...one, id: `inc-20261121-1003-${String(i).padStart(8, '0')}` }))
    await putIncidents(given)
    const read = new Map((await found()).map(one => [one.id, one]))
    expect([...read.keys()].sort()).toEqual(given.map(({ id }) => id))
    for (const one of given) expect(read.get(one.id)).toEqual(one)
  })

  test('what a later version of the program adds is kept, and in nobody’s way', async () => {
    const later = { ...incident(), impact: { users: 3 }, example: { ...incident().example!, requestId: 'x' } }
    await putIncidents([later as Incident])
    expect(await found()).toEqual([later])
  })

  test('one that nobody can read is left out and said', async () => {
    const said: string[] = []
    const broken = { ...incident({ id: 'broken' }), failures: 'many' } as unknown as Incident
    const strange = { ...incident({ id: 'strange' }), cause: 'of_a_later_version' } as unknown as Incident
    const vague = {
      ...incident({ id: 'vague' }),
      rootCause: { ...incident().rootCause!, kind: 'of_a_later_version' }
    } as unknown as Incident
    await putIncidents([broken, incident(), strange, vague])
    const read = await (await open()).incidents(EVERY_INCIDENT, text => said.push(text))
    expect(read).toEqual([incident(), { ...vague, rootCause: null }].sort((a, b) => (a.id < b.id ? -1 : 1)))
    expect(said).toEqual([expect.stringMatching(/: 2 incidents left out: damaged, or written by another version/)])
  })
}
