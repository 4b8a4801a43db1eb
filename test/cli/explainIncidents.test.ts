/** The incidents of `explain --format json` and of `replay`, through the program. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { Folder, why5xxHere } from '../support/program.ts'

const SAMPLE = join(import.meta.dirname, '../../samples/incidents/oom-during-load')
const LOG = join(SAMPLE, 'controller.log')
const folder = new Folder()
afterAll(() => folder.remove())

const lines = readFileSync(LOG, 'latin1').trimEnd().split('\n')
const write = (name: string, part: string[]): string =>
  folder.write(name, Buffer.from(`${part.join('\n')}\n`, 'latin1'))
const podOf = (line: string): string => line.split(' ')[0]!
const pods = [...new Set(lines.map(podOf))]

async function incidentsOf(...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await why5xxHere(['explain', '--format', 'json', ...args])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const { incidents, incidentBaseline } = JSON.parse(stdout) as Record<string, unknown>
  return { incidents, incidentBaseline }
}

const FOUND = {
  incidentBaseline: 'median',
  incidents: [
    {
      id: expect.stringMatching(/^inc-20261121-1004-[\w-]{8}$/),
      upstreamName: 'shop-cart-80',
      service: 'shop-cart-80',
      cause: 'connection_refused',
      rootCause: null,
      start: '2026-11-21T10:03:00.000Z',
      detectedAt: '2026-11-21T10:04:00.000Z',
      end: '2026-11-21T10:19:00.000Z',
      failures: 169,
      peakPerMinute: 81,
      expected: expect.any(Number),
      pValue: expect.any(Number)
    },
    expect.objectContaining({ cause: 'premature_close', failures: 11, end: '2026-11-21T10:13:00.000Z' })
  ]
}

test('every field of an incident', async () => {
  expect(await incidentsOf(LOG)).toEqual(FOUND)
})

test('pod after pod, as kubectl logs -l writes them', async () => {
  const sorted = pods.flatMap(pod => lines.filter(line => podOf(line) === pod))
  expect(sorted).not.toEqual(lines)
  expect(await incidentsOf(write('sorted.log', sorted))).toEqual(FOUND)
})

test('in a file for each pod', async () => {
  const files = pods.map((pod, i) =>
    write(
      `pod-${i}.log`,
      lines.filter(line => podOf(line) === pod)
    )
  )
  expect(await incidentsOf(...files)).toEqual(FOUND)
})

test('with the state of the cluster', async () => {
  expect(await incidentsOf(LOG, '--cluster', join(SAMPLE, 'cluster.ndjson'))).toMatchObject({
    incidents: [{ service: 'shop/cart', rootCause: 'oom_killed' }, {}]
  })
})

test('of one cause, of another service, of a few minutes', async () => {
  expect(await incidentsOf(LOG, '--cause', 'premature_close')).toMatchObject({
    incidents: [{ cause: 'premature_close' }]
  })
  expect(await incidentsOf(LOG, '--service', 'pay/api')).toEqual({ incidents: [], incidentBaseline: 'median' })
  const minutes = ['--from', '2026-11-21T10:03Z', '--to', '2026-11-21T10:05Z']
  expect(await incidentsOf(LOG, ...minutes)).toEqual({ incidents: [], incidentBaseline: null })
})

test('the page tells them, too', async () => {
  const { stdout } = await why5xxHere(['explain', '--format', 'html', LOG])
  expect(stdout).toMatch(/inc-20261121-1004-[\w-]{8}/)
})

test('replay stores them once, with what their failures tell', async () => {
  const store = join(folder.path, 'store')
  const options = ['--store', store, '--set', 'sink.embedded.retention=3650d']
  const cluster = ['--set', `kubernetes.snapshots=${join(SAMPLE, 'cluster.ndjson')}`]
  const replay = async () =>
    JSON.parse((await why5xxHere(['replay', LOG, '--format', 'json', ...options, ...cluster])).stdout)
  expect(await replay()).toMatchObject({ documentsWritten: 236, incidentsFound: 2, incidentsStored: 2 })
  expect(await replay()).toMatchObject({ documentsWritten: 0, incidentsFound: 2, incidentsStored: 0 })
  const window = ['--from', '2026-11-21T10:00Z', '--to', '2026-11-21T10:20Z', '--store', store]
  const listed = JSON.parse((await why5xxHere(['incidents', '--format', 'json', ...window])).stdout)
  expect(listed.incidents).toHaveLength(2)
  expect(JSON.stringify(listed.incidents)).toContain('oom_killed')
  const { stdout } = await why5xxHere(['timeline', ...window])
  expect(stdout).toContain('connection_refused on shop/cart, detected 10:04')

  // What README.md shows of the same commands.
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')
  const shown = /\n\$ why5xx incidents --from \S+ --to \S+\n([\s\S]*?)```/.exec(readme)
  expect((await why5xxHere(['incidents', ...window])).stdout).toBe(shown![1])
})
