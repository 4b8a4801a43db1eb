/** Whole incidents: what `explain` counts in a log is what the simulation that wrote it did; two reports as people see them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { why5xxHere } from './support/program.ts'

const INCIDENTS = join(import.meta.dirname, '../samples/incidents')
const FIGURES = [
  'lines',
  'records',
  'rejects',
  'requests',
  'failures',
  'masked',
  'clientClosed',
  'refusedByNginx',
  'continuations',
  'byStatus',
  'byCause',
  'from',
  'to'
] as const

interface Upstream {
  requests: number
  failures: number
}

interface Incident {
  service: string
  cause: string
  start: string
  failures: number
}

type Report = Record<(typeof FIGURES)[number], unknown> & {
  byUpstream: Record<string, Upstream>
  incidents: Incident[]
  incidentBaseline: string | null
}

const names = readdirSync(INCIDENTS).filter(name => existsSync(join(INCIDENTS, name, 'expected.json')))

test('there are incidents', () => {
  expect(names.length).toBeGreaterThanOrEqual(8)
})

test.each(names)('%s', async name => {
  const expected = JSON.parse(readFileSync(join(INCIDENTS, name, 'expected.json'), 'utf8')) as Report
  const { code, stdout, stderr } = await why5xxHere([
    'explain',
    '--format',
    'json',
    join(INCIDENTS, name, 'controller.log')
  ])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const report = JSON.parse(stdout) as Report
  expect(figuresOf(report)).toEqual(figuresOf(expected))
})

test.each(names)('the incidents of %s, and no others', async name => {
  const folder = join(INCIDENTS, name)
  const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Report
  const cluster = ['cluster.ndjson', 'cluster.json'].map(file => join(folder, file)).find(existsSync)!
  const args = ['explain', '--format', 'json', join(folder, 'controller.log'), '--cluster', cluster]
  const { incidents, incidentBaseline } = JSON.parse((await why5xxHere(args)).stdout) as Report
  // The logs are half an hour long.
  expect(incidentBaseline).toBe('median')
  expect(incidents.map(spikeOf).sort()).toEqual(expected.incidents.map(spikeOf).sort())
  for (const { cause, failures } of incidents) {
    const all = expected.incidents.find(incident => incident.cause === cause)!.failures
    // A second wave, ten minutes later, may be too small.
    expect(failures).toBeLessThanOrEqual(all)
    expect(failures).toBeGreaterThan(all / 2)
  }
})

function spikeOf({ service, cause, start }: Incident): string {
  return `${start} ${service} ${cause}`
}

function figuresOf(report: Report): Record<string, unknown> {
  const byUpstream = Object.fromEntries(
    Object.entries(report.byUpstream).map(([name, { requests, failures }]) => [name, { requests, failures }])
  )
  return { ...Object.fromEntries(FIGURES.map(key => [key, report[key]])), byUpstream }
}

describe('as people see them', () => {
  test.each(['oom-during-load', 'header-too-big'])('%s', async name => {
    const { stdout } = await why5xxHere(['explain', join(INCIDENTS, name, 'controller.log')])
    await expect(stdout).toMatchFileSnapshot(`./explain/${name}.txt`)
  })

  test('with the state of the cluster', async () => {
    const folder = join(INCIDENTS, 'oom-during-load')
    const cluster = join(folder, 'cluster.ndjson')
    const { stdout } = await why5xxHere(['explain', join(folder, 'controller.log'), '--cluster', cluster])
    await expect(stdout).toMatchFileSnapshot('./explain/oom-during-load.cluster.txt')
  })

  test('with a list of kubectl, in Markdown', async () => {
    const folder = join(INCIDENTS, 'readiness-failing')
    const files = [join(folder, 'controller.log'), '--cluster', join(folder, 'cluster.json')]
    const { stdout } = await why5xxHere(['explain', '--format', 'markdown', ...files])
    await expect(stdout).toMatchFileSnapshot('./explain/readiness-failing.cluster.md.txt')
  })

  test('in Markdown, in a zone', async () => {
    const log = join(INCIDENTS, 'wrong-target-port/controller.log')
    const { stdout } = await why5xxHere(['explain', '--format', 'markdown', '--time-zone', 'Europe/Berlin', log])
    await expect(stdout).toMatchFileSnapshot('./explain/wrong-target-port.md.txt')
  })
})
