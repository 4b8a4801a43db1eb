import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { ClusterEvent } from '../../src/cluster/event.ts'
import { keptObject } from '../../src/cluster/keptFields.ts'
import { type RunningWatch, SYSTEM_TIMING, type WatchOptions, watchCluster } from '../../src/cluster/watch.ts'
import { goneStatus, lineOf, listOf, podOf, ScriptedApi, sendJson, sendLines } from './scriptedApi.ts'

let api: ScriptedApi
let stop: AbortController
let events: ClusterEvent[]
let running: RunningWatch | undefined

beforeEach(async () => {
  api = await ScriptedApi.start()
  stop = new AbortController()
  events = []
})
afterEach(async () => {
  stop.abort()
  await running?.done.catch(() => {})
  running = undefined
  await api.stop()
})

function start(options: Partial<WatchOptions> = {}): RunningWatch {
  running = watchCluster(
    api.connection,
    {
      keep: keptObject,
      notify: () => {},
      kinds: ['Pod'],
      heartbeatMs: 5,
      ...options,
      limits: { retryMs: 5, retryMsMax: 20, believedMs: 20, reopenMs: 50, recheckMs: 30, ...options.limits }
    },
    batch => void events.push(...batch),
    stop.signal
  )
  return running
}

/** `ADDED a`, `LIST_START Pod`, `GAP_END Pod`; heartbeats left out. */
function told(): string[] {
  return events
    .filter(({ type }) => type !== 'HEARTBEAT')
    .map(event => {
      if ('object' in event) return `${event.type} ${event.object.metadata.name}`
      return `${event.type} ${'kinds' in event ? event.kinds.join() : 'kind' in event ? event.kind : ''}`
    })
}

const heartbeats = () => events.filter(({ type }) => type === 'HEARTBEAT').length
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 5 })
const FIRST_LIST = ['LIST_START Pod', 'ADDED a', 'LIST_END Pod']

/** Lists pod `a` at version 100. */
function listPodA() {
  api.answer = ({ isWatch, path, response }) =>
    path.endsWith('/pods') && !isWatch ? sendJson(response, listOf([podOf('a', 90)])) : false
}

describe('what is told', () => {
  test('the list, then every change of what is kept', async () => {
    listPodA()
    start()
    await eventually(() => expect(api.watches).toHaveLength(1))
    expect(api.watches[0]!.parameters.get('resourceVersion')).toBe('100')
    expect(api.watches[0]!.parameters.get('allowWatchBookmarks')).toBe('true')
    const { response } = api.watches[0]!
    response.write(lineOf({ type: 'ADDED', object: podOf('b', 101) }))
    // Only the version has changed, or something that we do not keep.
    response.write(lineOf({ type: 'MODIFIED', object: podOf('b', 102) }))
    response.write(lineOf({ type: 'MODIFIED', object: podOf('b', 103, '10.0.0.7') }))
    response.write(lineOf({ type: 'DELETED', object: podOf('b', 104, '10.0.0.7') }))
    await eventually(() => expect(told()).toEqual([...FIRST_LIST, 'ADDED b', 'MODIFIED b', 'DELETED b']))
    await eventually(() => expect(heartbeats()).toBeGreaterThan(1))
  })

  test('times are those of arrival and never go back, whatever the clock does', async () => {
    listPodA()
    let asked = 0
    // Every other answer is a second behind the one before.
    const now = () => 5_000 + 100 * ++asked - (asked % 2) * 1_000
    start({ timing: { ...SYSTEM_TIMING, now } })
    await eventually(() => expect(heartbeats()).toBeGreaterThan(5))
    const times = events.map(({ at }) => at)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(times.at(-1)).toBeGreaterThan(times[0]!)
  })

  test('a whole list again from memory, without asking', async () => {
    listPodA()
    start({ listEveryMs: 0 })
    await eventually(() => expect(told().slice(0, 6)).toEqual([...FIRST_LIST, ...FIRST_LIST]))
    expect(api.lists).toHaveLength(1)
  })

  test('a whole list on demand holds what was changed since', async () => {
    listPodA()
    const watch = start()
    await eventually(() => expect(api.watches).toHaveLength(1))
    api.watches[0]!.response.write(lineOf({ type: 'DELETED', object: podOf('a', 101) }))
    api.watches[0]!.response.write(lineOf({ type: 'ADDED', object: podOf('b', 102, '10.0.0.7') }))
    await eventually(() => expect(told()).toContain('ADDED b'))
    watch.listSoon()
    await eventually(() => expect(told().slice(-3)).toEqual(['LIST_START Pod', 'ADDED b', 'LIST_END Pod']))
    const listed = events.findLast(event => 'object' in event)
    expect(listed).toMatchObject({ object: { metadata: { resourceVersion: '102' }, status: { podIP: '10.0.0.7' } } })
  })

  test('one line cut anywhere, several in one piece', async () => {
    listPodA()
    start()
    await eventually(() => expect(api.watches).toHaveLength(1))
    const { response } = api.watches[0]!
    const text = Buffer.from(
      lineOf({ type: 'ADDED', object: podOf('ü', 101) }) + lineOf({ type: 'ADDED', object: podOf('c', 102) })
    )
    for (const byte of text) response.write(Buffer.of(byte))
    await eventually(() => expect(told().slice(3)).toEqual(['ADDED ü', 'ADDED c']))
  })
})

