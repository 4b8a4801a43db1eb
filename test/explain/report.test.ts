/** What the reports say of groups, doubts, lines without request, and on narrow terminals. */
import { describe, expect, test } from 'vitest'
import { Engine } from '../../src/engine.ts'
import { ClockText } from '../../src/explain/clockText.ts'
import { markdownReport } from '../../src/explain/markdownReport.ts'
import type { ReportFacts } from '../../src/explain/report.ts'
import { Summary } from '../../src/explain/summary.ts'
import { textReport } from '../../src/explain/textReport.ts'
import { MASK_ALL, Masker } from '../../src/mask.ts'
import { defaultConfig } from '../../src/optionTable.ts'
import type { Style } from '../../src/terminal.ts'
import { accessLine, at, errorLine, MESSAGES as M } from '../support/lines.ts'

const ADDRESS = '10.0.0.7:80'

function factsOf(lines: string[], summary = new Summary(new Masker(MASK_ALL))): ReportFacts {
  const engine = new Engine(
    {
      join: defaultConfig().join,
      timeZone: 'UTC',
      logFormat: null,
      fromMs: Number.NEGATIVE_INFINITY,
      toMs: Number.POSITIVE_INFINITY,
      isWantedName: null
    },
    {
      failure: failure => summary.add(failure),
      alone: error => summary.alone(error),
      controller: entry => summary.controller(entry.record, entry.timeMs),
      stream: record => summary.streamAccess(record),
      reject: (code, column, line, source) => summary.reject(code, column, line, source.name)
    }
  )
  const source = engine.open({ name: 'controller.log', modifiedMs: null })
  source.push(Buffer.from(`${lines.join('\n')}\n`))
  source.end()
  engine.finish()
  const clock = new ClockText('UTC', engine.fromMs, engine.toMs)
  return { engine, summary, clock, inputs: ['controller.log'], services: [], filters: [], cluster: null }
}

function style(width = 140): Style {
  const plain = (text: string) => text
  return { bold: plain, dim: plain, red: plain, yellow: plain, green: plain, width }
}

const refused = (time: string, request: string) =>
  errorLine({ timeMs: at(time), message: M.refused, upstream: ADDRESS, request })
const failed = (time: string, request: string, name = 'shop-cart-80') =>
  accessLine({
    timeMs: at(time),
    status: 502,
    up: `${ADDRESS}, 10.0.0.8:80|0, 0|0.000, 0.001|502, 502`,
    request,
    name
  })
const saved = (time: string, request: string) =>
  accessLine({
    timeMs: at(time),
    status: 200,
    bytes: 61,
    up: `${ADDRESS}, 10.0.0.8:80|0, 61|0.001, 0.010|502, 200`,
    request,
    name: 'shop-cart-80'
  })

describe('a cause in several tables', () => {
  const facts = factsOf([
    refused('10:00:00', 'GET /a HTTP/1.1'),
    failed('10:00:00', 'GET /a HTTP/1.1'),
    refused('10:10:00', 'GET /b HTTP/1.1'),
    saved('10:10:00', 'GET /b HTTP/1.1'),
    refused('10:20:00', 'GET /c HTTP/1.1'),
    saved('10:20:00', 'GET /c HTTP/1.1')
  ])

  test('each has its own times, counts and statuses', () => {
    const text = textReport(facts, style())
    expect(text).toMatch(/connection_refused +1 +100 % +shop-cart-80 +10:00:00 +10:00:00 +upstream +\S$/m)
    expect(text).toMatch(/connection_refused +2 +100 % +shop-cart-80 +10:10:00 +10:20:00 +upstream +\S +\S$/m)
    expect(text).toContain('clients saw 502 (1)')
    expect(text).toContain('2 more requests were saved by a retry')
    const markdown = markdownReport(facts)
    expect(markdown).toContain('| connection_refused | 1 | 100 % | shop-cart-80 | 10:00:00 | 10:00:00 | upstream |')
    expect(markdown).toContain('| connection_refused | 2 | 100 % | shop-cart-80 | 10:10:00 | 10:20:00 | upstream |')
    expect(markdown).toContain('(`why5xx causes connection_refused`)')
  })
})

