/** The chart as helm renders it: refused where it cannot work, taken by a real API server, and read by why5xx itself. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { parse } from 'yaml'
import { watchRules } from '../../../src/check/rbac.ts'
import { loadConfig } from '../../../src/config.ts'
import { OPTIONS } from '../../../src/optionTable.ts'
import { addCustomResources, areCustomResourcesAvailable } from '../../services/customResources.ts'
import { type Helm, isHelmAvailable, openHelm } from '../../services/helmProgram.ts'
import { KubernetesClient } from '../../services/kubernetesClient.ts'
import { makeServerFolder } from '../../services/serverProcess.ts'
import { CHART } from '../../support/chartFiles.ts'
import { why5xxHere } from '../../support/program.ts'
import { rulesText } from '../../support/prometheusRule.ts'
import {
  type Manifest,
  manifestsOf,
  named,
  pathOf,
  podSpecs,
  render,
  renderText,
  VALUES_FILES,
  valuesOf
} from '../../support/renderedChart.ts'

const kubernetes = inject('kubernetes')
const PLAIN = join(CHART, '../../kubernetes')
const BUILD_MS = 30 * 60_000

describe.skipIf(kubernetes === null || !isHelmAvailable() || !areCustomResourcesAvailable())('the chart', () => {
  const namespace = `chart-${process.pid}`
  const rendered = new Map<string, Manifest[]>()
  let helm: Helm
  let client: KubernetesClient

  beforeAll(async () => {
    helm = await openHelm()
    client = await KubernetesClient.of(kubernetes!.kubeconfig)
    await client.create('/api/v1/namespaces', {
      metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } }
    })
    await addCustomResources(client)
    for (const file of VALUES_FILES) rendered.set(basename(file), await render(helm, file))
  }, BUILD_MS)

  test('helm finds nothing to say against it', async () => {
    const { code, stdout } = await helm(['lint', '--strict', CHART, ...VALUES_FILES.flatMap(file => ['-f', file])])
    expect(stdout).not.toMatch(/\[(?:WARNING|ERROR)\]/)
    expect(code).toBe(0)
  })

  test.each(VALUES_FILES.map(file => basename(file)))('an API server takes every object of %s', async file => {
    const objects = rendered.get(file)!
    expect(objects.length).toBeGreaterThan(8)
    await Promise.all(
      objects.map(object => {
        const moved = object.metadata.namespace === undefined ? {} : { namespace }
        return client.apply(
          pathOf(object, namespace),
          { ...object, metadata: { ...object.metadata, ...moved } },
          { dryRun: true }
        )
      })
    )
  })

  test.each(VALUES_FILES.map(file => basename(file)))('why5xx reads every configuration of %s', file => {
    const objects = rendered.get(file)!
    const folder = makeServerFolder('config')
    const read = [...podSpecs(objects)].flatMap(([name, { containers, volumes }]) => {
      const map = volumes?.find(volume => volume.name === 'config')?.configMap?.name
      if (map === undefined) return []
      const path = join(folder, `${name}.yaml`)
      writeFileSync(path, named(objects, 'ConfigMap', map).data!['why5xx.yaml']!)
      const environment = Object.fromEntries(containers[0]!.env!.map(({ name, value }) => [name, value]))
      const { config } = loadConfig({ file: path, environment, set: [] })
      return [[name, config] as const]
    })
    expect(read.length).toBeGreaterThanOrEqual(2)
    for (const [name, config] of read) {
      const component = name.split('-').at(-1)!
      if (component === 'setup') continue
      expect(config.roles).toEqual([component === 'check' ? 'worker' : component])
      expect(config.kubernetes.api).toBe(component === 'watch' ? 'in-cluster' : 'none')
    }
  })

  test.skipIf(!OPTIONS.some(({ path }) => path === 'kibana.url'))(
    'setup goes to Kibana where there is one',
    async () => {
      const kibana = ['kibana.url=https://kibana.elastic:5601/base', 'kibana.caSecret=kibana-ca'].flatMap(one => [
        '--set',
        one
      ])
      const objects = await render(helm, valuesOf('full'), ...kibana)
      expect(podSpecs(objects).get('why5xx-setup')!.containers[0]!.args.at(-1)).toBe('--kibana')
      const file = join(makeServerFolder('config'), 'why5xx.yaml')
      writeFileSync(file, named(objects, 'ConfigMap', 'why5xx-setup').data!['why5xx.yaml']!)
      const { config } = loadConfig({ file, environment: {}, set: [] })
      expect(config).toMatchObject({
        kibana: {
          url: 'https://kibana.elastic:5601/base',
          apiKeyFile: '/etc/why5xx/secrets/kibana/apiKey',
          caFile: '/etc/why5xx/secrets/kibana-ca/ca.crt'
        }
      })
    }
  )

  test('every file that a configuration names is in a volume of its pod', () => {
    const files = [...rendered.values()].flatMap(objects =>
      [...podSpecs(objects)].flatMap(([name, { containers, volumes }]) => {
        const map = volumes?.find(volume => volume.name === 'config')?.configMap?.name
        if (map === undefined) return []
        const text = named(objects, 'ConfigMap', map).data!['why5xx.yaml']!
        return [...text.matchAll(/File: (\S+)/g)].map(([, path]) => {
          const mount = containers[0]!.volumeMounts!.find(({ mountPath }) => mountPath === dirname(path!))
          const secret = volumes!.find(volume => volume.name === mount?.name)?.secret
          const keys = secret?.items?.map(({ key }) => key)
          return { name, path, isThere: secret !== undefined && (keys?.includes(basename(path!)) ?? true) }
        })
      })
    )
    expect(files.length).toBeGreaterThan(20)
    expect(files.filter(({ isThere }) => !isThere)).toEqual([])
  })

  test('only watch has a token for the API server, and no pod has variables of Services', () => {
    const pods = [...rendered.values()].flatMap(objects => [...podSpecs(objects)])
    expect(pods.length).toBeGreaterThan(20)
    for (const [name, spec] of pods) {
      expect(spec.automountServiceAccountToken, name).toBe(name.endsWith('-watch'))
      // WHY5XX_PORT of a Service `why5xx` would be an unknown option.
      expect(spec.enableServiceLinks, name).toBe(false)
    }
    expect(() => loadConfig({ file: null, environment: { WHY5XX_SERVICE_HOST: '10.0.0.1' }, set: [] })).toThrow(
      /unknown option WHY5XX_SERVICE_HOST/
    )
  })

  test('its rights are those of check --print-rbac', async () => {
    for (const [scope, flags] of [
      ['full', []],
      ['smallest', []],
      ['namespaces', ['--namespaces', 'shop,pay']]
    ] as const) {
      const more = scope === 'namespaces' ? ['--set', 'rbac.tlsSecrets=null', '--set', 'rbac.certificates=true'] : []
      const objects = await render(helm, valuesOf(scope), '--set', 'nameOverride=', ...more)
      const printed = await why5xxHere([
        'check',
        '--cluster',
        '--print-rbac',
        scope === 'smallest' ? scope : 'full',
        ...flags
      ])
      expect(printed.stderr).toBe('')
      const rules = (all: Manifest[]) =>
        all
          .filter(({ rules }) => rules !== undefined && rules.length > 0)
          .map(({ kind, metadata, rules }) => ({ kind, namespace: metadata.namespace, rules }))
      expect(rules(objects)).toEqual(rules(manifestsOf(printed.stdout)))
    }
    const [secret] = rendered
      .get('namespaces-values.yaml')!
      .filter(({ metadata }) => metadata.name.endsWith('-tls-cart-tls'))
    expect(secret).toMatchObject({
      metadata: { namespace: 'shop' },
      rules: [{ resourceNames: ['cart-tls'], verbs: ['get'] }]
    })
    const given = rendered.get('passwords-values.yaml')!.filter(({ apiVersion }) => apiVersion.startsWith('rbac.'))
    expect(given).toEqual([])
    expect(watchRules().full.namespaced.length).toBeGreaterThan(3)
  })

  test('rules for Prometheus are the very same, with a place for their runbooks', async () => {
    const { groups } = parse(rulesText()) as { groups: object[] }
    expect(named(rendered.get('full-values.yaml')!, 'PrometheusRule', 'why5xx').spec).toEqual({ groups })
    const wiki = 'https://wiki.example/why5xx'
    const objects = await render(helm, valuesOf('full'), '--set', `prometheusRule.runbookUrl=${wiki}`)
    const text = JSON.stringify(named(objects, 'PrometheusRule', 'why5xx'))
    expect(text).toContain(`"runbook_url":"${wiki}#`)
    expect(text).not.toContain('deploy/prometheus/')
  })

  test('who scrapes keeps the labels that are given: an upstream has a namespace and a service of its own', () => {
    const { endpoints, jobLabel } = named(rendered.get('full-values.yaml')!, 'ServiceMonitor', 'why5xx').spec
    // `job` is the release, because rules miss roles by job.
    expect(jobLabel).toBe('app.kubernetes.io/instance')
    expect(endpoints).toEqual([
      {
        port: 'metrics',
        path: '/metrics',
        honorLabels: true,
        interval: '30s',
        scrapeTimeout: '10s',
        authorization: { type: 'Bearer', credentials: { name: 'why5xx-metrics', key: 'token' } }
      }
    ])
  })

  test('KEDA sets the workers within the partitions, by lag, and takes away one in ten minutes', () => {
    const full = rendered.get('full-values.yaml')!
    expect(named(full, 'Deployment', 'why5xx-worker').spec).not.toHaveProperty('replicas')
    const scaledBy = (objects: Manifest[], name: string) => named(objects, 'ScaledObject', name).spec
    expect(scaledBy(full, 'why5xx-worker')).toMatchObject({
      scaleTargetRef: { name: 'why5xx-worker' },
      maxReplicaCount: 12,
      triggers: [{ type: 'prometheus', metadata: { threshold: '30', ignoreNullValues: 'false' } }],
      advanced: {
        horizontalPodAutoscalerConfig: {
          behavior: { scaleDown: { policies: [{ type: 'Pods', value: 1, periodSeconds: 600 }] } }
        }
      }
    })
    const edge = rendered.get('keda-kafka-values.yaml')!
    expect(scaledBy(edge, 'edge-worker')).toMatchObject({
      maxReplicaCount: 4,
      triggers: [
        {
          type: 'kafka',
          metadata: {
            bootstrapServers: 'kafka.example:9094',
            consumerGroup: 'why5xx-worker',
            topic: 'why5xx.nginx.raw',
            lagThreshold: '50000',
            offsetResetPolicy: 'earliest',
            excludePersistentLag: 'true',
            tls: 'enable',
            sasl: 'plaintext'
          },
          authenticationRef: { name: 'edge-worker' }
        }
      ]
    })
    const login = named(edge, 'TriggerAuthentication', 'edge-worker').spec.secretTargetRef as { parameter: string }[]
    expect(login.map(({ parameter }) => parameter).sort()).toEqual(['ca', 'cert', 'key', 'password', 'username'])
  })

  test.each([
    ['an unknown value', ['wroker.replicas=3'], /wroker/],
    ['a second alert', ['alert.replicas=2'], /replicas/],
    ['a second watch', ['watch.replicas=2'], /replicas/],
    ['more workers than partitions', ['worker.replicas=13'], /worker.replicas is 13, and kafka.partitions 12/],
    [
      'more workers of KEDA than partitions',
      ['keda.enabled=true', 'keda.trigger=kafka', 'keda.maxReplicas=13'],
      /keda.maxReplicas is 13, and kafka.partitions 12/
    ],
    ['KEDA without a Prometheus', ['keda.enabled=true'], /keda.prometheus.serverAddress/],
    ['no brokers', ['kafka.brokers=null'], /brokers/],
    ['an empty list of brokers', ['kafka.brokers={}'], /brokers/],
    ['no nodes', ['elasticsearch.nodes=null'], /nodes/],
    ['a login in a URL', ['elasticsearch.nodes={https://me:secret@es:9200}'], /nodes/],
    ['the tag latest', ['image.tag=latest'], /tag/],
    ['an option that is not there', ['config.join.errorWait=3'], /errorWait/],
    ['a secret among the options', ['config.sink.elasticsearch.apiKey=abc'], /apiKey/],
    ['a value among the options', ['config.source.kafka.groupId=other'], /groupId/],
    ['a role among the options', ['config.roles={alert}'], /roles/],
    ['a password without its Secret', ['elasticsearch.username=me'], /elasticsearch.existingSecret/],
    ['SASL without its Secret', ['kafka.sasl.mechanism=plain'], /kafka.sasl.existingSecret/],
    ['half a certificate', ['kafka.tls.certKey=tls.crt'], /certKey and kafka.tls.keyKey/],
    ['a webhook without an address', ['alert.webhooks[0].existingSecret=hook'], /alert.webhooks\[0\] needs urlKey/],
    [
      'PagerDuty without its key',
      ['alert.webhooks[0].existingSecret=hook', 'alert.webhooks[0].template=pagerduty', 'alert.webhooks[0].urlKey=url'],
      /alert.webhooks\[0\] needs routingKeyKey/
    ],
    [
      'a policy that would allow all ports',
      ['networkPolicy.enabled=true', 'networkPolicy.apiServer.ports=null'],
      /empty/
    ],
    ['a name that no object can have', ['fullnameOverride=Edge_1'], /fullnameOverride/],
    [
      'setup without a login',
      ['setup.enabled=true', 'elasticsearch.existingSecret=writer'],
      /setup.existingSecret where elasticsearch.existingSecret/
    ],
    ['Kibana that nobody sets up', ['kibana.url=http://kibana:5601'], /setup.enabled=true/],
    ['scraping that would be refused', ['serviceMonitor.enabled=true'], /metrics.existingSecret/],
    ['rights in no namespace', ['rbac.scope=namespaces'], /rbac.namespaces is empty/],
    ['rights everywhere and in some', ['rbac.namespaces={shop}'], /rbac.scope=namespaces/],
    [
      'labels that are ours',
      ['commonLabels.app\\.kubernetes\\.io/name=x'],
      /invalid propertyName 'app.kubernetes.io.name'/
    ]
  ])('%s is refused', async (_name, settings, says) => {
    const flags = settings.flatMap(setting => ['--set', setting])
    await expect(renderText(helm, valuesOf('least'), ...flags)).rejects.toThrow(says)
  })

  test.each(['full', 'smallest'])('deploy/kubernetes/%s is what helm makes of it', async name => {
    const text = await renderText(helm, valuesOf(name), '--skip-tests')
    const files = new Map<string, string>()
    for (const document of text.split(/^---\n/m)) {
      const source = /^# Source: why5xx\/templates\/(.*)\n/.exec(document)
      if (source === null) continue
      const before = files.get(source[1]!)
      const body = document.slice(source[0].length).trimEnd()
      if (body !== '') files.set(source[1]!, before === undefined ? body : `${before}\n---\n${body}`)
    }
    const folder = join(PLAIN, name)
    mkdirSync(folder, { recursive: true })
    const head = `# Made by helm from deploy/helm/why5xx and its ci/${name}-values.yaml; deploy/kubernetes/README.md says what to change.\n`
    for (const [file, body] of files) await expect(`${head}${body}\n`).toMatchFileSnapshot(join(folder, file))
    expect(readdirSync(folder).sort()).toEqual([...files.keys()].sort())
  })
})
