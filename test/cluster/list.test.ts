import { afterEach, beforeEach, expect, test } from 'vitest'
import { keptObject } from '../../src/cluster/keptFields.ts'
import { type ListOptions, listKinds } from '../../src/cluster/list.ts'
import { goneStatus, listOf, podOf, ScriptedApi, sendJson } from './scriptedApi.ts'

let api: ScriptedApi

beforeEach(async () => {
  api = await ScriptedApi.start()
})
afterEach(() => api.stop())

const wait = async () => {}

async function list(options: Partial<ListOptions> = {}) {
  const events = await listKinds(api.connection, {
    keep: keptObject,
    now: () => 1_000,
    kinds: ['Pod'],
    wait,
    ...options
  })
  return {
    mark: events[0]!,
    names: events.flatMap(event => ('object' in event ? [event.object.metadata.name] : []))
  }
}

/** The pages of `pods` by their token; '' is the first. */
function servePages(pages: Record<string, object>) {
  api.answer = ({ path, parameters, response }) =>
    path.endsWith('/pods') ? sendJson(response, pages[parameters.get('continue') ?? '']!) : false
}

test('pages are asked for until the last', async () => {
  servePages({
    '': listOf([podOf('a', 1)], 100, 'two'),
    two: listOf([podOf('b', 2)], 100, 'three'),
    three: listOf([podOf('c', 3)], 100)
  })
  expect(await list()).toMatchObject({ names: ['a', 'b', 'c'], mark: { kinds: ['Pod'], unreadable: {} } })
  expect(api.asked.map(({ parameters }) => parameters.get('limit'))).toEqual(['500', '500', '500'])
})

test('a token that has expired begins the list again, and nothing is there twice', async () => {
  let expired = 0
  api.answer = ({ parameters, response }) => {
    if (parameters.get('continue') === null) return sendJson(response, listOf([podOf('a', 1)], 100, 'two'))
    return expired++ === 0 ? sendJson(response, goneStatus(), 410) : sendJson(response, listOf([podOf('b', 2)], 100))
  }
  expect((await list()).names).toEqual(['a', 'b'])
})

test('a token that always expires makes the kind unreadable', async () => {
  api.answer = ({ path, parameters, response }) => {
    if (!path.endsWith('/pods')) return false
    return parameters.get('continue') === null
      ? sendJson(response, listOf([podOf('a', 1)], 100, 'two'))
      : sendJson(response, goneStatus(), 410)
  }
  const { mark, names } = await list({ kinds: ['Pod', 'Node'] })
  expect(names).toEqual([])
  expect(mark).toMatchObject({ kinds: ['Node'], unreadable: { Pod: '410 too old resource version' } })
})

test('half an answer is asked for again', async () => {
  let asked = 0
  api.answer = ({ response }) => {
    if (asked++ > 0) return sendJson(response, listOf([podOf('a', 1)]))
    response.writeHead(200, { 'content-length': '1000' })
    response.write('{"items":[{"metadata":', () => response.destroy())
    return true
  }
  expect((await list()).names).toEqual(['a'])
  expect(asked).toBe(2)
})

test('an answer that comes byte by byte is read to its end', async () => {
  api.answer = ({ response }) => {
    response.writeHead(200)
    for (const byte of Buffer.from(JSON.stringify(listOf([podOf('ü', 1)])))) response.write(Buffer.of(byte))
    return response.end() !== undefined
  }
  expect((await list()).names).toEqual(['ü'])
})

test.each([
  [
    'HTML',
    '<html><script>alert(1)</script>\u001b[31m',
    /is no JSON object: "<html><script>alert\(1\)<\/script> \[31m"/
  ],
  ['a number', '7', /is no JSON object: "7"/],
  ['no list', '{"kind":"Pod"}', /is no list/]
])('%s in place of a list is an error that names the server', async (_name, body, message) => {
  api.answer = ({ response }) => response.end(body) !== undefined
  await expect(list()).rejects.toThrow(message)
  await expect(list()).rejects.toMatchObject({ code: 'WHY5XX_KUBERNETES' })
  await expect(list()).rejects.toThrow(/^API server http:\/\/127\.0\.0\.1:\d+: /)
})

test('a list that goes round in a circle ends', async () => {
  servePages({ '': listOf([podOf('a', 1)], 100, 'two'), two: listOf([podOf('b', 2)], 100, 'two') })
  await expect(list()).rejects.toThrow(/goes round in a circle/)
})

test('objects of a kind are kept whatever a page says they are; others are left out', async () => {
  const strange = [
    null,
    7,
    'pod',
    {},
    { metadata: null },
    { metadata: { name: 7 } },
    { ...podOf('a', 1), kind: 'Secret' }
  ]
  servePages({ '': listOf(strange as object[]) })
  expect((await list()).names).toEqual(['a'])
})

test('a server that is busy is asked again when it said so', async () => {
  api.answer = ({ response }) => {
    if (api.asked.length > 1) return false
    response.setHeader('retry-after', '7')
    return sendJson(response, { kind: 'Status', message: 'too many requests', code: 429 }, 429)
  }
  const waits: number[] = []
  const { mark } = await list({ wait: async ms => void waits.push(ms) })
  expect(mark).toMatchObject({ kinds: ['Pod'], unreadable: {} })
  expect(waits).toEqual([7_000])
})

test('nobody there: one sentence, no stack of a client', async () => {
  const { connection } = api
  await api.stop()
  const failing = listKinds(connection, { keep: keptObject, now: () => 0, kinds: ['Pod'], wait })
  await expect(failing).rejects.toThrow(/^API server http:\/\/127\.0\.0\.1:\d+: nobody listens there \(ECONNREFUSED\)$/)
  api = await ScriptedApi.start()
})