describe('doubts', () => {
  test('told by the access line alone, part of a group', () => {
    const text = textReport(
      factsOf([
        refused('10:00:00', 'GET /a HTTP/1.1'),
        failed('10:00:00', 'GET /a HTTP/1.1'),
        failed('10:00:01', 'GET /b HTTP/1.1'),
        failed('10:00:02', 'GET /c HTTP/1.1')
      ]),
      style()
    )
    expect(text).toContain('2 of 3 told by the access line alone (confidence 0.75); they could also be premature_close')
    expect(text).not.toContain('joined uncertainly')
  })

  test('joined uncertainly', () => {
    const text = textReport(
      factsOf([
        refused('10:00:00', 'GET /a HTTP/1.1'),
        errorLine({ timeMs: at('10:00:00'), message: M.prematureClose, upstream: ADDRESS, request: 'GET /a HTTP/1.1' }),
        accessLine({ timeMs: at('10:00:00'), status: 502, up: `${ADDRESS}|0|0.001|502`, request: 'GET /a HTTP/1.1' }),
        accessLine({ timeMs: at('10:00:00'), status: 502, up: `${ADDRESS}|0|0.001|502`, request: 'GET /a HTTP/1.1' })
      ]),
      style()
    )
    expect(text).toMatch(/^ {2}1 of 1 joined uncertainly: equal requests were in flight$/m)
    expect(text).not.toContain('told by the access line alone')
  })

  test('less likely than not: a question mark, and what it means', () => {
    const summary = new Summary(new Masker(MASK_ALL))
    const facts = factsOf([failed('10:00:00', 'GET /a HTTP/1.1')], summary)
    for (const { failed: tally } of summary.groups.values()) tally.confidenceSum = 0.4
    expect(textReport(facts, style())).toMatch(
      /^connection_refused\? .*\n\? less than even: see the alternatives below$/m
    )
    expect(markdownReport(facts)).toMatch(
      /^\| connection_refused\? \| .*\n\n\? less than even: see the alternatives below$/m
    )
  })
})

describe('error lines alone', () => {
  const lines = [
    refused('10:00:00', 'GET /a HTTP/1.1'),
    refused('10:00:01', 'GET /b HTTP/1.1'),
    errorLine({ timeMs: at('10:00:02'), message: M.readTimeout, upstream: ADDRESS, request: 'GET /c HTTP/1.1' }),
    '2026/11/21 10:00:03 [alert] 7#7: worker process 33 exited on signal 9',
    '2026/11/21 10:00:04 [alert] 7#7: worker process 34 exited on signal 9'
  ]
  const found = '3 error lines found no access line of their request: connection_refused 2, read_timeout 1'

  test('beside requests: a line in "Not covered"', () => {
    const text = textReport(factsOf([...lines, failed('10:00:05', 'GET /d HTTP/1.1')]), style(200))
    expect(text).toContain(`  ${found} (access lines missing, or another file: name both files)`)
  })

  test('without any request: first of all', () => {
    const text = textReport(factsOf(lines), style(250))
    expect(text).toContain(`No access line was found, but ${found}. nginx writes`)
    expect(text).not.toContain('No access line was found.')
    expect(markdownReport(factsOf(lines))).toContain('No access line was found, but 3 error lines')
  })

  test('what nginx says of itself is said by the controller', () => {
    const text = textReport(factsOf(lines), style())
    expect(text).toMatch(
      /The controller said\n {2}10:00:03 - 10:00:04 {2}worker process 33 exited on signal 9 \(2 times\)/
    )
  })
})

describe('narrow terminals', () => {
  const name = 'a-namespace-with-a-long-name-and-a-service-too-8080'
  const lines = [
    ...Array.from({ length: 30 }, (_, i) => failed('10:00:00', `GET /cart/${i} HTTP/1.1`, name)),
    refused('10:10:00', 'GET /b HTTP/1.1'),
    saved('10:10:00', 'GET /b HTTP/1.1'),
    accessLine({
      timeMs: at('10:20:00'),
      status: 499,
      up: `${ADDRESS}|0|0.100|-`,
      request: 'GET /left HTTP/1.1',
      name
    }),
    refused('10:30:00', 'GET /alone HTTP/1.1')
  ]

  test.each([60, 72, 80, 100, 120, 140, 180])('%i columns', width => {
    const text = textReport(factsOf(lines), style(width))
    expect(text.split('\n').filter(line => line.length > width)).toEqual([])
    expect(text).toContain('connection_refused')
    expect(text).toContain('Saved by a retry')
  })

  test('the blame goes before the name of the upstream', () => {
    const text = textReport(factsOf(lines), style(60))
    expect(text).not.toContain('BLAME')
    expect(text).toMatch(/a-namespace-\S*…/)
    expect(text).toMatch(/^Beside that\n\(not counted as failed: /m)
  })
})
