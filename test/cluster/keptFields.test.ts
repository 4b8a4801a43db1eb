import '../support/seed.ts'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { certificateFacts } from '../../src/cluster/certificate.ts'
import { keptObject } from '../../src/cluster/keptFields.ts'
import { KINDS } from '../../src/cluster/objects.ts'

const CASES = readFileSync(join(import.meta.dirname, '../../samples/diagnosis/visible.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map(line => JSON.parse(line) as { objects: { kind: string }[]; watch?: { object: { kind: string } }[] })
const OBJECTS = CASES.flatMap(one => [...one.objects, ...(one.watch ?? []).map(event => event.object)])

function object(kind: string, rest: object = {}): object {
  return { kind, metadata: { name: 'a', namespace: 'shop' }, ...rest }
}

test('a pod keeps what diagnosis reads, and nothing else', () => {
  const raw = OBJECTS.find(one => one.kind === 'Pod')!
  expect(keptObject(raw)).toEqual({
    kind: 'Pod',
    metadata: {
      name: 'basket-7016f59da-tq5vd',
      namespace: 'bookshop',
      uid: '717c713b-d261-5796-93ba-5bbecd3442ee',
      resourceVersion: '690895',
      creationTimestamp: '2025-03-17T14:20:05Z',
      labels: { app: 'basket', 'pod-template-hash': '7016f59da' },
      ownerReferences: [
        {
          kind: 'ReplicaSet',
          name: 'basket-7016f59da',
          uid: '811a3bc5-5510-58a1-81cc-d7f0c5a017f2',
          controller: true
        }
      ]
    },
    spec: {
      nodeName: 'pool-a-1',
      containers: [
        {
          name: 'basket',
          image: 'registry.example.com/bookshop/basket:1.8',
          ports: [{ containerPort: 8080, name: 'http', protocol: 'TCP' }],
          resources: { limits: { memory: '192Mi' }, requests: { memory: '128Mi' } },
          readinessProbe: {
            httpGet: { path: '/ready', port: 8080, scheme: 'HTTP' },
            periodSeconds: 5,
            timeoutSeconds: 1,
            failureThreshold: 3,
            successThreshold: 1
          }
        }
      ],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      serviceAccountName: 'default'
    },
    status: {
      phase: 'Running',
      podIP: '10.60.1.14',
      podIPs: [{ ip: '10.60.1.14' }],
      hostIP: '10.0.0.203',
      startTime: '2025-03-17T14:20:05Z',
      conditions: [
        { type: 'PodScheduled', status: 'True', lastTransitionTime: '2025-03-17T14:20:05Z' },
        { type: 'Initialized', status: 'True', lastTransitionTime: '2025-03-17T14:20:06Z' },
        { type: 'ContainersReady', status: 'True', lastTransitionTime: '2025-03-18T14:20:17Z' },
        { type: 'Ready', status: 'True', lastTransitionTime: '2025-03-18T14:20:17Z' }
      ],
      containerStatuses: [
        {
          name: 'basket',
          image: 'registry.example.com/bookshop/basket:1.8',
          ready: true,
          started: true,
          restartCount: 1,
          state: { running: { startedAt: '2025-03-18T14:20:06Z' } },
          lastState: {
            terminated: {
              reason: 'OOMKilled',
              exitCode: 137,
              startedAt: '2025-03-17T14:20:15Z',
              finishedAt: '2025-03-18T14:20:03Z'
            }
          }
        }
      ]
    }
  })
})

describe('Event', () => {
  const about = { kind: 'Pod', namespace: 'shop', name: 'a-1', uid: 'u1', fieldPath: 'spec.containers{app}' }

  test('of events.k8s.io has the form of core/v1', () => {
    const raw = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'a-1.17', namespace: 'shop' },
      regarding: about,
      note: 'Readiness probe failed',
      reason: 'Unhealthy',
      type: 'Warning',
      reportingController: 'kubelet',
      deprecatedFirstTimestamp: '2025-01-01T10:00:00Z',
      deprecatedLastTimestamp: '2025-01-01T10:01:00Z',
      deprecatedCount: 7,
      deprecatedSource: { host: 'node-1' },
      eventTime: '2025-01-01T10:00:00.123456Z',
      series: { count: 3, lastObservedTime: '2025-01-01T10:02:00.000000Z' }
    }
    const core = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'a-1.17', namespace: 'shop' },
      involvedObject: about,
      message: 'Readiness probe failed',
      reason: 'Unhealthy',
      type: 'Warning',
      count: 7,
      firstTimestamp: '2025-01-01T10:00:00Z',
      lastTimestamp: '2025-01-01T10:01:00Z',
      eventTime: '2025-01-01T10:00:00.123456Z',
      series: { count: 3, lastObservedTime: '2025-01-01T10:02:00.000000Z' },
      source: { component: 'kubelet', host: 'node-1' }
    }
    expect(keptObject(raw)).toEqual(keptObject(core))
    expect(keptObject(raw)).toMatchObject({ involvedObject: about, count: 7, source: core.source })
  })
})

