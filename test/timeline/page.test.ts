/** Two incidents as Markdown and as a page, word for word; and what no page may hold. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { ClockText } from '../../src/explain/clockText.ts'
import { timelinePage } from '../../src/timeline/html.ts'
import { timelineMarkdown } from '../../src/timeline/markdown.ts'
import type { Timeline } from '../../src/timeline/model.ts'
import { readTimeline } from '../../src/timeline/readTimeline.ts'
import { niceTop, timeTicks } from '../../src/timeline/ticks.ts'
import { TimelineBuilder } from '../../src/timeline/timeline.ts'
import { at } from '../support/lines.ts'
import { storeOf } from '../support/memoryReader.ts'
import { failed, HOUR, requests, saved, timelineOf, traffic } from './rows.ts'

const ALL = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY, services: [], causes: [] }
const ROOT = join(import.meta.dirname, '../..')

/** Paths as the reader of this repository sees them. */
async function incident(name: string, services: string[] = []): Promise<Timeline> {
  const file = join(ROOT, 'samples/incidents', name, 'controller.log')
  const timeline = await readTimeline(storeOf([file]), { ...ALL, services })
  return JSON.parse(JSON.stringify(timeline).replaceAll(`${ROOT}/`, '')) as Timeline
}

describe.each([
  ['oom-during-load', ['shop/cart']],
  ['rollout-without-prestop', []]
])('%s', (name, services) => {
  let timeline: Timeline
  beforeAll(async () => {
    timeline = await incident(name, services)
  })

  test('counts what the truth counts', () => {
    const truth = JSON.parse(readFileSync(join(ROOT, 'samples/incidents', name, 'expected.json'), 'utf8')) as {
      requests: number
      failures: number
      byUpstream: Record<string, { requests: number; failures: number }>
    }
    const expected = services.length === 0 ? truth : truth.byUpstream['shop-cart-80']
    expect(timeline.requests).toBe(expected!.requests)
    expect(timeline.failed).toBe(expected!.failures)
    expect(timeline.documents.failed).toBe(expected!.failures)
  })

  test('Markdown', async () => {
    await expect(timelineMarkdown(timeline, 'UTC')).toMatchFileSnapshot(`./${name}.md.txt`)
  })

  test('page', async () => {
    await expect(timelinePage(timeline, 'Europe/Berlin')).toMatchFileSnapshot(`./${name}.html.txt`)
  })
})

