/** `fix` over stored failures and case files. */
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { FailureDocument } from '../../src/store/document.ts'
import * as open from '../../src/store/open.ts'
import { sampleCases } from '../diagnose/support/judged.ts'
import { UNSAFE } from '../support/hostileText.ts'
import { MemoryStore, storeOf } from '../support/memoryReader.ts'
import { Folder, why5xxHere } from '../support/program.ts'

interface Labels {
  matchLabels?: object
}

const LOG = join(import.meta.dirname, '../../samples/incidents/oom-during-load/controller.log')

let store: MemoryStore
beforeAll(() => void vi.spyOn(open, 'openReader').mockImplementation(async () => store))

const filled = storeOf([LOG])
const [row] = filled.rows
/** A failure of the store, as it is when the cluster was known. */
const OOM = {
  why5xx: {
    cause: 'connection_refused',
    root_cause: {
      kind: 'oom_killed',
      ref: 'Pod shop/cart-7d9f-x',
      at: '2026-11-21T10:02:11.000Z',
      confidence: 0.96,
      label: 'high',
      chain: ['connection_refused', 'oom_killed'],
      evidence: [
        {
          cite: 'Pod shop/cart-7d9f-x status.containerStatuses[app].lastState.terminated.reason=OOMKilled',
          at: null,
          text: 'container app was OOM-killed\u001b[2J'
        },
        { cite: 'Pod shop/cart-7d9f-x spec.containers[app].resources.limits.memory=256Mi', at: null, text: 'its limit' }
      ]
    }
  },
  kubernetes: {
    namespace: 'shop',
    service: { name: 'cart' },
    pod: { name: 'cart-7d9f-x' },
    container: { name: 'app' },
    deployment: { name: 'cart' }
  }
}

function holding(id: string, document: FailureDocument): MemoryStore {
  const one = new MemoryStore()
  one.rows.push({ ...row!, id, document: { ...document, event: { id } } })
  return one
}

beforeEach(() => {
  store = holding('f1', OOM)
})
const folder = new Folder()
afterAll(() => folder.remove())

