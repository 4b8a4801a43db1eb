/** Log text is data in every format of a timeline: the hostile corpus, in files with hostile names. */
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { MASK_ALL } from '../../src/mask.ts'
import { jsonText } from '../../src/text.ts'
import { timelinePage } from '../../src/timeline/html.ts'
import { timelineMarkdown } from '../../src/timeline/markdown.ts'
import type { Timeline } from '../../src/timeline/model.ts'
import { readTimeline } from '../../src/timeline/readTimeline.ts'
import { TimelineBuilder } from '../../src/timeline/timeline.ts'
import { activeLines, foreignMarkup, UNSAFE } from '../support/hostileText.ts'
import { incident } from '../support/incidents.ts'
import { storeOf } from '../support/memoryReader.ts'
import { failed, HOUR, traffic } from './rows.ts'

const SAMPLES = join(import.meta.dirname, '../../samples/hostile')
const FILES = ['access.log', 'error.log', 'json.log', 'controller.log']
const ALL = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY, services: [], causes: [] }
const NAME = '\u202E\u001b[31m<img src=x onerror=alert(1)>[x](http://evil.example)|@everyone`a`'

const one = incident({ startMs: HOUR.fromMs + 600_000, endMs: HOUR.fromMs + 1_200_000, upstream: NAME, service: NAME })
const hostile = {
  ...one,
  id: NAME,
  parent: NAME,
  rootCause: { ...one.rootCause!, ref: NAME, sentence: NAME, advice: NAME }
}

/** Everything that can hold text of other people's, with the worst of it. */
function worst(): Timeline {
  const builder = new TimelineBuilder({ ...HOUR, services: [NAME] })
  traffic(builder)
  const row = {
    upstream: NAME,
    service: NAME,
    method: 'GET',
    path: `/</title><script>alert(1)</script>${NAME}`,
    client: NAME
  }
  for (const second of ['01', '02'])
    builder.failure(failed(`10:10:${second}`, { ...row, address: NAME, pod: NAME, rootCause: 'oom_killed' }), {
      document: {
        '@timestamp': '2026-11-21T10:10:01.000Z',
        event: { id: 'x' },
        message: NAME,
        why5xx: {
          evidence: [{ kind: 'error_line', at: '2026-11-21T10:10:01.000Z', ref: `${NAME}:1`, text: NAME }],
          root_cause: {
            kind: NAME,
            sentence: NAME,
            advice: NAME,
            at: '2026-11-21T10:10:01.000Z',
            until: NAME,
            evidence: [{ cite: NAME }]
          }
        }
      }
    })
  builder.failure(failed('10:10:03', { ...row, pod: NAME, rootCause: NAME }), null)
  builder.controller({
    id: 'c',
    timeMs: HOUR.fromMs,
    kind: 'reload',
    service: null,
    pod: NAME,
    level: NAME,
    cause: null,
    message: NAME
  })
  builder.gap({ name: NAME, atMs: HOUR.fromMs, bytes: 1, reason: 'truncated', text: NAME })
  builder.rejects(NAME, 1)
  builder.incidents([hostile])
  return builder.finish([], { span: null, upstreams: [] })
}

function empty(): Timeline {
  const builder = new TimelineBuilder({ ...HOUR, services: [NAME] })
  builder.incidents([hostile])
  return builder.finish([], { span: null, upstreams: [`${NAME}x`] })
}

describe.each<[string, () => Promise<Timeline> | Timeline]>([
  [
    'the corpus',
    () =>
      readTimeline(
        storeOf(
          FILES.map(file => join(SAMPLES, file)),
          { ...MASK_ALL, path: [/tok_[^/ ?"']+/g] },
          file => `${NAME} ${file.slice(-9)}`
        ),
        ALL
      )
  ],
  ['the worst of everything', worst],
  ['nothing, with names', empty]
])('%s', (name, make) => {
  let timeline: Timeline
  let page: string
  let markdown: string
  beforeAll(async () => {
    timeline = await make()
    page = timelinePage(timeline, 'UTC')
    markdown = timelineMarkdown(timeline, 'UTC')
  })

  test('no secret, nothing that moves a cursor or turns the writing', () => {
    for (const text of [page, markdown, jsonText(timeline, 2)]) {
      expect(text.split('\n').filter(line => line.includes('s3cr3t') || UNSAFE.test(line))).toEqual([])
      expect(text).toContain('evil.example')
    }
  })

  test('the page has our tags and attributes alone', () => {
    expect(foreignMarkup(page)).toEqual([])
  })

  test('Markdown has our own headings, tables, and nothing active', () => {
    expect(activeLines(markdown)).toEqual([])
    const lines = markdown.split('\n')
    for (const [i, line] of lines.entries()) {
      if (line.startsWith('    ')) {
        // Code only behind a paragraph: a list would go on.
        if (!lines[i - 1]!.startsWith('    '))
          expect(lines.slice(i - 2, i)).toEqual([expect.stringMatching(/^(?:Evidence:$|\*\*Why:\*\* )/), ''])
        continue
      }
      if (/^ {0,3}#/.test(line))
        expect(line).toMatch(/^(?:# Failed requests|## [A-Z][a-z]+(?: \(\d+\)| covered)?$|### [a-z_]+, )/)
    }
    const rows = lines.filter(line => line.startsWith('|')).map(row => row.replace(/\\\\|\\\|/g, '').split('|').length)
    expect(new Set(rows).size).toBeLessThanOrEqual(3)
  })

  test('JSON says what the log said', () => {
    expect(JSON.parse(jsonText(timeline))).toEqual(timeline)
    if (name === 'the corpus') expect(timeline.documents.failed).toBeGreaterThan(5)
  })
})
