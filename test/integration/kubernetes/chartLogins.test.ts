/** As whom each role of the chart asks Kafka and Elasticsearch, and which Secrets its pods see; helm alone is needed. */
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { type Helm, isHelmAvailable, openHelm } from '../../services/helmProgram.ts'
import { CHART } from '../../support/chartFiles.ts'
import { type Manifest, named, podSpecs, render, renderText, valuesOf } from '../../support/renderedChart.ts'

const BUILD_MS = 30 * 60_000

describe.skipIf(!isHelmAvailable())('logins of the chart', () => {
  const rendered = new Map<string, Manifest[]>()
  let helm: Helm

  beforeAll(async () => {
    helm = await openHelm()
    for (const file of ['full', 'keda-kafka', 'passwords'].map(valuesOf)) {
      rendered.set(basename(file), await render(helm, file))
    }
  }, BUILD_MS)

  test('with a login for each role no pod sees that of another', () => {
    const full = rendered.get('full-values.yaml')!
    const pods = podSpecs(full)
    /** Secret and keys of each mount; in the environment there is none. */
    const seen = (pod: string): string[] => {
      const spec = pods.get(pod)!
      expect(JSON.stringify(spec)).not.toMatch(/secretKeyRef|secretRef|projected/)
      return (spec.volumes ?? []).flatMap(({ secret }) =>
        secret === undefined ? [] : [`${secret.secretName}: ${secret.items?.map(({ key }) => key).join() ?? 'all'}`]
      )
    }
    // What all may see: authorities, and the token of /metrics.
    const shared = ['why5xx-kafka-tls: ca.crt', 'why5xx-metrics: token', 'why5xx-elasticsearch-ca: ca.crt']
    const own = (pod: string) => seen(pod).filter(secret => !shared.includes(secret))
    const ofWorker = ['why5xx-kafka-worker: password', 'why5xx-elasticsearch-writer: apiKey']
    expect(Object.fromEntries([...pods.keys()].map(pod => [pod, own(pod)]))).toEqual({
      'why5xx-worker': ofWorker,
      'why5xx-test-check': ofWorker,
      'why5xx-test-ready': [],
      'why5xx-watch': ['why5xx-kafka-watch: password'],
      'why5xx-alert': [
        'why5xx-kafka-alert: password',
        'why5xx-elasticsearch-alert: apiKey',
        'why5xx-slack: url',
        'why5xx-pagerduty: routingKey'
      ],
      'why5xx-setup': ['why5xx-elasticsearch-setup: apiKey']
    })
    const rules = readFileSync(join(CHART, '../../kafka/acls.sh'), 'utf8')
    for (const role of ['worker', 'watch', 'alert']) {
      const text = named(full, 'ConfigMap', `why5xx-${role}`).data!['why5xx.yaml']!
      expect(parse(text)).toMatchObject({ source: { kafka: { sasl: { username: `why5xx-${role}` } } } })
      expect(rules).toContain(`-User:$PREFIX-${role}}`)
    }
    expect(named(full, 'ConfigMap', 'why5xx-watch').data!['why5xx.yaml']).not.toContain('elasticsearch')
  })

  test('a role without a login of its own has the common one, whole', () => {
    const users = (file: string, role: string) => {
      const { source, sink } = parse(named(rendered.get(file)!, 'ConfigMap', role).data!['why5xx.yaml']!)
      return [source.kafka.sasl?.username, sink.elasticsearch.username]
    }
    expect(users('keda-kafka-values.yaml', 'edge-worker')).toEqual(['edge-worker', undefined])
    expect(users('keda-kafka-values.yaml', 'edge-alert')).toEqual(['why5xx', undefined])
    expect(users('passwords-values.yaml', 'why5xx-worker')).toEqual([undefined, 'why5xx-writer'])
    expect(users('passwords-values.yaml', 'why5xx-alert')).toEqual([undefined, 'why5xx-alert'])
    const secrets = (role: string) =>
      podSpecs(rendered.get('keda-kafka-values.yaml')!)
        .get(role)!
        .volumes!.flatMap(({ secret }) => secret?.secretName ?? [])
    expect(secrets('edge-worker')).toEqual(['edge-worker-tls', 'edge-worker'])
    expect(secrets('edge-alert')).toEqual(['kafka-tls', 'kafka-login'])
  })

  test('KEDA asks as the worker, who may read that topic and that group', () => {
    const login = named(rendered.get('keda-kafka-values.yaml')!, 'TriggerAuthentication', 'edge-worker').spec
      .secretTargetRef as {
      parameter: string
      name: string
    }[]
    expect(login.map(({ parameter, name }) => `${parameter}: ${name}`).sort()).toEqual([
      'ca: edge-worker-tls',
      'cert: edge-worker-tls',
      'key: edge-worker-tls',
      'password: edge-worker',
      'username: edge-worker'
    ])
  })

  test.each([
    [
      'SASL with a login for one role alone',
      ['kafka.sasl.mechanism=plain', 'worker.kafka.username=me', 'worker.kafka.existingSecret=mine'],
      /watch.kafka.username and watch.kafka.existingSecret/
    ],
    [
      "a user of a role with the others' password",
      [
        'kafka.sasl.mechanism=plain',
        'kafka.sasl.username=me',
        'kafka.sasl.existingSecret=ours',
        'watch.kafka.username=i'
      ],
      /watch.kafka.username and watch.kafka.existingSecret go together/
    ],
    [
      'a login that is not used',
      ['alert.kafka.username=me', 'alert.kafka.existingSecret=mine'],
      /kafka.sasl.mechanism is none/
    ],
    ['a certificate without TLS', ['watch.kafka.tlsSecret=mine'], /watch.kafka.tlsSecret .*kafka.tls.enabled is false/],
    [
      'a certificate for one role alone',
      ['kafka.tls.enabled=true', 'kafka.tls.certKey=c', 'kafka.tls.keyKey=k', 'worker.kafka.tlsSecret=mine'],
      /watch.kafka.tlsSecret/
    ],
    [
      'a user of a role without its password',
      ['alert.elasticsearch.username=me'],
      /alert.elasticsearch.existingSecret/
    ],
    ['a watch that asks Elasticsearch', ['watch.elasticsearch.existingSecret=key'], /elasticsearch/],
    [
      'setup without a login where roles have theirs',
      ['setup.enabled=true', 'alert.elasticsearch.existingSecret=alerts'],
      /setup.existingSecret where elasticsearch.existingSecret/
    ]
  ])('%s is refused', async (_name, settings, says) => {
    const flags = settings.flatMap(setting => ['--set', setting])
    await expect(renderText(helm, valuesOf('least'), ...flags)).rejects.toThrow(says)
  })
})
