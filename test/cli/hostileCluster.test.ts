/** Objects of a cluster are data too: names, messages and annotations that attack a terminal, a page or Markdown. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { activeLines, foreignMarkup, UNSAFE } from '../support/hostileText.ts'
import { accessLine, at, errorLine, MESSAGES } from '../support/lines.ts'
import { Folder, type Run, why5xxHere } from '../support/program.ts'

const folder = new Folder()
afterAll(() => folder.remove())

const NAMES = [
  '\u202E\u001b[31mred\u0007',
  '<img src=x onerror=alert(1)>',
  '[x](http://evil.example)|@everyone `a` ![y](//evil.example)',
  '</title><script>alert(1)</script>',
  '# heading\n\n| a | b |\r\n<!-- \u2028 -->',
  '__proto__',
  'constructor'
]
const SECRET = 's3cr3t-of-the-cluster'
const time = (clock: string): string => new Date(at(clock)).toISOString().replace('.000Z', 'Z')

/** Pods that were OOM-killed, each with one hostile text everywhere, and what stands around them. */
function objects(): object[] {
  return NAMES.flatMap((text, index) => {
    const uid = `uid-${index}-${text}`
    const pod = {
      kind: 'Pod',
      metadata: {
        name: `cart-${text}`,
        namespace: 'shop',
        uid,
        creationTimestamp: time('09:00:00'),
        labels: { app: 'cart', [text]: text },
        annotations: { [`nginx.ingress.kubernetes.io/${text}`]: text }
      },
      spec: {
        nodeName: text,
        containers: [
          {
            name: text,
            image: text,
            ports: [{ containerPort: 80 }],
            env: [{ name: 'DATABASE_PASSWORD', value: SECRET }],
            args: [`--token=${SECRET}`, text],
            resources: { limits: { memory: text } }
          }
        ]
      },
      status: {
        phase: 'Running',
        podIP: `10.0.0.${index + 10}`,
        startTime: time('09:00:00'),
        conditions: [
          { type: 'Ready', status: 'True', lastTransitionTime: time('10:02:40'), message: text, reason: text }
        ],
        containerStatuses: [
          {
            name: text,
            ready: true,
            restartCount: 1,
            state: { running: { startedAt: time('10:02:20') } },
            lastState: {
              terminated: {
                reason: index % 2 === 0 ? 'OOMKilled' : text,
                message: text,
                exitCode: 137,
                startedAt: time('09:00:02'),
                finishedAt: time('10:02:10')
              }
            }
          }
        ]
      }
    }
    const event = {
      kind: 'Event',
      metadata: { name: `e-${index}-${text}`, namespace: 'shop', uid: `event-${index}` },
      involvedObject: {
        kind: 'Pod',
        namespace: 'shop',
        name: pod.metadata.name,
        uid,
        fieldPath: `spec.containers{${text}}`
      },
      reason: 'Unhealthy',
      message: `Readiness probe failed: ${text}`,
      type: 'Warning',
      count: 3,
      firstTimestamp: time('10:02:10'),
      lastTimestamp: time('10:02:30')
    }
    return [pod, event]
  })
}

function cluster(): string {
  const service = {
    kind: 'Service',
    metadata: { name: 'cart', namespace: 'shop', uid: 'service' },
    spec: {
      type: 'ClusterIP',
      clusterIP: '10.96.0.9',
      selector: { app: 'cart' },
      ports: [{ port: 80, targetPort: 80 }]
    }
  }
  const secret = { kind: 'Secret', metadata: { name: 'tls', namespace: 'shop' }, data: { 'tls.key': SECRET } }
  const node = {
    kind: 'Node',
    metadata: { name: NAMES[1] },
    status: { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: time('10:30:00') }] }
  }
  return JSON.stringify({ kind: 'List', apiVersion: 'v1', items: [service, secret, node, ...objects()] })
}

function log(): string {
  return NAMES.map((_, index) => {
    const address = `10.0.0.${index + 10}:80`
    const timeMs = at('10:02:12') + index * 1_000
    const request = `GET /cart/${index} HTTP/1.1`
    return [
      errorLine({ timeMs, message: MESSAGES.refused, upstream: address, request }),
      accessLine({ timeMs, status: 502, up: `${address}|0|0.001|502`, request, name: 'shop-cart-80' })
    ].join('\n')
  }).join('\n')
}

describe.each(['text', 'json', 'ndjson', 'markdown', 'html'])('explain --format %s', format => {
  let run: Run
  beforeAll(async () => {
    const files = [folder.write('cluster.json', cluster()), folder.write('controller.log', `${log()}\n`)]
    run = await why5xxHere(['explain', '--format', format, files[1]!, '--cluster', files[0]!])
  })

  test('works, and tells of the pods', () => {
    expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: '' })
    if (format !== 'json') expect(run.stdout).toContain('OOM-killed')
  })

  test('no value of the environment, of an argument or of a Secret', () => {
    expect(run.stdout).not.toContain('s3cr3t')
  })

  test('nothing that moves a cursor or turns the writing', () => {
    expect(run.stdout.split('\n').filter(line => UNSAFE.test(line))).toEqual([])
  })

  test.runIf(format === 'markdown')('nothing active outside code, and our own headings', () => {
    expect(activeLines(run.stdout)).toEqual([])
    for (const heading of run.stdout.split('\n').filter(line => /^ {0,3}#/.test(line)))
      expect(heading).toMatch(/^(?:# Failed requests$|## (?:By|Saved|Not|What)|### [a-z_]+, )/)
  })

  test.runIf(format === 'html')('our tags and attributes alone', () => {
    expect(foreignMarkup(run.stdout)).toEqual([])
  })

  test.runIf(format === 'ndjson')('each failure has its own pod, under its name', () => {
    const pods = run.stdout
      .trimEnd()
      .split('\n')
      .map(line => (JSON.parse(line) as { kubernetes?: { pod?: { uid?: string } } }).kubernetes?.pod?.uid)
    expect(new Set(pods).size).toBe(NAMES.length)
    expect(pods).not.toContain(undefined)
  })
})
