import { afterAll, expect, test } from 'vitest'
import type { Finding } from '../../src/check/finding.ts'
import { Folder, why5xxHere } from '../support/program.ts'

const folder = new Folder()
afterAll(() => folder.remove())

const object = (kind: string, apiVersion: string, name: string, creationTimestamp = '2026-11-21T10:00:00Z') => ({
  kind,
  apiVersion,
  metadata: { name, namespace: 'shop', uid: `${kind}-${name}`, creationTimestamp }
})
const POD = object('Pod', 'v1', 'cart-1')
const SERVICE = object('Service', 'v1', 'cart')

async function check(...files: string[]) {
  const { code, stdout } = await why5xxHere(['check', '--format', 'json', '--cluster', ...files])
  const { cluster } = JSON.parse(stdout) as { cluster: Finding[] }
  return { code, of: (about: string) => cluster.filter(finding => finding.about === about) }
}

const listFile = (name: string, ...items: object[]) =>
  folder.write(name, JSON.stringify({ kind: 'List', apiVersion: 'v1', items }))

test('what a snapshot holds, which time it answers for, and what it misses', async () => {
  const { code, of } = await check(listFile('snapshot.json', POD, SERVICE, object('Volcano', 'v1', 'etna')))
  expect(of('objects').map(({ text }) => text)).toEqual([
    expect.stringMatching(/^2 in 1 file, \d+ B: Pod 1, Service 1$/),
    'not read, because diagnosis does not ask for them: Volcano'
  ])
  expect(of('time')).toMatchObject([
    { state: 'ok', text: expect.stringMatching(/^taken at 2026-11-21T10:00:00.000Z: /) }
  ])
  expect(of('kind').every(({ state }) => state === 'hint')).toBe(true)
  expect(of('kind').map(({ text }) => text)).toContain(
    'no nodes are in it, so it cannot be told whether it was node_not_ready, node_pressure, node_network_failure, cpu_saturated'
  )
  expect(code).toBe(0)
})

test('without pods it says little: a problem', async () => {
  const { code, of } = await check(listFile('services.json', SERVICE))
  expect(of('kind').find(({ state }) => state === 'problem')).toMatchObject({
    text: expect.stringContaining('no root cause can be told'),
    mend: 'kubectl get pods -A -o json'
  })
  expect(code).toBe(1)
})

test('the refusal of a kind is told in the words of the API', async () => {
  const refusal = {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    message: 'nodes is forbidden',
    details: { kind: 'nodes' }
  }
  const file = folder.write(
    'refused.json',
    `${JSON.stringify({ kind: 'List', apiVersion: 'v1', items: [POD, SERVICE] })}\n${JSON.stringify(refusal)}\n`
  )
  const { of } = await check(file)
  expect(
    of('kind')
      .map(({ text }) => text)
      .join('\n')
  ).toContain('nodes could not be read (nodes is forbidden)')
})

test('two of different times are a history', async () => {
  const early = listFile('early.json', POD, SERVICE)
  const late = listFile('late.json', object('Pod', 'v1', 'cart-2', '2026-11-21T11:00:00Z'), SERVICE)
  const { of } = await check(early, late)
  expect(of('time')).toMatchObject([
    { text: expect.stringMatching(/^from 2026-11-21T10:00:00.000Z to 2026-11-21T11:00:00.000Z: /) }
  ])
})

test('a file that is none of a cluster is a problem', async () => {
  const { code, of } = await check(folder.write('words.txt', 'no objects\n'), listFile('good.json', POD, SERVICE))
  expect(of('file')).toMatchObject([{ state: 'problem', text: expect.stringContaining('words.txt') }])
  expect(of('objects')).toHaveLength(1)
  expect(code).toBe(1)
})
