/** Whole incidents with the state of their cluster: the pod and the root cause of every failure are what the simulation says. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { writeIncident } from '../bench/incidents/incident.ts'
import { INCIDENTS as SIMULATED } from '../bench/incidents.ts'
import { keptObject } from '../src/cluster/keptFields.ts'
import type { KubeObject } from '../src/cluster/objects.ts'
import { why5xxHere } from './support/program.ts'

const INCIDENTS = join(import.meta.dirname, '../samples/incidents')
const names = readdirSync(INCIDENTS).filter(name => existsSync(join(INCIDENTS, name, 'expected.json')))
/** So sure nobody may be of something wrong. */
const HIGH = 0.85

/**
 * Failures that are told otherwise with high confidence, and why. T is when a failure ended: a try that was given up after three
 * or five seconds began in the ten seconds in which news of a deletion travels, and ended behind them. A log without fractions
 * of a second and ε of two seconds make one refusal look like a part of the deletion that followed.
 */
const TOLD_OTHERWISE: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'rollout-without-prestop': {
    'host_unreachable stale_endpoints': 7,
    'connect_timeout stale_endpoints': 12
  },
  'wrong-target-port': { 'connection_refused termination_race': 1 }
}

interface Expected {
  cause: string
  upstream: string
  documents: number
  rootCause: string
  acceptable: string[]
  shareMin: number
  pods: Record<string, string>
}

interface Document {
  '@timestamp': string
  nginx_ingress_controller?: { access?: { upstream?: { name?: string } } }
  kubernetes?: { pod?: { name?: string } }
  why5xx: {
    cause: string
    upstream?: { ip?: string }
    root_cause?: { kind: string; confidence: number; sentence: string; evidence?: unknown[] }
  }
}

const stateOf = (name: string): string => {
  const recording = join(INCIDENTS, name, 'cluster.ndjson')
  return existsSync(recording) ? recording : join(INCIDENTS, name, 'cluster.json')
}

test('both forms of a state occur', () => {
  const recordings = names.filter(name => stateOf(name).endsWith('.ndjson'))
  expect(recordings.length).toBeGreaterThan(1)
  expect(names.length - recordings.length).toBeGreaterThan(1)
})

describe.each(names)('%s', name => {
  let documents: Document[]
  let expected: Expected[]
  beforeAll(async () => {
    expected = (JSON.parse(readFileSync(join(INCIDENTS, name, 'expected.json'), 'utf8')) as { rootCauses: Expected[] })
      .rootCauses
    const log = join(INCIDENTS, name, 'controller.log')
    const run = await why5xxHere(['explain', '--format', 'ndjson', log, '--cluster', stateOf(name)])
    expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: '' })
    documents = run.stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as Document)
  })

  const of = ({ cause, upstream }: Expected): Document[] =>
    documents.filter(
      document =>
        document.why5xx.cause === cause &&
        (document.nginx_ingress_controller?.access?.upstream?.name ?? '') === upstream
    )

  test('every failure is one of those that the simulation made', () => {
    expect(expected.map(one => [one.cause, one.upstream, of(one).length])).toEqual(
      expected.map(one => [one.cause, one.upstream, one.documents])
    )
    expect(expected.reduce((sum, one) => sum + one.documents, 0)).toBe(documents.length)
  })

  test('the pod is the one that held the address', () => {
    let compared = 0
    for (const one of expected) {
      for (const document of of(one)) {
        const held = one.pods[document.why5xx.upstream?.ip ?? '']
        if (held === undefined) continue
        compared++
        expect(document.kubernetes?.pod?.name, `${one.cause} at ${document['@timestamp']}`).toBe(held)
      }
    }
    expect(compared > 0 || expected.some(({ cause }) => cause === 'no_endpoints')).toBe(true)
  })

  test('without an address a pod of the Service is named', () => {
    for (const one of expected.filter(({ cause }) => cause === 'no_endpoints'))
      for (const document of of(one)) expect(Object.values(one.pods)).toContain(document.kubernetes?.pod?.name)
  })

  test('the root cause is the one of the simulation', () => {
    for (const one of expected) {
      const own = of(one)
      const right = own.filter(({ why5xx }) => why5xx.root_cause?.kind === one.rootCause)
      expect(right.length / own.length, `${one.cause} at ${one.upstream}`).toBeGreaterThanOrEqual(one.shareMin)
      for (const { why5xx } of right) expect(why5xx.root_cause?.evidence?.length ?? 0).toBeGreaterThan(0)
    }
  })

  test('nothing else is said with high confidence', () => {
    const wrong: Record<string, number> = {}
    for (const one of expected) {
      for (const { why5xx } of of(one)) {
        const { kind = '', confidence = 0 } = why5xx.root_cause ?? {}
        if (confidence < HIGH || kind === one.rootCause || one.acceptable.includes(kind)) continue
        const key = `${one.cause} ${kind}`
        wrong[key] = (wrong[key] ?? 0) + 1
      }
    }
    expect(wrong).toEqual(TOLD_OTHERWISE[name] ?? {})
  })
})

describe('the samples', () => {
  test.each(SIMULATED.map(incident => [incident.name, incident] as const))('%s is as simulated', (name, incident) => {
    const files = Object.entries(writeIncident(incident))
    expect(files.length).toBe(3)
    for (const [file, content] of files)
      expect(content === readFileSync(join(INCIDENTS, name, file), 'utf8'), `${name}/${file} is as written`).toBe(true)
  })

  test.each(names)('%s: a state holds what a watch keeps, and nothing else', name => {
    const objects = objectsIn(readFileSync(stateOf(name), 'utf8'), stateOf(name).endsWith('.ndjson'))
    expect(objects.length).toBeGreaterThan(60)
    for (const { apiVersion: _, ...object } of objects) expect(keptObject(object)).toEqual(object)
  })
})

function objectsIn(text: string, isRecording: boolean): (KubeObject & { apiVersion?: string })[] {
  if (!isRecording) return (JSON.parse(text) as { items: KubeObject[] }).items
  return text
    .trimEnd()
    .split('\n')
    .map(line => (JSON.parse(line) as { object?: KubeObject }).object)
    .filter(object => object !== undefined)
}