describe('before the first list', () => {
  test('nobody answers: said once, nothing is told, then everything is', async () => {
    const said: string[] = []
    api.answer = ({ request }) => request.socket.destroy() !== undefined
    start({ kinds: ['Pod', 'Node'], notify: text => said.push(text) })
    await eventually(() => expect(api.asked.length).toBeGreaterThan(8))
    expect(events).toEqual([])
    expect(said).toEqual([expect.stringMatching(/^(Pod|Node): .*the connection was cut.*; trying again$/)])
    listPodA()
    await eventually(() => expect(told()).toEqual(['LIST_START Pod,Node', 'ADDED a', 'LIST_END Pod,Node']))
    await eventually(() => expect(heartbeats()).toBeGreaterThan(0))
  })

  test('what changes while other kinds are still being listed is in the list', async () => {
    let release = () => {}
    api.answer = ({ isWatch, path, response }) => {
      if (isWatch) return false
      if (path.endsWith('/pods')) return sendJson(response, listOf([podOf('a', 90)]))
      if (path.endsWith('/nodes')) {
        release = () => void sendJson(response, listOf([]))
        return true
      }
      return false
    }
    start({ kinds: ['Pod', 'Node'] })
    await eventually(() => expect(api.watches).toHaveLength(1))
    api.watches[0]!.response.write(lineOf({ type: 'DELETED', object: podOf('a', 101) }))
    for (const name of ['b', 'c']) api.watches[0]!.response.write(lineOf({ type: 'ADDED', object: podOf(name, 102) }))
    await eventually(() => expect(running!.facts.objects).toBe(2))
    expect(events).toEqual([])
    release()
    await eventually(() => expect(told()).toEqual(['LIST_START Pod,Node', 'ADDED b', 'ADDED c', 'LIST_END Pod,Node']))
  })
})

