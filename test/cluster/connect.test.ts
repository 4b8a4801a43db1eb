import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ConnectOptions, connect, serverVersion } from '../../src/cluster/connect.ts'
import { ScriptedApi, sendJson } from './scriptedApi.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'why5xx-connect-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

interface Entries {
  current?: string
  /** Context → server. */
  contexts?: Record<string, string>
}

function write(name: string, { current, contexts = {} }: Entries): string {
  const file = join(folder, name)
  const names = Object.keys(contexts)
  writeFileSync(
    file,
    JSON.stringify({
      'current-context': current,
      clusters: names.map(context => ({ name: context, cluster: { server: contexts[context] } })),
      users: names.map(context => ({ name: context, user: { token: `token of ${name}` } })),
      contexts: names.map(context => ({
        name: context,
        context: { cluster: context, user: context, namespace: context }
      }))
    })
  )
  return file
}

const open = (environment: NodeJS.ProcessEnv, options: Partial<ConnectOptions> = {}) =>
  connect({ api: 'kubeconfig', environment: { HOME: folder, ...environment }, ...options })

test('several files: what comes first wins, files that are not there are passed over', async () => {
  const first = write('first', { contexts: { shop: 'https://first:6443' } })
  const second = write('second', { current: 'bank', contexts: { shop: 'https://second:6443', bank: 'https://bank' } })
  const KUBECONFIG = [first, join(folder, 'missing'), second].join(delimiter)
  expect(open({ KUBECONFIG })).toMatchObject({ context: 'bank', namespace: 'bank' })
  const shop = open({ KUBECONFIG }, { context: 'shop' })
  expect(shop.server.href).toBe('https://first:6443/')
  expect((await shop.credentials()).headers).toEqual({ Authorization: 'Bearer token of first' })
})

test('without KUBECONFIG: the file of the home; one that is named goes before both', () => {
  mkdirSync(join(folder, '.kube'))
  write('.kube/config', { current: 'home', contexts: { home: 'https://home' } })
  const named = write('named', { current: 'named', contexts: { named: 'https://named' } })
  expect(open({})).toMatchObject({ context: 'home' })
  expect(open({ KUBECONFIG: join(folder, '.kube/config') }, { file: named })).toMatchObject({ context: 'named' })
})

test.each<[string, (folder: string) => [NodeJS.ProcessEnv, Partial<ConnectOptions>], RegExp]>([
  ['no file at all', () => [{}, {}], /^no kubeconfig: there is no .*\.kube.config; name one with --kubeconfig/],
  ['a named file that is not there', f => [{}, { file: join(f, 'gone') }], /^kubeconfig .*gone: no such file/],
  ['a file that is no YAML', f => [{}, { file: join(f, 'broken') }], /^kubeconfig .*broken: /],
  ['an empty file', f => [{}, { file: join(f, 'empty') }], /^kubeconfig .*empty: /],
  ['no current context', f => [{}, { file: join(f, 'none') }], /no current context: name one \(there are: shop\)/],
  ['no such context', f => [{}, { file: join(f, 'none'), context: 'x' }], /no context "x" \(there are: shop\)/],
  ['no such cluster', f => [{}, { file: join(f, 'torn') }], /^context shop: there is no cluster "gone"/],
  ['not in a pod', () => [{}, { api: 'in-cluster' }], /not in a pod/]
])('%s is said in a sentence', (_name, given, message) => {
  writeFileSync(join(folder, 'broken'), '{"clusters": [')
  writeFileSync(join(folder, 'empty'), '')
  write('none', { contexts: { shop: 'https://shop' } })
  const torn = { 'current-context': 'shop', contexts: [{ name: 'shop', context: { cluster: 'gone', user: 'x' } }] }
  writeFileSync(join(folder, 'torn'), JSON.stringify(torn))
  const [environment, options] = given(folder)
  let thrown: unknown
  try {
    open(environment, options)
  } catch (error) {
    thrown = error
  }
  expect(thrown).toMatchObject({ code: 'WHY5XX_CONFIG', message: expect.stringMatching(message) })
})

test('impersonation goes with every request', async () => {
  const file = write('file', { current: 'shop', contexts: { shop: 'https://shop' } })
  const { headers } = await open({}, { file, as: 'jane', asGroups: ['a', 'b'] }).credentials()
  expect(headers).toMatchObject({ 'Impersonate-User': 'jane', 'Impersonate-Group': ['a', 'b'] })
})

test('the agent, and so its connections, stays the same as long as the certificates do', async () => {
  const file = write('file', { current: 'shop', contexts: { shop: 'https://shop' } })
  const connection = open({}, { file })
  expect((await connection.credentials()).agent).toBe((await connection.credentials()).agent)
})

test('a server behind a path is asked below it; 401 says what to do', async () => {
  const api = await ScriptedApi.start()
  try {
    const { server } = api.connection
    const behind = { ...api.connection, server: new URL('/k8s/clusters/c1', server) }
    api.answer = ({ path, response }) =>
      path === '/k8s/clusters/c1/version'
        ? sendJson(response, { gitVersion: 'v1.30.0' })
        : sendJson(response, { kind: 'Status', message: 'Unauthorized', code: 401 }, 401)
    expect(await serverVersion(behind)).toBe('v1.30.0')
    await expect(serverVersion(api.connection)).rejects.toThrow(/401 Unauthorized: log in again, or look at the user/)
  } finally {
    await api.stop()
  }
})
