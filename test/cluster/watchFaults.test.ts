/** A server with a history plays any order of changes, cut streams, outages and forgetting; the record must still be true. */
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import type { ClusterEvent } from '../../src/cluster/event.ts'
import { keptObject } from '../../src/cluster/keptFields.ts'
import { type RunningWatch, watchCluster } from '../../src/cluster/watch.ts'
import { runs } from '../support/seed.ts'
import { type Asked, goneStatus, lineOf, listOf, podOf, ScriptedApi, sendJson, sendLines } from './scriptedApi.ts'

type Step = 'change' | 'remove' | 'cut' | 'cut-line' | 'end' | 'bookmark' | 'forget' | 'down' | 'up' | 'yield'

const STEPS: Step[] = ['change', 'remove', 'cut', 'cut-line', 'end', 'bookmark', 'forget', 'down', 'up', 'yield']

/** Pods of an API server: every change has the next version, and is sent to whoever watches. */
class History {
  readonly pods = new Map<string, number>()
  readonly changes: { version: number; name: string; line: string }[] = []
  #version = 1
  #forgottenTo = 0
  #isDown = false
  readonly #api: ScriptedApi

  constructor(api: ScriptedApi) {
    this.#api = api
    api.answer = asked => this.#answer(asked)
  }

  play(step: Step, name: string): void {
    const streams = this.#api.watches
    if (step === 'change') this.#change(this.pods.has(name) ? 'MODIFIED' : 'ADDED', name)
    else if (step === 'remove') this.#change('DELETED', name)
    else if (step === 'cut') for (const { request } of streams) request.socket.destroy()
    else if (step === 'cut-line')
      for (const { request, response } of streams)
        response.write('{"type":"ADDED","object":{"kind":"Pod"', () => request.socket.destroy())
    else if (step === 'end') for (const { response } of streams) response.end()
    else if (step === 'bookmark') for (const { response } of streams) response.write(lineOf(this.#bookmark()))
    else if (step === 'forget') this.#forgottenTo = this.#version
    else if (step === 'down' || step === 'up') this.#isDown = step === 'down'
  }

  #bookmark() {
    return { type: 'BOOKMARK', object: { kind: 'Pod', metadata: { resourceVersion: String(this.#version) } } }
  }

  #change(type: 'ADDED' | 'MODIFIED' | 'DELETED', name: string): void {
    if (type === 'DELETED' && !this.pods.delete(name)) return
    const version = ++this.#version
    if (type !== 'DELETED') this.pods.set(name, version)
    const object = podOf(name, version, `10.0.${version >> 8}.${version & 255}`)
    const line = lineOf({ type, object })
    this.changes.push({ version, name, line })
    for (const { response } of this.#api.watches) response.write(line)
  }

  #answer({ isWatch, path, parameters, request, response }: Asked): boolean {
    if (this.#isDown) return request.socket.destroy() !== undefined
    if (!path.endsWith('/pods')) return false
    const items = [...this.pods].map(([name, version]) => podOf(name, version, `10.0.${version >> 8}.${version & 255}`))
    if (!isWatch) return sendJson(response, listOf(items, this.#version))
    const from = Number(parameters.get('resourceVersion'))
    if (from < this.#forgottenTo) return sendLines(response, { type: 'ERROR', object: goneStatus() })
    sendLines(response)
    for (const { version, line } of this.changes) if (version > from) response.write(line)
    return true
  }
}

/** Name → version, as a reader of the record has it. */
function replay(events: readonly ClusterEvent[]): Map<string, string> {
  let pods = new Map<string, string>()
  let listed: Map<string, string> | null = null
  for (const event of events) {
    if (event.type === 'LIST_START') listed = new Map()
    else if (event.type === 'LIST_END' && listed !== null) [pods, listed] = [listed, null]
    if (!('object' in event)) continue
    const { name, resourceVersion } = event.object.metadata
    if (event.type === 'DELETED') pods.delete(name)
    else (listed ?? pods).set(name, resourceVersion!)
  }
  return pods
}

test('whatever happens to the server and the streams, the record ends as the server stands', async () => {
  // Mostly changes that are seen, or every run is nothing but outages.
  const kind = fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom<Step>('change', 'remove', 'yield') },
    { weight: 1, arbitrary: fc.constantFrom(...STEPS) }
  )
  const step = fc.record({ step: kind, name: fc.constantFrom('a', 'b', 'c', 'd') })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }), async steps => {
      const api = await ScriptedApi.start()
      const stop = new AbortController()
      const events: ClusterEvent[] = []
      let running: RunningWatch | undefined
      try {
        const history = new History(api)
        history.play('change', 'a')
        const limits = { retryMs: 1, retryMsMax: 4, believedMs: 2, reopenMs: 20 }
        running = watchCluster(
          api.connection,
          { keep: keptObject, notify: () => {}, kinds: ['Pod'], heartbeatMs: 5, limits },
          batch => void events.push(...batch),
          stop.signal
        )
        await vi.waitFor(() => expect(api.watches).toHaveLength(1), { timeout: 5_000, interval: 1 })
        for (const { step, name } of steps) {
          history.play(step, name)
          // So that some steps meet a stream that is open, and others one that is just being opened.
          for (let turn = 0; step === 'yield' && turn < 10; turn++) await new Promise(resolve => setImmediate(resolve))
        }
        history.play('up', '')
        history.play('change', 'last')
        const want = new Map([...history.pods].map(([name, version]) => [name, String(version)]))
        await vi.waitFor(() => expect(replay(events)).toEqual(want), { timeout: 5_000, interval: 1 })
        expect(running.facts.objects).toBe(want.size)

        // Marks come in pairs, lists are whole, and no change is told before an older one of the same pod.
        const marks = events.filter(({ type }) => type === 'GAP_START' || type === 'GAP_END').map(({ type }) => type)
        expect(marks).toEqual(marks.map((_, i) => (i % 2 === 0 ? 'GAP_START' : 'GAP_END')))
        const versions = events.flatMap(event => ('object' in event ? [event.object.metadata] : []))
        for (const name of ['a', 'b', 'c', 'd']) {
          const own = versions
            .filter(metadata => metadata.name === name)
            .map(({ resourceVersion }) => Number(resourceVersion))
          expect(own).toEqual(own.toSorted((a, b) => a - b))
        }
        // Without a second list every change was told: none between two streams was lost.
        if (events.filter(({ type }) => type === 'LIST_START').length > 1) return
        const told = new Set(versions.map(({ resourceVersion }) => Number(resourceVersion)))
        expect(history.changes.filter(({ version }) => !told.has(version))).toEqual([])
      } finally {
        stop.abort()
        await running?.done
        await api.stop()
      }
    }),
    runs(100)
  )
})