describe('streams that end', () => {
  test('by the server: on from the last version or bookmark, and nothing is told', async () => {
    listPodA()
    start()
    await eventually(() => expect(api.watches).toHaveLength(1))
    const bookmark = { type: 'BOOKMARK', object: { kind: 'Pod', metadata: { resourceVersion: '170' } } }
    api.watches[0]!.response.end(lineOf({ type: 'ADDED', object: podOf('b', 101) }) + lineOf(bookmark))
    await eventually(() => expect(api.watches).toHaveLength(1))
    expect(api.watches[0]!.parameters.get('resourceVersion')).toBe('170')
    api.watches[0]!.response.write(lineOf({ type: 'DELETED', object: podOf('b', 171) }))
    await eventually(() => expect(told()).toEqual([...FIRST_LIST, 'ADDED b', 'DELETED b']))
    expect(api.lists).toHaveLength(1)
  })

  test('in the middle of a line: the line comes again', async () => {
    listPodA()
    start()
    await eventually(() => expect(api.watches).toHaveLength(1))
    const [first] = api.watches
    first!.response.write(lineOf({ type: 'ADDED', object: podOf('b', 101) }))
    first!.response.write(lineOf({ type: 'ADDED', object: podOf('c', 102) }).slice(0, 40))
    await eventually(() => expect(told()).toContain('ADDED b'))
    first!.request.socket.destroy()
    await eventually(() => expect(api.watches.filter(watch => watch !== first)).toHaveLength(1))
    const second = api.watches.at(-1)!
    expect(second.parameters.get('resourceVersion')).toBe('101')
    second.response.write(lineOf({ type: 'ADDED', object: podOf('c', 102) }))
    await eventually(() => expect(told()).toEqual([...FIRST_LIST, 'ADDED b', 'ADDED c']))
  })

  test.each([
    ['an ERROR event', true],
    ['the HTTP status', false]
  ])('410 as %s: a gap, and a list of that kind', async (_name, isEvent) => {
    let lists = 0
    api.answer = ({ isWatch, path, parameters, response }) => {
      if (!path.endsWith('/pods')) return false
      if (!isWatch) return sendJson(response, lists++ === 0 ? listOf([podOf('a', 90)]) : listOf([podOf('b', 190)], 200))
      if (parameters.get('resourceVersion') !== '100') return false
      return isEvent
        ? sendLines(response, { type: 'ERROR', object: goneStatus() })
        : sendJson(response, goneStatus(), 410)
    }
    start()
    const gap = ['GAP_START Pod', 'GAP_END Pod', 'LIST_START Pod', 'ADDED b', 'LIST_END Pod']
    await eventually(() => expect(told()).toEqual([...FIRST_LIST, ...gap]))
    expect(events.findLast(({ type }) => type === 'LIST_START')).toMatchObject({ isPartial: true })
    await eventually(() => expect(api.watches[0]?.parameters.get('resourceVersion')).toBe('200'))
  })

  test.each([
    ['HTML', '<html><body>502 Bad Gateway</body></html>\n'],
    ['no event', '{"items":[]}\n']
  ])('a line that is %s: a gap, and a list', async (_name, line) => {
    let watches = 0
    api.answer = ({ isWatch, path, response }) => {
      if (!path.endsWith('/pods')) return false
      if (!isWatch) return sendJson(response, listOf([podOf('a', 90)]))
      if (watches++ > 0) return false
      sendLines(response)
      return response.write(line) || true
    }
    start()
    await eventually(() => expect(told()).toEqual([...FIRST_LIST, 'GAP_START Pod', 'GAP_END Pod', ...FIRST_LIST]))
  })

  test('silent behind its bookmarks: opened again from the last one', async () => {
    api.answer = ({ isWatch, path, response }) => {
      if (!path.endsWith('/pods')) return false
      if (!isWatch) return sendJson(response, listOf([podOf('a', 90)]))
      if (api.asked.filter(asked => asked.isWatch).length > 1) return false
      return sendLines(response, { type: 'BOOKMARK', object: { kind: 'Pod', metadata: { resourceVersion: '170' } } })
    }
    start({ limits: { silentMs: 30 } })
    await eventually(() => expect(api.asked.filter(({ isWatch }) => isWatch)).toHaveLength(2))
    expect(api.asked.at(-1)!.parameters.get('resourceVersion')).toBe('170')
  })

  test('nobody answers any more: a gap with no heartbeat in it, then on from the last version', async () => {
    listPodA()
    start()
    await eventually(() => expect(heartbeats()).toBeGreaterThan(0))
    await eventually(() => expect(api.watches).toHaveLength(1))
    const listing = api.answer
    api.answer = ({ request }) => request.socket.destroy() !== undefined
    api.watches[0]!.request.socket.destroy()
    await eventually(() => expect(told().at(-1)).toBe('GAP_START Pod'))
    const before = heartbeats()
    const asked = api.asked.length
    await eventually(() => expect(api.asked.length).toBeGreaterThan(asked + 3))
    expect(heartbeats()).toBe(before)
    api.answer = listing
    // On a slow machine the new stream may be silent for long enough to make another gap.
    const first = [...FIRST_LIST, 'GAP_START Pod', 'GAP_END Pod']
    await eventually(() => expect(told().slice(0, first.length)).toEqual(first))
    expect(api.watches[0]!.parameters.get('resourceVersion')).toBe('100')
    await eventually(() => expect(heartbeats()).toBeGreaterThan(before))
  })
})