describe('secrets', () => {
  const raw = OBJECTS.find(one => one.kind === 'Secret')!

  test('of a Secret the certificate and the names of its entries stay', () => {
    expect(keptObject(raw, { certificateFacts })).toEqual({
      kind: 'Secret',
      metadata: expect.objectContaining({ name: 'www-tls', namespace: 'bookshop' }),
      type: 'kubernetes.io/tls',
      keys: ['tls.crt'],
      certificate: {
        notBefore: '2025-05-17T00:05:00Z',
        notAfter: '2025-08-15T00:00:00Z',
        sans: ['www.bookshop.example.com'],
        issuer: 'O=Example Trust, CN=R11'
      }
    })
  })

  test.each([
    ['not base64', '%%%', /base64/],
    ['no certificate', btoa('hello'), /no certificate/],
    ['far too long', 'A'.repeat(200_000), /more than/]
  ])('a tls.crt that is %s says so', (_name, entry, error) => {
    const kept = keptObject(object('Secret', { data: { 'tls.crt': entry, 'tls.key': 'cHJpdmF0ZQ==' } }), {
      certificateFacts
    })
    expect(kept).toMatchObject({ keys: ['tls.crt', 'tls.key'], certificate: { error: expect.stringMatching(error) } })
  })

  test('no value of a Secret, a foreign annotation, a variable or an argument gets through', () => {
    const secret = 'Hunter2secret'
    const container = {
      name: 'app',
      env: [{ name: 'X', value: secret }],
      args: [secret, `--x=${secret}`, '--y', secret],
      lifecycle: { preStop: { exec: { command: ['sh', '-c', `curl -H ${secret}`] } } },
      livenessProbe: { exec: { command: [secret] }, httpGet: { port: 1, httpHeaders: [{ name: 'X', value: secret }] } }
    }
    const kept = [
      object('Secret', { data: { password: btoa(secret) }, stringData: { x: secret } }),
      object('ConfigMap', { data: { x: secret }, binaryData: { y: btoa(secret) } }),
      object('Pod', {
        metadata: { name: 'a', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': secret } },
        spec: { containers: [container], initContainers: [container] },
        status: {
          containerStatuses: [
            { name: 'app', lastState: { terminated: { message: `connect postgres://u:${secret}@db failed` } } }
          ]
        }
      }),
      object('Ingress', {
        metadata: {
          name: 'a',
          annotations: {
            'nginx.ingress.kubernetes.io/server-snippet': `set $x "${secret}";`,
            'nginx.ingress.kubernetes.io/auth-url': `http://u:${secret}@a/?k=${secret}`
          }
        }
      })
    ].map(one => keptObject(one, { certificateFacts }))
    expect(kept).not.toContain(null)
    expect(JSON.stringify(kept)).not.toMatch(new RegExp(`${secret}|${btoa(secret)}`))
    expect(JSON.stringify(kept)).toContain('connect postgres://db failed')
  })
})

test.each([
  ['a Service of Knative', { apiVersion: 'serving.knative.dev/v1', ...object('Service') }],
  ['a NetworkPolicy of Calico', { apiVersion: 'crd.projectcalico.org/v1', ...object('NetworkPolicy') }],
  ['an unknown kind', object('Gateway')],
  ['a kind from the prototype', object('constructor')],
  ['no name', { kind: 'Pod', metadata: {} }],
  ['an inherited name', { kind: 'Pod', metadata: Object.create({ name: 'a' }) }],
  ['no object', 'Pod'],
  ['nothing', null],
  // With a peer left out the policy would admit more, with `from: []` anybody.
  [
    'a policy with a peer that cannot be read',
    object('NetworkPolicy', { spec: { podSelector: {}, ingress: [{ from: [7] }] } })
  ],
  [
    'a policy with a selector that cannot be read',
    object('NetworkPolicy', { spec: { podSelector: { matchLabels: { app: 7 } } } })
  ],
  [
    'a selector with half a condition',
    object('Deployment', { spec: { selector: { matchExpressions: [{ key: 'a' }] } } })
  ]
])('%s is left out', (_name, raw) => {
  expect(keptObject(raw)).toBeNull()
})

test('a policy is kept whole', () => {
  const spec = {
    podSelector: {},
    policyTypes: ['Ingress'],
    ingress: [
      {},
      {
        from: [
          {
            namespaceSelector: { matchLabels: { a: 'b' } },
            podSelector: { matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] }
          },
          { ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }
        ],
        ports: [{ port: 'http' }, { port: 1, endPort: 9, protocol: 'UDP' }]
      }
    ]
  }
  expect(keptObject(object('NetworkPolicy', { spec }))).toMatchObject({ spec })
})

