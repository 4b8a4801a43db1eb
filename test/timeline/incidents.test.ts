/** Incidents in a timeline: which ones, where they are told, and how they are drawn. */
import { expect, test } from 'vitest'
import { timelinePage } from '../../src/timeline/html.ts'
import { timelineMarkdown } from '../../src/timeline/markdown.ts'
import type { Timeline } from '../../src/timeline/model.ts'
import { readTimeline } from '../../src/timeline/readTimeline.ts'
import { TimelineBuilder } from '../../src/timeline/timeline.ts'
import { BEGIN, incident, MINUTE_MS } from '../support/incidents.ts'
import { MemoryStore } from '../support/memoryReader.ts'
import { failed, HOUR, traffic } from './rows.ts'

const over = incident({ id: 'inc-over', startMs: BEGIN, endMs: BEGIN + 12 * MINUTE_MS })
const open = incident({
  id: 'inc-open',
  startMs: BEGIN + 30 * MINUTE_MS,
  parent: 'inc-over',
  rootCause: null,
  cause: 'read_timeout',
  masked: 0
})
const before = incident({ id: 'inc-before', startMs: BEGIN - 600 * MINUTE_MS, endMs: BEGIN - 500 * MINUTE_MS })
const reaching = incident({ id: 'inc-reaching', startMs: BEGIN - 600 * MINUTE_MS, failures: 12_345, expected: 1_000 })
const elsewhere = incident({ id: 'inc-elsewhere', upstream: 'blog-web-80', service: 'blog/web' })

function timelineOf(services: string[] = [], causes: string[] = []): Timeline {
  const builder = new TimelineBuilder({ ...HOUR, services, causes })
  traffic(builder)
  builder.failure(failed('10:10:01'), null)
  builder.incidents([open, over, before, reaching, elsewhere])
  return builder.finish([], { span: null, upstreams: [] })
}

const idsOf = ({ incidents }: Timeline): string[] => incidents.shown.map(({ id }) => id)

test('those of the window and the filters, by their start', () => {
  expect(idsOf(timelineOf())).toEqual(['inc-reaching', 'inc-elsewhere', 'inc-over', 'inc-open'])
  expect(idsOf(timelineOf(['shop/cart']))).toEqual(['inc-reaching', 'inc-over', 'inc-open'])
  expect(idsOf(timelineOf([], ['read_timeout']))).toEqual(['inc-open'])
  expect(timelineOf().incidents.shown[2]).toMatchObject({
    start: '2026-11-21T10:03:00.000Z',
    end: '2026-11-21T10:15:00.000Z',
    rootCause: 'oom_killed'
  })
})

test('of too many the largest stay', () => {
  const builder = new TimelineBuilder({ ...HOUR, services: [], causes: [] })
  builder.incidents(
    Array.from({ length: 130 }, (_, i) => incident({ id: `inc-${i}`, failures: i, startMs: BEGIN + (130 - i) }))
  )
  const { shown, more } = builder.finish([], { span: null, upstreams: [] }).incidents
  expect([shown.length, more, shown[0]!.id, shown.at(-1)!.id]).toEqual([100, 30, 'inc-129', 'inc-30'])
})

test('Markdown: a table, why, and their begin and end in the timeline', () => {
  const text = timelineMarkdown(timelineOf(['shop/cart']), 'UTC')
  expect(text).toContain(
    `## Incidents

| Incident | Cause | Service | From | Until | Failures | Expected | Root cause |
|---|---|---|---|---|---:|---:|---|
| inc-reaching | connection\\_refused |`.replace('\\_', '_')
  )
  const rows = text.split('\n').filter(line => line.startsWith('| inc-'))
  expect(rows).toEqual([
    '| inc-reaching | connection_refused | shop/cart | 00:03 | open | 12,345 (7 saved) | 1,000 | oom_killed, Pod shop/cart-1 |',
    '| inc-over | connection_refused | shop/cart | 10:03 | 10:15 | 41 (7 saved) | 1.2 | oom_killed, Pod shop/cart-1 |',
    '| inc-open, told under inc-over | read_timeout | shop/cart | 10:33 | open | 41 | 1.2 | - |'
  ])
  const told = text.split('\n').filter(line => /^- .*inc-/.test(line))
  expect(told).toEqual([
    '- 10:03  incident inc-over: connection_refused on shop/cart, detected 10:05',
    '- 10:15  incident inc-over is over: 41 failures, 1.2 expected',
    '- 10:33  incident inc-open: read_timeout on shop/cart, detected 10:35',
    expect.stringMatching(/^- inc-reaching: shop\/cart-1 was OOM-killed at 10:02:56/),
    expect.stringMatching(/^- inc-over: shop\/cart-1 was OOM-killed/)
  ])
})

test('the page: the same table, and a bar over the failures', () => {
  const page = timelinePage(timelineOf(), 'UTC')
  expect(page).toContain('<h2>Incidents</h2>')
  expect(page).toContain('incidents 4</li>')
  const without = new TimelineBuilder({ ...HOUR, services: [], causes: [] })
  traffic(without)
  without.failure(failed('10:10:01'), null)
  const plain = timelinePage(without.finish([], { span: null, upstreams: [] }), 'UTC')
  const bars = (text: string): number =>
    text.split('fill:var(--failed)').length + text.split('fill="var(--failed)"').length
  // One a picture, wide and narrow.
  expect(bars(page) - bars(plain)).toBe(8)
  expect(plain).not.toContain('Incidents')
})

test('a service without requests has no data, and its incident all the same', async () => {
  const store = new MemoryStore()
  store.kept.push(incident({ id: 'inc-silent', cause: 'no_requests', rootCause: null, failures: 0, expected: 0 }))
  store.unread = 'one is damaged'
  const said: string[] = []
  const timeline = await readTimeline(store, { ...HOUR, services: [], causes: [] }, text => said.push(text))
  expect(timeline.instead).not.toBeNull()
  for (const text of [timelineMarkdown(timeline, 'UTC'), timelinePage(timeline, 'UTC')])
    expect(text).toMatch(/Incidents[\s\S]*inc-silent[\s\S]*no_requests/)
  expect(said).toEqual(['one is damaged'])
})
