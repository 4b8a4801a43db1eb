/** Joining as a property: whatever the traffic and the order of delivery, lines find their own request, once. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NameTable } from '../../parsers/nameTable.ts'
import { LogReader } from '../../parsers/reader.ts'
import { scannedRecord } from '../../parsers/recordParser.ts'
import { isFailedAttempt } from '../../src/classify/accessTable.ts'
import { Joiner, type JoinOptions, type JoinResult } from '../../src/join/joiner.ts'
import type { AccessEntry, ErrorEntry, JoinedRequest } from '../../src/model.ts'
import { RecordClock } from '../../src/recordTime.ts'
import { runEngine } from '../support/engineRun.ts'
import { runs } from '../support/seed.ts'
import { type LoggedLine, logOf, needsDocument, type Request, requestId, requests } from './traffic.ts'

const JOIN: JoinOptions = { errorWaitMs: 190_000, accessWaitMs: 2_000, errorsHeldMax: 10_000 }
const RUNS = runs(200)
const FORMS = [
  ['stamps of CRI', true],
  ['whole seconds', false]
] as const

interface Joined {
  requests: JoinedRequest[]
  alone: ErrorEntry[]
  heldMax: number
  overflow: number
}

/** What the engine does with a joiner, line by line, so that every line can be accounted for. */
function join(lines: LoggedLine[], options: JoinOptions): Joined {
  const joiner = new Joiner(options)
  const result: Joined = { requests: [], alone: [], heldMax: 0, overflow: 0 }
  const take = ({ requests: done, alone }: JoinResult): void => {
    result.requests.push(...done)
    result.alone.push(...alone)
  }
  for (const entry of entriesOf(lines)) {
    take(joiner.advance(entry.timeMs))
    if (entry.record.kind === 'error') joiner.addError(entry as ErrorEntry)
    else {
      const { status, attempts } = entry.record
      const waits = status! >= 400 || attempts!.some(isFailedAttempt)
      const request = joiner.addAccess(entry as AccessEntry, waits)
      if (request) result.requests.push(request)
    }
    result.heldMax = Math.max(result.heldMax, joiner.errorsHeld)
  }
  take(joiner.drain())
  result.overflow = joiner.overflow
  return result
}

function entriesOf(lines: LoggedLine[]): (AccessEntry | ErrorEntry)[] {
  const entries: (AccessEntry | ErrorEntry)[] = []
  const clock = new RecordClock('UTC', null)
  const add = (record: AccessEntry['record'] | ErrorEntry['record'], line: AccessEntry['line']): void => {
    const position = { file: 'test.log', line: line.number }
    const timeMs = clock.of(record, line)!
    entries.push({ record, line, position, timeMs, isPrecise: line.timeMs !== null } as AccessEntry | ErrorEntry)
  }
  const reader = new LogReader(
    {
      access: (view, line) => add(scannedRecord(view, reader.parser.scanner!), reader.recordLine(line)),
      record: (record, line) => add(record as ErrorEntry['record'], line),
      continuation() {},
      reject: code => {
        throw new Error(`the generator wrote a line that is rejected: ${code}`)
      }
    },
    new NameTable()
  )
  reader.push(Buffer.from(lines.map(line => `${line.text}\n`).join('')))
  reader.end()
  return entries
}

/** Per request the error lines that were joined to it, by the text that does not change with delivery. */
function pairsOf(lines: LoggedLine[], joined: JoinedRequest[]): Map<string, string[]> {
  return new Map(
    joined.map(({ access, errors }) => [
      access.record.requestId!,
      errors.map(error => contentOf(lines[error.line.number - 1]!)).sort()
    ])
  )
}

function contentOf(line: LoggedLine): string {
  return `${line.owner} ${line.text.replace(/^\S+Z std(?:out|err) F /, '')}`
}

/** The truth: lines of the same request. */
function truthOf(list: Request[], lines: LoggedLine[]): Map<string, string[]> {
  return new Map(
    list.map((_, owner) => [
      requestId(owner),
      lines
        .filter(line => line.owner === owner && !line.isAccess)
        .map(contentOf)
        .sort()
    ])
  )
}

