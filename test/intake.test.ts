/** Streams on their way in: a controller whose pod is gone does not keep its last lines for ever. */
import { expect, test } from 'vitest'
import { Engine } from '../src/engine.ts'
import { Intake } from '../src/intake.ts'
import type { Failure } from '../src/model.ts'
import { defaultConfig } from '../src/optionTable.ts'
import { ShipperRuns } from '../src/source/shipperRuns.ts'
import type { SourceStream } from '../src/source/source.ts'
import { accessLine, at, cri } from './support/lines.ts'
import { batchOf, fluentBit } from './support/messages.ts'

const T = at('10:02:11')

function intake() {
  const failures: Failure[] = []
  const everything = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY, isWantedName: null }
  const engine = new Engine(
    { join: defaultConfig().join, timeZone: 'UTC', logFormat: null, ...everything, withMinutes: true },
    { failure: failure => failures.push(failure), alone() {}, controller() {}, stream() {}, reject() {} }
  )
  return { intake: new Intake(engine), failures }
}

function stream(pod: string): SourceStream & { isAtEnd: boolean } {
  return {
    id: pod,
    name: `/var/log/containers/${pod}_ingress-nginx_controller-${'0123456789abcdef'.repeat(4)}.log`,
    group: null,
    modifiedMs: null,
    head: Buffer.alloc(0),
    resume: null,
    isAtEnd: true,
    newestMs: Number.NEGATIVE_INFINITY,
    place: () => ({})
  }
}

const refused = (ms: number): Buffer =>
  Buffer.from(`${cri(ms, 'stdout', accessLine({ timeMs: ms, status: 502, up: '10.0.0.7:80|0|0.001|502' }))}\n`)
const fine = (ms: number): Buffer =>
  Buffer.from(`${cri(ms, 'stdout', accessLine({ timeMs: ms, status: 200, up: '10.0.0.7:80|5|0.001|200' }))}\n`)

test('the last failure of a pod that is gone comes out while another one goes on', () => {
  const { intake: way, failures } = intake()
  const gone = stream('old')
  const busy = stream('new')
  way.push(gone, refused(T))
  way.end(gone)
  for (let second = 0; second < 59; second++) {
    way.push(busy, fine(T + second * 1_000))
    way.tick()
  }
  expect(failures).toHaveLength(0)
  way.push(busy, fine(T + 60_000))
  way.tick()
  expect(failures).toHaveLength(1)
  const { states } = way.takeStates()
  expect(states.find(state => state.stream === 'old')).toMatchObject({ isDone: true })
})

test('a stream that has more to read is not silent, however long nobody reads it', () => {
  const { intake: way, failures } = intake()
  const waiting = stream('old')
  waiting.isAtEnd = false
  way.push(waiting, refused(T))
  for (let second = 0; second < 300; second++) way.tick()
  expect(failures).toHaveLength(0)
})

test('a stream that is done is told once, and then forgotten', () => {
  const { intake: way } = intake()
  const short = stream('short')
  way.push(short, fine(T))
  way.end(short)
  expect(way.takeStates().states.map(state => [state.stream, state.isDone])).toEqual([['short', true]])
  expect(way.takeStates().states).toEqual([])
})

test('of a stream that is lost nothing comes out any more, and what shares its controller goes on', () => {
  const { intake: way, failures } = intake()
  const lost = stream('one')
  const kept = { ...stream('one'), id: 'the same pod elsewhere' }
  way.push(lost, refused(T))
  way.push(kept, refused(T + 1))
  way.drop(lost)
  way.push(kept, fine(T + 60_000))
  expect(failures.map(({ access }) => access!.stream)).toEqual([kept.id])
  expect(way.takeStates().states.map(state => state.stream)).toEqual([kept.id])
  way.push({ ...lost }, refused(T + 2))
  expect(way.takeStates().linesHeld).toBe(1)
})

/** Messages of a partition in which pods come interleaved. */
function partition(): ReturnType<typeof stream> {
  const raw = { topic: 'raw', partition: 3, shipper: new ShipperRuns(null) }
  return { ...stream('raw/3'), name: 'raw/3', partition: raw, isAtEnd: false }
}

const message = (ms: number, status: number, pod = 'ctl-a'): string =>
  fluentBit(ms, 'stdout', accessLine({ timeMs: ms, status, up: `10.0.0.7:80|0|0.001|${status}` }), { pod })

test('a partition that is at its end is read to its end two seconds later', () => {
  const { intake: way, failures } = intake()
  const silent = partition()
  way.pushMessages(silent, batchOf([message(T, 200), message(T, 502)], 70))
  way.tick()
  way.tick()
  expect(failures).toHaveLength(0)
  expect(way.takeStates().states).toMatchObject([{ read: { readTo: 72, from: 70, held: [71] } }])
  silent.isAtEnd = true
  way.tick()
  expect(failures).toHaveLength(0)
  way.tick()
  expect(failures).toHaveLength(1)
  expect(way.takeStates().states).toMatchObject([{ read: { readTo: 72, from: 72, fromLine: 72, held: [] } }])
})

test('the last failure of a pod that is gone comes out while its partition goes on', () => {
  const { intake: way, failures } = intake()
  const busy = partition()
  way.pushMessages(busy, batchOf([message(T, 502, 'ctl-gone')]))
  for (let second = 0; second < 60; second++) {
    way.tick()
    way.pushMessages(busy, batchOf([message(T + second, 200)], second + 1))
  }
  expect(failures).toHaveLength(0)
  way.tick()
  expect(failures).toHaveLength(1)
})

test('a partition that nobody reads makes no pod silent', () => {
  const { intake: way, failures } = intake()
  const paused = partition()
  way.pushMessages(paused, batchOf([message(T, 502)]))
  for (let second = 0; second < 300; second++) way.tick()
  expect(failures).toHaveLength(0)
})

test('lines of a partition that name no pod go by its name', () => {
  const { intake: way } = intake()
  way.pushMessages(partition(), batchOf(['what is this?']))
  expect(way.sourceOf('raw/3', 0)).toBe('raw/3')
})

test('a line whose last piece never comes is told after a minute, and holds its offset no longer', () => {
  const { intake: way } = intake()
  const stopped = partition()
  const piece = JSON.stringify({ log: 'the beginning of', stream: 'stdout', time: new Date(T).toISOString() })
  way.pushMessages(stopped, batchOf([message(T, 200), piece], 70))
  stopped.isAtEnd = true
  for (let second = 0; second < 59; second++) way.tick()
  expect(way.takeStates().states).toMatchObject([{ read: { readTo: 72, from: 71, open: [71] } }])
  way.tick()
  expect(way.takeStates().states).toMatchObject([{ read: { readTo: 72, from: 72, open: [] } }])
})