describe('kinds that are not to be had', () => {
  test('none of them holds the others up; one that comes later is listed then', async () => {
    let isAllowed = false
    api.answer = ({ path, isWatch, response }) => {
      if (path.endsWith('/nodes') && !isAllowed)
        return sendJson(
          response,
          { kind: 'Status', message: 'nodes is forbidden: User "x" cannot list', code: 403 },
          403
        )
      if (path.includes('cert-manager')) return response.writeHead(404).end('404 page not found\n') !== undefined
      return path.endsWith('/pods') && !isWatch ? sendJson(response, listOf([podOf('a', 90)])) : false
    }
    const watch = start({ kinds: ['Pod', 'Node', 'Certificate'] })
    await eventually(() => expect(heartbeats()).toBeGreaterThan(0))
    expect(events[0]).toMatchObject({
      kinds: ['Pod'],
      unreadable: {
        Node: '403 nodes is forbidden: User "x" cannot list',
        Certificate: '404 the API /apis/cert-manager.io/v1 is not served'
      }
    })
    expect([...watch.facts.unreadable.keys()]).toEqual(['Node', 'Certificate'])
    isAllowed = true
    await eventually(() => expect(told().slice(3)).toEqual(['LIST_START Node', 'LIST_END Node']))
  })

  test('one that is taken away is a gap and a list that says so', async () => {
    let isAllowed = true
    api.answer = ({ path, response }) =>
      path.endsWith('/nodes') && !isAllowed ? sendJson(response, { message: 'no longer' }, 403) : false
    start({ kinds: ['Pod', 'Node'] })
    await eventually(() => expect(api.watches).toHaveLength(2))
    isAllowed = false
    api.watches.find(({ path }) => path.endsWith('/nodes'))!.response.end()
    await eventually(() => expect(told().slice(2)).toEqual(['GAP_START Node', 'LIST_START ', 'LIST_END ']))
    expect(events.findLast(({ type }) => type === 'LIST_END')).toMatchObject({ unreadable: { Node: '403 no longer' } })
    isAllowed = true
    await eventually(() => expect(told().slice(5)).toEqual(['GAP_END Node', 'LIST_START Node', 'LIST_END Node']))
  })
})

test('metrics are polled: what has changed is told, and no list each time', async () => {
  let usage = 1
  api.answer = ({ path, response }) =>
    path.includes('metrics.k8s.io')
      ? sendJson(
          response,
          listOf([
            { metadata: { name: 'a', namespace: 'shop' }, containers: [{ name: 'app', usage: { cpu: `${usage}m` } }] }
          ])
        )
      : false
  start({ kinds: ['PodMetrics'], limits: { pollMs: 10 } })
  await eventually(() => expect(api.asked.length).toBeGreaterThan(3))
  expect(told()).toEqual(['LIST_START PodMetrics', 'ADDED a', 'LIST_END PodMetrics'])
  usage = 2
  await eventually(() => expect(told().slice(3)).toEqual(['MODIFIED a']))
})

test('what emit throws ends the watch', async () => {
  const failing = watchCluster(
    api.connection,
    { keep: keptObject, notify: () => {}, kinds: ['Pod'] },
    () => {
      throw new Error('the record is full')
    },
    stop.signal
  )
  await expect(failing.done).rejects.toThrow('the record is full')
})
