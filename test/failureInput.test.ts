/** What is asked of a stored failure is what was asked of it when it was read, and so is the answer. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { KNOWN_FORMATS } from '../parsers/logFormat.ts'
import { openClusterState } from '../src/cluster/clusterIndex.ts'
import { diagnose } from '../src/diagnose/diagnose.ts'
import { inputOfDocument, inputOfFailure } from '../src/failureInput.ts'
import { MASK_ALL, MASK_NOTHING, Masker, type MaskOptions } from '../src/mask.ts'
import type { Failure } from '../src/model.ts'
import { buildDocument } from '../src/store/document.ts'
import { EXAMPLES, options, T } from './store/examples.ts'
import { request } from './support/arbitrary.ts'
import { runEngine } from './support/engineRun.ts'
import { accessLine, cri, errorLine, MESSAGES } from './support/lines.ts'
import { renderAccess } from './support/nginxRender.ts'
import './support/seed.ts'
import { ShopCluster, told } from './support/shopCluster.ts'

/** The default, and one that names what was routed. */
const FORMATS: [string, 'default' | 'json'][] = [
  [KNOWN_FORMATS[0]!.format, 'default'],
  [
    `{${[
      ['time', 'time_iso8601'],
      'remote_addr',
      'host',
      'request_method',
      'uri',
      'args',
      'status',
      'request_time',
      'request_length',
      'upstream_addr',
      'upstream_status',
      'upstream_response_time',
      'upstream_response_length',
      'http_user_agent',
      'proxy_upstream_name',
      'proxy_alternative_upstream_name',
      'namespace',
      'ingress_name',
      'service_name'
    ]
      .map(field => (typeof field === 'string' ? [field, field] : field))
      .map(([key, variable]) => `"${key}": "$${variable}"`)
      .join(', ')}}`,
    'json'
  ]
]
const MASKS: Record<string, MaskOptions> = {
  'everything masked': MASK_ALL,
  'nothing masked': MASK_NOTHING,
  'paths by pattern, networks for clients, no agents': {
    ...MASK_ALL,
    userAgent: true,
    path: [/\d+/g, /cart/],
    client: 'truncate'
  }
}

const shop = new ShopCluster({ addresses: ['10.2.3.14', '10.2.3.15', '10.2.3.16'], nowMs: T })
const state = openClusterState()
for (const event of [
  ...shop.listed(T - 600_000),
  told(T + 20_000, 'MODIFIED', shop.oomKilled(2, T - 1_000)),
  { at: T + 60_000, type: 'HEARTBEAT' } as const
])
  state.apply(event)

function both(failure: Failure, masking: MaskOptions) {
  const { document } = buildDocument(failure, { ...options(masking), nowMs: () => T + 5_000 })
  return { live: inputOfFailure(failure, new Masker(masking)), stored: inputOfDocument(document) }
}

describe.each(Object.entries(MASKS))('%s', (_name, masking) => {
  test.each(Object.entries(EXAMPLES))('%s', (_example, lines) => {
    const { failures } = runEngine(lines)
    expect(failures.length).toBeGreaterThan(0)
    for (const failure of failures) {
      const { live, stored } = both(failure, masking)
      expect(stored).toEqual(live)
      expect(diagnose(stored, state)).toEqual(diagnose(live, state))
    }
  })

  test('whatever a client sends and an upstream does', () => {
    let failed = 0
    let named = 0
    fc.assert(
      fc.property(request, given => {
        for (const [format, escaping] of FORMATS) {
          for (const failure of runEngine([renderAccess(format, given.variables, escaping)]).failures) {
            failed++
            if (failure.access?.record.namespace === 'shop') named++
            const { live, stored } = both(failure, masking)
            expect(stored).toEqual(live)
          }
        }
      }),
      { numRuns: 100 }
    )
    expect(failed).toBeGreaterThan(50)
    expect(named).toBeGreaterThan(10)
  })
})

test.each([
  ['a host with a port', { host: 'shop.example.com:8443' }, { host: 'shop.example.com' }],
  ['a host with a password', { host: 'user:pass@shop.example.com' }, { host: '***@shop.example.com' }],
  ['a message that quotes a secret', { message: 'client sent invalid header line: "Cookie: a=b"' }, {}],
  ['a host that is empty', { host: '' }, {}]
])('%s', (_name, line, expected) => {
  const text = errorLine({ timeMs: T, message: MESSAGES.refused, upstream: '10.2.3.14:8080', ...line })
  const { failures } = runEngine([
    cri(T, 'stderr', text),
    cri(T + 1, 'stdout', accessLine({ timeMs: T, status: 502, up: '10.2.3.14:8080|0|0.001|502' }))
  ])
  expect(failures).toHaveLength(1)
  const { live, stored } = both(failures[0]!, MASK_ALL)
  expect(stored).toEqual(live)
  expect(live).toMatchObject(expected)
})

test('the state of the test tells something: a termination that was told later is the root cause', () => {
  const { failures } = runEngine(EXAMPLES['refused-three-times']!)
  const found = failures.map(failure => diagnose(both(failure, MASK_ALL).live, state))
  expect(found).toMatchObject([{ rootCause: 'oom_killed', names: { pod: shop.pods[2]!.metadata.name } }])
})
