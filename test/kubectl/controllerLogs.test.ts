import { readdirSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Controller } from '../../src/cluster/controllers.ts'
import { readControllerLogs } from '../../src/kubectl/controllerLogs.ts'
import { LogSpool } from '../../src/kubectl/logSpool.ts'
import { type Asked, ScriptedApi, sendJson } from '../cluster/scriptedApi.ts'

const at = (time: string) => Date.parse(`2026-11-21T${time}Z`)
const FROM = at('10:00:00')
const line = (time: string, text: string) => `2026-11-21T${time}.000000000Z ${text}\n`

let api: ScriptedApi
let spool: LogSpool

beforeEach(async () => {
  api = await ScriptedApi.start()
  spool = new LogSpool()
})
afterEach(async () => {
  spool.close()
  await api.stop()
})

function controller(pod: string, more: Partial<Controller> = {}): Controller {
  return {
    namespace: 'edge',
    pod,
    container: 'controller',
    createdMs: at('00:00:00'),
    startedMs: at('00:00:01'),
    restarts: 0,
    before: null,
    configMap: { namespace: 'edge', name: 'settings' },
    ...more
  }
}

async function read(...controllers: Controller[]) {
  let bytes = 0
  const { logs, problems, notes } = await readControllerLogs({
    connection: api.connection,
    controllers,
    fromMs: FROM,
    spool,
    heard: more => {
      bytes += more
    },
    wait: async () => {},
    signal: new AbortController().signal
  })
  const texts: string[] = []
  for (const log of logs) {
    let text = ''
    for await (const chunk of log.input().chunks()) text += Buffer.from(chunk).toString()
    texts.push(text)
  }
  return { logs, texts, problems, notes, bytes }
}

function sendText({ response }: Asked, text: string): true {
  response.writeHead(200, { 'content-type': 'text/plain' })
  response.end(text)
  return true
}

const podOf = ({ path }: Asked) => path.split('/')[6]!
const isHead = ({ parameters }: Asked) => parameters.has('limitBytes')
const isPrevious = ({ parameters }: Asked) => parameters.get('previous') === 'true'
const refuse = ({ response }: Asked, status: number, message: string) =>
  sendJson(response, { kind: 'Status', status: 'Failure', message, code: status }, status)

test('each log is an input that knows its pod, in the order of the pods', async () => {
  api.answer = asked => sendText(asked, line('10:00:01', podOf(asked)))
  const { logs, texts, bytes, notes, problems } = await read(controller('a'), controller('b'))
  expect(texts).toEqual([line('10:00:01', 'a'), line('10:00:01', 'b')])
  expect(logs.map(log => log.input())).toMatchObject([
    { name: 'edge/a', place: { namespace: 'edge', pod: 'a', container: 'controller' } },
    { name: 'edge/b' }
  ])
  expect(bytes).toBe(texts.join('').length)
  expect([...notes, ...problems].filter(text => !text.includes('begins at'))).toEqual([])
  const [{ parameters }] = api.asked as [Asked]
  expect(Object.fromEntries(parameters)).toEqual({
    container: 'controller',
    timestamps: 'true',
    sinceTime: '2026-11-21T10:00:00Z'
  })
})