test('a page is one file: no script, no address, nothing to load, and forbidden besides', async () => {
  const page = timelinePage(await incident('oom-during-load'), 'UTC')
  expect(page).toContain(`http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'`)
  expect(page).not.toMatch(
    /<script|<link|<iframe|<object|<image|<use|\son\w+=|javascript:|\s(?:src|href|xlink:href)=|@import/i
  )
  const [style = ''] = /<style>[\s\S]*?<\/style>/.exec(page) ?? []
  expect(style).not.toMatch(/url\(|https?:/)
  expect(page.replace(style, '')).not.toMatch(/<style|https?:\/\//)
})

test('pictures are read aloud, and ids are unique', async () => {
  const page = timelinePage(await incident('oom-during-load'), 'UTC')
  const svgs = page.match(/<svg[^>]*>/g)!
  expect(svgs).toHaveLength(6)
  for (const svg of svgs) {
    const [, title, about] = /aria-labelledby="(\S+) (\S+)"/.exec(svg)!
    expect(svg).toContain('role="img"')
    expect(page).toContain(`<title id="${title}">`)
    expect(page).toContain(`<desc id="${about}">`)
  }
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(match => match[1])
  expect(new Set(ids).size).toBe(ids.length)
})

test('drawn twice: the same', async () => {
  const timeline = await incident('rollout-without-prestop')
  expect(timelinePage(timeline, 'UTC')).toBe(timelinePage(timeline, 'UTC'))
})

describe('sentences', () => {
  const say = (timeline: Timeline): string => timelineMarkdown(timeline, 'UTC')
  const emptyOf = (services: string[], span: { fromMs: number; toMs: number } | null, upstreams: string[]): Timeline =>
    new TimelineBuilder({ ...HOUR, services }).finish([], { span, upstreams })

  test.each<[string, () => Timeline, RegExp[]]>([
    [
      'no failure',
      () => timelineOf([]),
      [/^None of 6,000 requests failed\.$/m, /\| Window \| 2026-11-21 10:00 - 11:00 UTC \|/]
    ],
    [
      'one failure',
      () => timelineOf([failed('10:10:05')]),
      [
        /^One request of 6,000 failed\. Its cause: connection_refused at shop-cart-80, nothing listened on the pod's port\.$/m
      ]
    ],
    [
      'only saved ones',
      () => timelineOf([saved('10:10:05'), saved('10:11:05')]),
      [/^No request failed\. 2 requests were saved by a retry: clients saw nothing/m]
    ],
    [
      'only other ends',
      () => timelineOf([failed('10:10:05', { counted: false, status: 499, cause: 'client_closed' })]),
      [/^No request failed\. 1 request ended otherwise/m]
    ],
    [
      'going on',
      () => timelineOf([failed('10:58:00'), failed('10:59:00')]),
      [/had not recovered by the end of the window \(11:00\)/, /Data ends, not recovered/]
    ],
    [
      'a cause that nobody had',
      () => timelineOf([failed('10:10:00')], { causes: ['no_endpoints'] }),
      [/None of 6,000 requests failed by no_endpoints\./]
    ],
    [
      'a window without data',
      () => emptyOf([], { fromMs: at('08:00:10'), toMs: at('09:00:10') }, []),
      [
        /Nothing is known in this window: no request, no failure\. The store holds 2026-11-21 08:00 to 2026-11-21 09:01 UTC: `--from 2026-11-21T08:00Z --to 2026-11-21T09:01Z` shows it\./
      ]
    ],
    ['an empty store', () => emptyOf([], null, []), [/There is no data at all\./]],
    [
      'a misspelt service',
      () => emptyOf(['shop-crat-80'], null, ['shop-cart-80', 'pay-api-80']),
      [/Did you mean shop-cart-80 instead of shop-crat-80\? Upstream names in the window: pay-api-80, shop-cart-80\./]
    ]
  ])('%s', (_name, make, texts) => {
    const markdown = say(make())
    for (const text of texts) expect(markdown).toMatch(text)
    expect(timelinePage(make(), 'UTC')).toContain('</html>')
  })

  test('what is not covered', () => {
    const builder = new TimelineBuilder(HOUR)
    for (const minute of ['10:05', '10:06', '10:20']) builder.totals(requests(`${minute}:00`, 5))
    builder.gap({
      name: 'a_b.log',
      atMs: at('10:07:00'),
      bytes: 10,
      reason: 'truncated',
      text: '10 bytes were cut *away*'
    })
    builder.rejects('unrecognized', 1)
    const markdown = say(builder.finish([], { span: null, upstreams: [] }))
    expect(markdown).toContain('- the first 5 min of the window hold nothing: no data, or no traffic')
    expect(markdown).toContain('- the last 39 min of the window hold nothing')
    expect(markdown).toContain(
      '- 13 minutes without any request between minutes with requests: whether data or traffic'
    )
    expect(markdown).toContain('- 10:07:00 a\\_b.log: 10 bytes were cut \\*away\\*')
    expect(markdown).toContain('- 1 line not understood (unrecognized)')
    expect(markdown).toMatch(/- 10:07 {2}no request for 13 minutes: no data, or no traffic/)
  })

  test('a long list is cut, and says so', () => {
    const builder = new TimelineBuilder(HOUR)
    traffic(builder)
    for (let i = 0; i < 300; i++)
      builder.failure(
        failed(`10:${Math.floor(i / 100)}5:00`, {
          upstream: `u-${i % 100}`,
          path: `/${'abcdefghijklmnop'[i % 16]}`
        }),
        null
      )
    const markdown = say(builder.finish([], { span: null, upstreams: [] }))
    expect(markdown).toMatch(/^- 30 more episodes$/m)
    expect(markdown).toMatch(/^and 6 more$/m)
    expect(markdown).toContain('80 more causes at upstreams: 240 failed')
    expect(markdown.split('\n').length).toBeLessThan(300)
  })
})

test('ticks are round in the zone of the report', () => {
  const hour = new ClockText('Asia/Kolkata', HOUR.fromMs, HOUR.toMs)
  expect(timeTicks(HOUR.fromMs, HOUR.toMs, 5, hour).map(tick => tick.label)).toEqual([
    '15:30',
    '15:45',
    '16:00',
    '16:15',
    '16:30'
  ])
  const days = new ClockText('UTC', HOUR.fromMs, HOUR.fromMs + 30 * 86_400_000)
  expect(timeTicks(HOUR.fromMs, HOUR.fromMs + 30 * 86_400_000, 9, days).map(tick => tick.label)).toEqual([
    '11-26',
    '12-03',
    '12-10',
    '12-17'
  ])
  expect([1, 3, 9, 83, 224, 3_001, 12_000].map(niceTop)).toEqual([2, 4, 10, 100, 300, 4_000, 20_000])
})