describe.each(FORMS)('%s', (_form, isPrecise) => {
  test('requests that differ get exactly their own lines, in whatever order these are delivered', () => {
    fc.assert(
      fc.property(requests(0), all => {
        for (const isLate of [false, true]) {
          // A success is not held: only stamps tell that a line that comes behind it is of it, and not of the next.
          const list = isLate && !isPrecise ? all.filter(request => request.kind !== 'cut') : all
          const lines = logOf(list, { isLate, isPrecise })
          const { failures } = runEngine(lines.map(line => line.text))
          const pairs = new Map(
            failures
              .filter(failure => failure.access !== null)
              .map(({ access, errors }) => [
                access!.record.requestId!,
                errors.map(error => contentOf(lines[error.line.number - 1]!)).sort()
              ])
          )
          const truth = [...truthOf(list, lines)].filter((_, owner) => needsDocument(list[owner]!))
          expect(pairs).toEqual(new Map(truth))
          expect(failures.filter(failure => failure.join === 'ambiguous')).toEqual([])
        }
      }),
      RUNS
    )
  })

  test('every error line ends once, and never with another client or request', () => {
    fc.assert(
      fc.property(requests(3), fc.boolean(), (list, isLate) => {
        const lines = logOf(list, { isLate, isPrecise })
        const joined = join(lines, JOIN)
        const ended = [...joined.requests.flatMap(request => request.errors), ...joined.alone].map(
          error => error.line.number
        )
        expect(ended.sort((a, b) => a - b)).toEqual(lines.flatMap((line, i) => (line.isAccess ? [] : [i + 1])))
        expect(joined.requests).toHaveLength(list.length)
        expect(new Set(joined.requests.map(request => request.access.record.requestId))).toEqual(
          new Set(list.map((_, owner) => requestId(owner)))
        )
        for (const { access, errors, attemptOf } of joined.requests) {
          expect(attemptOf).toHaveLength(errors.length)
          for (const error of errors) {
            expect([error.record.client, error.record.request]).toEqual([access.record.client, access.record.request])
          }
          const ofAttempts = attemptOf.filter((attempt, i) => attempt >= 0 && errors[i]!.record.level !== 'warn')
          expect(new Set(ofAttempts).size).toBe(ofAttempts.length)
        }
      }),
      RUNS
    )
  })

  test('equal requests in flight: each gets as many lines as attempts failed, and those of its own unless it is said', () => {
    fc.assert(
      fc.property(requests(2), all => {
        // Nothing but its bytes tells an answer that was cut from an equal one that was not.
        const list = all.filter(request => request.kind !== 'cut')
        const lines = logOf(list, { isLate: false, isPrecise })
        const joined = join(lines, JOIN)
        const truth = truthOf(list, lines)
        const pairs = pairsOf(lines, joined.requests)
        for (const { access, state } of joined.requests) {
          if (state === 'ambiguous') continue
          const id = access.record.requestId!
          expect({ id, lines: texts(pairs.get(id)!) }).toEqual({ id, lines: texts(truth.get(id)!) })
        }
      }),
      RUNS
    )
  })

  test('at most `errorsHeldMax` wait; what is given up is counted and ends alone', () => {
    fc.assert(
      fc.property(requests(0), fc.integer({ min: 1, max: 6 }), (list, errorsHeldMax) => {
        const lines = logOf(list, { isLate: false, isPrecise })
        const joined = join(lines, { ...JOIN, errorsHeldMax })
        expect(joined.heldMax).toBeLessThanOrEqual(errorsHeldMax)
        const errors = lines.filter(line => !line.isAccess).length
        expect(joined.requests.flatMap(request => request.errors).length + joined.alone.length).toBe(errors)
        expect(joined.alone.length).toBeGreaterThanOrEqual(joined.overflow)
      }),
      RUNS
    )
  })
})

/**
 * Texts without their owner and connection: equal lines of equal requests are worth the same. What only accompanies is left
 * out: on one HTTP/2 connection nothing tells whose it is.
 */
function texts(contents: string[]): string[] {
  return contents
    .filter(content => !content.includes('[warn]') && !content.includes(', subrequest: '))
    .map(content => content.replace(/^\d+ /, '').replace(/ \*\d+ /, ' '))
}
