/** The same log as files of a node and as messages of its shipper: one truth. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Engine } from '../src/engine.ts'
import type { EngineSource } from '../src/engineSource.ts'
import type { Failure } from '../src/model.ts'
import { defaultConfig } from '../src/optionTable.ts'
import { type ShippedLine, ShipperRuns } from '../src/source/shipperRuns.ts'
import { accessLine, at, cri, errorLine, MESSAGES } from './support/lines.ts'
import { batchOf, fluentBit, logPath } from './support/messages.ts'
import { packedBatch } from './support/recordBatches.ts'

interface Shipped {
  pod: string
  stamp: string
  stream: string
  line: string
}

/** An incident's lines as their container runtime wrote them; the stream is what nginx would have used. */
function incident(name: string): Shipped[] {
  const text = readFileSync(new URL(`../samples/incidents/${name}/controller.log`, import.meta.url), 'latin1')
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => {
      const [, pod = 'ctl-a', stamp, stream, rest] =
        /^(?:\[pod\/([^/]+)\/controller\] )?(\S+Z) (?:(stdout|stderr) F )?(.*)$/s.exec(line)!
      const isAccess = / - .* \[\d\d\/[A-Z]/.test(rest!.slice(0, 120))
      return { pod, stamp: stamp!, stream: stream ?? (isAccess ? 'stdout' : 'stderr'), line: rest! }
    })
}

interface Run {
  engine: Engine
  failures: Failure[]
  rejects: (string | null)[]
}

function open(
  shipper = new ShipperRuns(null)
): Run & { partition: EngineSource; file: (name: string) => EngineSource } {
  const failures: Failure[] = []
  const rejects: (string | null)[] = []
  const all = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY, isWantedName: null }
  const engine = new Engine(
    { join: defaultConfig().join, timeZone: 'UTC', logFormat: null, ...all, withMinutes: true },
    {
      failure: failure => failures.push(failure),
      alone() {},
      controller() {},
      stream() {},
      reject: (_code, _column, _line, source) => rejects.push(source.value)
    }
  )
  const partition = { topic: 'raw', partition: 0, shipper }
  return {
    engine,
    failures,
    rejects,
    file: name => engine.open({ name, modifiedMs: null }),
    partition: engine.open({ name: 'raw/0', modifiedMs: null, partition })
  }
}

/** All that does not say where a line was read. */
function verdicts({ failures }: Run): unknown[] {
  const place = { position: 0, stream: '', byteOffset: 0, number: 0, path: null, node: null }
  const texts = failures.map(failure =>
    JSON.stringify(failure, (key, value: unknown) => (key in place ? undefined : value))
  )
  return texts.sort().map(text => JSON.parse(text) as unknown)
}

function totals({ engine }: Run): unknown {
  const rows = engine.minutes!.take().map(row => JSON.stringify({ ...row, stream: null }))
  return { counts: engine.counts, rows: rows.sort(), from: engine.fromMs, to: engine.toMs }
}

test.each(['readiness-failing', 'oom-during-load', 'rollout-without-prestop'])(
  '%s: the same as files and as messages',
  name => {
    const lines = incident(name)
    const files = open()
    for (const pod of new Set(lines.map(line => line.pod))) {
      const own = lines.filter(line => line.pod === pod)
      const text = own.map(({ stamp, stream, line }) => `${stamp} ${stream} F ${line}\n`).join('')
      const source = files.file(logPath(pod))
      source.push(Buffer.from(text, 'latin1'))
      source.end()
    }
    files.engine.finish()

    const messages = open()
    const values = lines.map(({ pod, stamp, stream, line }) =>
      fluentBit(0, stream, line, { pod, more: { '@timestamp': stamp, time: stamp } })
    )
    for (let from = 0; from < values.length; from += 300)
      messages.partition.pushMessages(batchOf(values.slice(from, from + 300), 1_000 + from))
    messages.partition.end()
    messages.engine.finish()

    expect(files.failures.length).toBeGreaterThan(20)
    expect(verdicts(messages)).toEqual(verdicts(files))
    expect(totals(messages)).toEqual(totals(files))
    // Read in place, but for what failed or is no access line, and the first ones.
    const { reader } = messages.partition
    const inPlace = 'readInPlace' in reader ? reader.readInPlace : 0
    expect(inPlace).toBeGreaterThan(0.9 * messages.engine.counts.records.access)
  }
)

const T = at('10:02:11')
// Error lines print what access lines escape.
const CUT = { client: '203.0.113.9', request: 'GET /a"b HTTP/1.1' }
const success = (path: string, timeMs: number): string =>
  accessLine({ timeMs, status: 200, request: `GET ${path} HTTP/1.1`, up: '10.0.0.7:80|5|0.001|200' })

test.each([
  ['of its batch', 100, batchOf],
  ['of a batch before', 1, batchOf],
  ['of its record batch', 100, packedBatch],
  ['of a record batch before', 1, packedBatch]
])('an error line just behind a success %s finds it', async (_name, size, batched) => {
  const run = open()
  const values = [
    fluentBit(T, 'stdout', success('/', T)),
    fluentBit(T + 10, 'stdout', success('/a\\x22b', T)),
    fluentBit(T + 10, 'stdout', success('/a\\x22b', T), { pod: 'ctl-b' }),
    fluentBit(T + 20, 'stderr', errorLine({ timeMs: T, message: MESSAGES.cutBody, ...CUT, upstream: '10.0.0.7:80' }))
  ]
  // What was read before the first error line of all is kept to its last batch.
  for (let from = 0; from < values.length; from += size)
    run.partition.pushMessages(await batched(values.slice(from, from + size), from))
  run.partition.end()
  run.engine.finish()
  expect(run.failures).toMatchObject([
    { join: 'joined', cause: 'premature_close', access: { position: { topic: 'raw', partition: 0, offset: 1 } } }
  ])
})

test('what a shipper sends again counts as read, and as nothing else', () => {
  const asked: ShippedLine[] = []
  class Runs extends ShipperRuns {
    override isResend(line: ShippedLine): boolean {
      const wasSent = asked.some(({ offset }) => offset === line.offset)
      asked.push({ ...line })
      return wasSent
    }
  }
  const run = open(new Runs(null))
  const failed = accessLine({ timeMs: T, status: 502, up: '10.0.0.7:80|0|0.001|502' })
  const written = `${cri(T, 'stdout', failed)}\n`
  const first = fluentBit(T, 'stdout', failed, { offset: 0 })
  const joined = fluentBit(T + 1, 'stdout', success('/', T), { offset: written.length, more: { _p: 'P' } })
  run.partition.pushMessages(batchOf([first, joined, first, first, joined]))
  run.engine.finish()
  expect(run.engine.counts).toMatchObject({ lines: 5, records: { access: 2 } })
  expect(run.failures).toHaveLength(1)
  const line = { path: logPath('ctl-a'), offset: 0, timeMs: T, bytes: written.length }
  expect(asked.slice(0, 3)).toEqual([line, { ...line, offset: written.length, timeMs: T + 1, bytes: null }, line])
})

test('a reject brings its whole message; nothing but a message is one', () => {
  const run = open()
  const value = fluentBit(T, 'stdout', 'a\u0001b')
  run.partition.pushMessages(batchOf([value, null, 'what is this?\nand this']))
  expect(run.rejects).toEqual([value, null, 'what is this?\nand this', 'what is this?\nand this'])
  run.partition.end()
  expect(run.engine.counts).toMatchObject({ lines: 4, rejects: 4 })
})