test('what was kept once stays as it is', () => {
  for (const raw of OBJECTS) {
    const kept = keptObject(raw, { certificateFacts })
    expect(kept).not.toBeNull()
    expect(keptObject(kept, { certificateFacts })).toEqual(kept)
  }
})

describe('hostile objects', () => {
  test('keys of prototypes are data, and a `__proto__` is nobody', () => {
    const raw = JSON.parse(
      '{"kind":"Pod","metadata":{"name":"a","labels":{"__proto__":"x","constructor":"y"},"__proto__":{"uid":"z"}},"__proto__":{"spec":{}}}'
    )
    const kept = keptObject(raw)!
    expect(kept).toEqual({ kind: 'Pod', metadata: { name: 'a', labels: { constructor: 'y' } } })
    expect(Object.getPrototypeOf(kept.metadata.labels)).toBe(Object.prototype)
  })

  test('deep, long and wide ones are cut', () => {
    let deep: unknown = 'end'
    for (let depth = 0; depth < 100_000; depth++) deep = { metrics: [deep] }
    const long = 'x'.repeat(10_000_000)
    const wide = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`key-${i}`, long]))
    const kept = [
      keptObject(object('HorizontalPodAutoscaler', { spec: { metrics: [deep] } })),
      keptObject({
        kind: 'Pod',
        metadata: { name: 'a', labels: wide, annotations: { 'nginx.ingress.kubernetes.io/a': long } }
      }),
      keptObject(
        object('Pod', { status: { message: long, conditions: Array(100_000).fill({ type: long, status: 'True' }) } })
      ),
      keptObject(object('Pod', { spec: { containers: [{ name: 'a', args: Array(100_000).fill(long) }] } }))
    ]
    expect(kept).not.toContain(null)
    for (const one of kept) expect(JSON.stringify(one).length).toBeLessThan(400_000)
  })

  const soup = fc.letrec(tie => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(
        null,
        true,
        -0,
        Number.NaN,
        '',
        '***',
        'db',
        '--port',
        '--password',
        'a b --x=1 "',
        'http://u:p@h/x?y'
      ),
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(
        fc.constantFrom(
          'name',
          'type',
          'status',
          'key',
          'operator',
          'values',
          'matchLabels',
          'port',
          'args',
          'value',
          '__proto__',
          'app'
        ),
        tie('value'),
        { maxKeys: 5 }
      )
    )
  })).value

  /** Good objects with something wrong put in at a random place. */
  function spoilt(raw: unknown, path: readonly number[], value: unknown): unknown {
    if (path.length === 0 || typeof raw !== 'object' || raw === null) return value
    const keys = Object.keys(raw)
    if (keys.length === 0) return value
    const key = keys[path[0]! % keys.length]!
    const inner = spoilt((raw as Record<string, unknown>)[key], path.slice(1), value)
    return Array.isArray(raw) ? raw.map((old, i) => (String(i) === key ? inner : old)) : { ...raw, [key]: inner }
  }

  test('nothing makes it throw, and what it keeps it keeps again', () => {
    const good = fc.tuple(fc.constantFrom(...OBJECTS), fc.array(fc.nat(50), { minLength: 1, maxLength: 8 }), soup)
    const raw = fc.oneof(
      good.map(([one, path, value]) => spoilt(one, path, value)),
      fc.record({
        kind: fc.constantFrom(...KINDS),
        metadata: fc.oneof(soup, fc.constant({ name: 'a' })),
        spec: soup,
        status: soup,
        data: soup
      }),
      soup
    )
    fc.assert(
      fc.property(raw, value => {
        const kept = keptObject(value, { certificateFacts })
        if (kept !== null) expect(keptObject(kept, { certificateFacts })).toEqual(kept)
        return kept === null || KINDS.includes(kept.kind)
      }),
      { numRuns: 1_000 }
    )
  })

  test('arguments and settings of any words are stable', () => {
    const words = fc.constantFrom(
      '--password',
      '--port=1',
      '-p',
      'db',
      'db:1',
      'node',
      "'a",
      '"',
      "'db:1'",
      '***',
      'A=b',
      'sleep',
      '5',
      '&&',
      '://a@',
      '/x',
      ';',
      '?'
    )
    const text = fc.array(words, { maxLength: 6 }).map(list => list.join(' '))
    fc.assert(
      fc.property(fc.array(text, { maxLength: 6 }), text, (args, setting) => {
        const raw = object('Pod', {
          metadata: {
            name: 'a',
            annotations: { 'nginx.ingress.kubernetes.io/x': setting, 'nginx.ingress.kubernetes.io/a-snippet': setting }
          },
          spec: { containers: [{ name: 'a', args, env: [{ name: 'X', value: setting }] }] }
        })
        const kept = keptObject(raw)
        expect(kept).toMatchObject({ spec: { containers: [{ args: { length: args.length } }] } })
        expect(keptObject(kept)).toEqual(kept)
      }),
      { numRuns: 1_000 }
    )
  })
})
