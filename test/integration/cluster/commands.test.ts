/** A person at a shell beside the workers, with the options file that they have. */
import { afterAll, beforeAll, describe, expect } from 'vitest'
import type { Timeline } from '../../../src/timeline/model.ts'
import buildDist from '../../support/buildDist.ts'
import { Folder, type Run, why5xx } from '../../support/program.ts'
import { ScriptedElasticsearch } from '../../support/scriptedElasticsearch.ts'
import { ClusterBed, clusterTest, fluentBit } from './bed.ts'
import { ClusterLog, comparable } from './clusterLog.ts'

const HOUR = ['--from', '2026-03-12T10:00Z', '--to', '2026-03-12T11:00Z']

const folder = new Folder()
let bed: ClusterBed
let log: ClusterLog

beforeAll(async () => {
  buildDist()
  log = await ClusterLog.make(folder, { lines: 2_000, pods: 2, seed: 9 })
  bed = new ClusterBed('commands')
  await bed.prepare(2)
  // What is JSON is YAML.
  folder.write('why5xx.yaml', JSON.stringify(nested(bed.options)))
  await bed.send(fluentBit(log.lines))
  const worker = bed.start()
  await bed.allCommitted()
  expect(await worker.kill('SIGTERM')).toEqual({ code: 0, signal: null })
})

afterAll(async () => {
  await bed?.remove()
  folder.remove()
})

/** In the folder that has why5xx.yaml. */
const shell = (...args: string[]): Promise<Run> => why5xx(args, { cwd: folder.path })
const setting = (path: string, value: string): string[] => ['--set', `${path}=${value}`]

function nested(options: ClusterBed['options']): object {
  const root: Record<string, unknown> = {}
  for (const [path, value] of Object.entries(options)) {
    const names = path.split('.')
    const last = names.pop()!
    let at = root
    for (const name of names) at = (at[name] ??= {}) as Record<string, unknown>
    at[last] = value
  }
  return root
}

describe('with the workers’ own options', () => {
  clusterTest('failures', async () => {
    const { code, stdout, stderr } = await shell('failures', '--format', 'ndjson')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const found = stdout.trimEnd().split('\n')
    expect(new Map(found.map(line => comparable(JSON.parse(line) as Record<string, unknown>)))).toEqual(log.explained)
    const table = await shell('failures', '--limit', '3', ...HOUR)
    expect(table.stdout).toMatch(new RegExp(`3 of ${log.explained.size} shown`))
  })

  clusterTest('timeline', async () => {
    const { code, stdout, stderr } = await shell('timeline', '--format', 'json', ...HOUR)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const inHour = [...log.totals].filter(([key]) => key < '2026-03-12T11:00')
    const [requests, failed] = [0, 1].map(i => inHour.reduce((sum, [, counts]) => sum + counts[i]!, 0))
    expect(JSON.parse(stdout) as Timeline).toMatchObject({ requests, failed })
  })

  clusterTest('check and a dry setup find everything in place', async () => {
    const check = await shell('check')
    expect(check.code, check.stdout).toBe(0)
    expect(check.stdout).toContain(`${bed.topic}: 2 partitions, ${log.lines.length.toLocaleString('en')} messages`)
    expect(check.stdout).toContain(`${bed.rejectTopic}: it is there`)
    const setup = await shell('setup', '--dry-run')
    expect(setup).toMatchObject({ code: 0, stderr: '' })
    // Tests beside this one set the index templates up with another lifecycle.
    expect(setup.stdout).toMatch(
      /unchanged +component template why5xx-fields[\s\S]*index template why5xx-failure[\s\S]*(?:nothing changed|nothing was written \(--dry-run\))\.\n$/
    )
  })
})

describe('what is wrong is said in a sentence', () => {
  const NOWHERE = setting('sink.elasticsearch.nodes', 'http://127.0.0.1:1')

  clusterTest.each([['failures'], ['timeline'], ['setup'], ['run']])(
    '%s, and Elasticsearch is not there',
    async command => {
      const { code, stdout, stderr } = await shell(command, ...NOWHERE)
      expect([code, stdout]).toEqual([1, ''])
      expect(stderr).toMatch(/^why5xx: .*Elasticsearch.*127\.0\.0\.1:1.*\n$/)
      expect(stderr).not.toMatch(/\n\s+at /)
    }
  )

  clusterTest('check names each thing that must be mended', async () => {
    const { code, stdout } = await shell('check', ...NOWHERE, ...setting('source.kafka.topic', 'not.there'))
    expect(code).toBe(1)
    expect(stdout).toMatch(/127\.0\.0\.1:1/)
    expect(stdout).toMatch(/not\.there: there is no such topic/)
  })

  clusterTest('run, and the topic is not there', async () => {
    const { code, stderr } = await shell('run', ...setting('source.kafka.topic', 'not.there'))
    expect(code).toBe(1)
    expect(stderr).toMatch(/topic not\.there/)
  })

  clusterTest('run, and nobody has set the cluster up', async () => {
    const empty = await ScriptedElasticsearch.start()
    const { code, stderr } = await shell('run', ...setting('sink.elasticsearch.nodes', empty.url))
    await empty.stop()
    expect(code).toBe(1)
    expect(stderr).toMatch(/lacks our templates \(why5xx-ecs, .*\): run why5xx setup once/)
  })

  clusterTest('another namespace is empty', async () => {
    const { code, stdout } = await shell('failures', ...setting('sink.elasticsearch.namespace', 'nobody_here'))
    expect([code, stdout]).toEqual([0, 'The store is empty.\n'])
  })
})