describe('what the API does not have any more', () => {
  const ended = { startedMs: at('09:30:00'), finishedMs: at('10:05:00') }

  test('a restart in the window: the log before it comes first', async () => {
    api.answer = asked => sendText(asked, isPrevious(asked) ? line('10:04:00', 'old') : line('10:06:00', 'new'))
    const { texts, notes } = await read(controller('a', { before: ended, restarts: 1, startedMs: at('10:05:01') }))
    expect(texts).toEqual([line('10:04:00', 'old') + line('10:06:00', 'new')])
    expect(notes).toEqual([])
  })

  test('a restart before the window is none', async () => {
    api.answer = asked => sendText(asked, line('10:06:00', 'new'))
    await read(controller('a', { before: { startedMs: at('08:00:00'), finishedMs: at('09:00:00') }, restarts: 4 }))
    expect(api.asked.filter(isPrevious)).toEqual([])
  })

  test('the log before a restart that the node has removed, and those before that', async () => {
    api.answer = asked =>
      isPrevious(asked)
        ? refuse(asked, 400, 'previous terminated container not found')
        : sendText(asked, line('10:06:00', 'new'))
    const before = { startedMs: at('10:04:00'), finishedMs: at('10:05:00') }
    const { texts, notes, problems } = await read(controller('a', { before, restarts: 2, startedMs: at('10:05:01') }))
    expect(texts).toEqual([line('10:06:00', 'new')])
    expect(notes).toEqual([
      'pod edge/a restarted 2 times: its log before 2026-11-21T10:04:00Z is gone',
      'pod edge/a restarted at 2026-11-21T10:05:00Z, and its log before that is gone'
    ])
    expect(problems).toEqual([])
  })

  test.each([
    ['a log that begins behind the window was rotated', '10:20:00', at('00:00:01'), true],
    ['one that begins before it was not', '09:00:00', at('00:00:01'), false],
    ['one that begins with its process was not', '10:20:00', at('10:19:59'), false]
  ])('%s', async (_name, oldest, startedMs, isSaid) => {
    api.answer = asked => sendText(asked, line(isHead(asked) ? oldest : '10:30:00', 'text'))
    const { notes } = await read(controller('a', { startedMs }))
    expect(notes.some(note => note.includes(`begins at 2026-11-21T${oldest}Z: the node has rotated it`))).toBe(isSaid)
  })

  test('a pod that is younger than the window', async () => {
    api.answer = asked => sendText(asked, line('10:30:00', 'text'))
    const { notes } = await read(controller('a', { createdMs: at('10:29:00'), startedMs: at('10:29:05') }))
    expect(notes).toEqual(['pod edge/a is there since 2026-11-21T10:29:00Z: logs of pods before it are gone with them'])
  })

  test('a pod that does not run yet has none, and that is no problem', async () => {
    api.answer = asked => refuse(asked, 400, 'container "controller" is waiting to start: ContainerCreating')
    const { notes, problems, logs } = await read(controller('a', { startedMs: null }))
    expect(notes).toEqual([expect.stringContaining('pod edge/a does not run, and has no log')])
    expect([...problems, ...logs]).toEqual([])
  })
})

describe('what goes wrong', () => {
  test('one log is refused: the others are read', async () => {
    api.answer = asked => (podOf(asked) === 'a' ? refuse(asked, 403, 'no') : sendText(asked, line('10:00:01', 'b')))
    const { texts, problems } = await read(controller('a'), controller('b'))
    expect(texts).toEqual([line('10:00:01', 'b')])
    expect(problems).toEqual([
      'logs of edge/a may not be read (403): a Role in edge with {apiGroups: [""], resources: [pods/log], verbs: [get]} allows it (kubectl auth can-i get pods --subresource=log -n edge tells)'
    ])
  })

  test('cut off in the middle: what came is read, and it is said', async () => {
    api.answer = ({ response }) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write(line('10:00:01', 'first'), () => response.destroy())
      return true
    }
    const { texts, problems } = await read(controller('a'))
    expect(texts).toEqual([line('10:00:01', 'first')])
    expect(problems).toEqual([expect.stringMatching(/^log of edge\/a: it was cut off: /)])
  })

  test('a kubelet that answers at the second time', async () => {
    let asked = 0
    api.answer = one => (asked++ === 0 ? refuse(one, 500, 'dial tcp: timeout') : sendText(one, line('10:00:01', 'a')))
    expect(await read(controller('a'))).toMatchObject({ texts: [line('10:00:01', 'a')], problems: [] })
  })

  test('a login that nobody knows ends it', async () => {
    api.answer = asked => refuse(asked, 401, 'Unauthorized')
    await expect(read(controller('a'))).rejects.toThrow(/401 Unauthorized/)
  })
})

test('logs lie where only we can read them, and not for longer than needed', async () => {
  api.answer = asked => sendText(asked, line('10:00:01', 'a'))
  const before = new Set(readdirSync(tmpdir()))
  const own = new LogSpool()
  const [name] = readdirSync(tmpdir()).filter(one => one.startsWith('why5xx-logs-') && !before.has(one))
  const folder = join(tmpdir(), name!)
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  own.close()
  expect(() => statSync(folder)).toThrow(/ENOENT/)
})