describe('a stored failure', () => {
  test('with its root cause: sentence, evidence, commands, diff, and the way back', async () => {
    const { code, stdout, stderr } = await why5xxHere(['fix', 'f1'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(
      /^shop\/cart-7d9f-x was OOM-killed at 10:02:11 \(limit 256Mi\)\noom_killed: .*S1, confidence 0\.96 \(high\); f1\n/
    )
    expect(stdout).toContain('Evidence\n  - container app was OOM-killed\\x1B[2J\n')
    expect(stdout).toContain('\nCheck\n  kubectl -n shop describe pod cart-7d9f-x\n')
    expect(stdout).toMatch(/\n {2}kubectl -n shop patch deployment cart .*"memory":"384Mi".* --dry-run=server\n/)
    expect(stdout).toContain('  - "256Mi"\n    + "384Mi"')
    expect(stdout).toMatch(/\nTake it back\n {2}kubectl -n shop patch .*"memory":"256Mi"/)
    expect(store.isClosed).toBe(true)
  })

  test('as JSON', async () => {
    const { stdout } = await why5xxHere(['fix', 'f1', '--format', 'json'])
    expect(JSON.parse(stdout)).toMatchObject({
      id: 'f1',
      root_cause: 'oom_killed',
      sentence: 'shop/cart-7d9f-x was OOM-killed at 10:02:11 (limit 256Mi)',
      runbook: expect.arrayContaining(['kubectl -n shop describe pod cart-7d9f-x']),
      remediation: { is_automatic: true, diff: [{ from: '"256Mi"', to: '"384Mi"' }], manifest: null }
    })
  })

  test.each([
    ['an unknown id', 'f2', OOM, 2, /there is no failure f2 in \.\/why5xx-data; why5xx failures --format ndjson/],
    [
      'no state',
      'f1',
      { why5xx: { cause: 'read_timeout' } },
      1,
      /the state of the cluster .* was not known .*why5xx causes read_timeout/
    ],
    [
      'nothing readable',
      'f1',
      { why5xx: { cause: 'read_timeout', cluster: { known: true } } },
      1,
      /nothing of the cluster could be read/
    ],
    [
      'another version',
      'f1',
      { why5xx: { root_cause: { kind: 'gremlins' } } },
      1,
      /its root cause gremlins is none that this version knows/
    ]
  ])('%s', async (_name, id, document, expected, message) => {
    store = holding('f1', document)
    const { code, stdout, stderr } = await why5xxHere(['fix', id])
    expect(stderr).toMatch(message)
    expect({ code, stdout }).toEqual({ code: expected, stdout: '' })
    expect(store.isClosed).toBe(true)
  })

  test('undetermined: what would decide it', async () => {
    store = holding('f1', {
      why5xx: { root_cause: { kind: 'undetermined', confidence: 0, would_decide: ['a trace'] } }
    })
    const { code, stdout } = await why5xxHere(['fix', 'f1'])
    expect(code).toBe(0)
    expect(stdout).toContain('What would decide it\n  - a trace\n')
    expect(stdout).not.toContain('Try it')
  })
})

describe('a case file', () => {
  test('is diagnosed, and its state looked at', async () => {
    const port = sampleCases().find(({ id }) => id === 'VD-005')!
    const file = folder.write('case.json', JSON.stringify(port, null, 2))
    const { code, stdout } = await why5xxHere(['fix', file])
    expect(code).toBe(0)
    expect(stdout).toContain(`'{"spec":{"ports":[{"port":80,"targetPort":8000}]}}' --dry-run=server`)
  })

  test('labels of a policy move no cursor and turn no writing', async () => {
    const marks = '\u009b31m\u202e\u2028\u001b[2J'
    const policy = JSON.stringify(sampleCases().find(({ id }) => id === 'VD-007')!)
    const hostile = JSON.parse(policy, (key, value: unknown) =>
      key === 'podSelector' ? { matchLabels: { ...(value as Labels).matchLabels, [`a${marks}`]: marks } } : value
    ) as { objects: { kind: string; metadata: { labels?: object } }[] }
    for (const { kind, metadata } of hostile.objects)
      if (kind === 'Pod') metadata.labels = { ...metadata.labels, [`a${marks}`]: marks }
    const { code, stdout } = await why5xxHere(['fix', folder.write('hostile.json', JSON.stringify(hostile))])
    expect(code).toBe(0)
    expect(stdout).toContain('Manifest to review\n{')
    expect(stdout).toContain('"\\u009b31m\\u202e\\u2028\\u001b[2J"')
    expect(stdout.split('\n').filter(line => UNSAFE.test(line))).toEqual([])
  })

  test('a policy is printed, not patched', async () => {
    const policy = sampleCases().find(({ id }) => id === 'VD-007')!
    const { stdout } = await why5xxHere([
      'fix',
      '--format',
      'json',
      folder.write('policy.json', JSON.stringify(policy))
    ])
    const { remediation } = JSON.parse(stdout)
    expect(remediation).toMatchObject({ is_automatic: false, diff: [] })
    expect(JSON.parse(remediation.manifest)).toMatchObject({
      kind: 'NetworkPolicy',
      metadata: { namespace: 'treasury' },
      spec: { podSelector: { matchLabels: { app: 'audit' } } }
    })
  })

  test.each([
    ['several', '{"id":"a"}\n{"id":"b"}\n', /it holds 2 lines; fix takes one case/],
    ['no JSON', 'nonsense', /it is no JSON; fix takes one case/],
    ['no failure', '{"id":"a"}', /case a: failure: expected an object/]
  ])('%s', async (name, text, message) => {
    const { code, stdout, stderr } = await why5xxHere(['fix', folder.write(`${name}.json`, text)])
    expect(stderr).toMatch(message)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  })

  test('that is not there, and a wrong format', async () => {
    expect(await why5xxHere(['fix', './none.json'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('none.json')
    })
    expect(await why5xxHere(['fix', 'f1', '--format', 'yaml'])).toMatchObject({ code: 2 })
  })
})
