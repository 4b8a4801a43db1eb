/** The chart installed and upgraded by helm: its pods in a namespace that takes only restricted ones, its rights under the real watch. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { Kind } from '../../../src/cluster/objects.ts'
import { ClusterWatch } from '../../../src/clusterWatch.ts'
import { loadConfig } from '../../../src/config.ts'
import { addCustomResources, areCustomResourcesAvailable } from '../../services/customResources.ts'
import { type Helm, isHelmAvailable, openHelm } from '../../services/helmProgram.ts'
import { type ApiObject, KubernetesClient } from '../../services/kubernetesClient.ts'
import { eventually } from '../../services/latch.ts'
import { makeServerFolder } from '../../services/serverProcess.ts'
import { CHART } from '../../support/chartFiles.ts'
import { valuesOf } from '../../support/renderedChart.ts'

const kubernetes = inject('kubernetes')
const BUILD_MS = 30 * 60_000

describe.skipIf(kubernetes === null || !isHelmAvailable() || !areCustomResourcesAvailable())(
  'the chart, installed',
  () => {
    const [namespace, controllers, shop] = ['why5xx', 'controllers', 'shop'].map(name => `${name}-${process.pid}`)
    let helm: Helm
    let client: KubernetesClient
    let watcher: { kubeconfig: string; client: KubernetesClient }

    beforeAll(async () => {
      helm = await openHelm()
      client = await KubernetesClient.of(kubernetes!.kubeconfig)
      await addCustomResources(client)
      await client.create('/api/v1/namespaces', {
        metadata: { name: namespace!, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } }
      })
      for (const name of [controllers!, shop!]) await client.makeNamespace(name)
      await client.create(`/api/v1/namespaces/${controllers}/configmaps`, {
        metadata: { name: 'ingress-nginx-controller' },
        data: { 'proxy-read-timeout': '7' }
      })
      await client.create(`/api/v1/namespaces/${shop}/secrets`, {
        metadata: { name: 'cart-tls' },
        stringData: { 'tls.key': 'sesame-open' }
      })
      await release('install', 'full', '--set', `rbac.tlsSecrets={${shop}/cart-tls}`)
      watcher = await tokenOf('why5xx-watch')
    }, BUILD_MS)
    afterAll(() => helm?.(['uninstall', 'why5xx', '-n', namespace!, '--no-hooks'], kubernetes!.kubeconfig))

    /** With its hooks: kwok ends the pod of the Job at once. */
    async function release(verb: 'install' | 'upgrade', values: string, ...more: string[]): Promise<string> {
      const own = ['nameOverride=', 'fullnameOverride=', 'serviceAccounts.names.worker='].flatMap(one => ['--set', one])
      const place = ['--set', `ingressNginx.namespace=${controllers}`, '--timeout', '60s']
      const flags = [verb, 'why5xx', CHART, '-n', namespace!, '-f', valuesOf(values), ...own, ...place, ...more]
      const { code, stdout, stderr } = await helm(flags, kubernetes!.kubeconfig)
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      return stdout
    }

    async function tokenOf(account: string): Promise<typeof watcher> {
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`
      const kind = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest' }
      const answer = (await client.create(path, { ...kind, spec: { expirationSeconds: 3_600 } })) as {
        status?: { token?: string }
      }
      const kubeconfig = client.kubeconfigWith(makeServerFolder('kubeconfig'), answer.status!.token!)
      return { kubeconfig, client: await KubernetesClient.of(kubeconfig) }
    }

    const deployments = () => client.list(`/apis/apps/v1/namespaces/${namespace}/deployments`)

    /** Every Deployment has all the pods it wants, of its newest template. */
    function allRun(): Promise<ApiObject[]> {
      interface Counts {
        observedGeneration?: number
        replicas?: number
        updatedReplicas?: number
        availableReplicas?: number
      }
      const isWhole = ({ metadata, spec, status }: ApiObject): boolean => {
        const { replicas } = spec as { replicas: number }
        const counts = status as Counts
        return (
          counts.observedGeneration === (metadata as { generation?: number }).generation &&
          [counts.replicas, counts.updatedReplicas, counts.availableReplicas].every(count => count === replicas)
        )
      }
      return eventually(
        async () => {
          const all = await deployments()
          return all.every(isWhole) ? all : undefined
        },
        'all pods run',
        60_000
      )
    }

    /** The role watch as the chart configures it, but into a folder and with the token in a file: which kinds it may not read, and what it has recorded. */
    async function watched(): Promise<{ unreadable: ReadonlyMap<Kind, string>; recorded: string }> {
      const map = (await client.get(`/api/v1/namespaces/${namespace}/configmaps/why5xx-watch`)) as {
        data?: Record<string, string>
      }
      const folder = makeServerFolder('watch')
      const file = join(folder, 'why5xx.yaml')
      writeFileSync(file, map.data!['why5xx.yaml']!)
      const set = [
        'kubernetes.api=kubeconfig',
        `kubernetes.kubeconfig=${watcher.kubeconfig}`,
        'source.kind=files',
        `sink.embedded.path=${folder}`
      ]
      const { config } = loadConfig({ file, environment: {}, set })
      const watch = await ClusterWatch.start(config, { say: () => {}, log: () => {} })
      try {
        await eventually(() => watch.unready.length === 0 || undefined, 'a whole list is recorded', 60_000)
        const { unreadable } = watch.metrics.watch()
        const record = join(folder, 'cluster')
        const recorded = readdirSync(record).map(name => readFileSync(join(record, name), 'utf8'))
        return { unreadable, recorded: recorded.join('\n') }
      } finally {
        await watch.close()
      }
    }

    const refused = (unreadable: ReadonlyMap<Kind, string>) =>
      [...unreadable].filter(([, because]) => because.startsWith('403')).map(([kind]) => kind)

    test('its pods run where only restricted ones may', async () => {
      expect((await allRun()).map(({ metadata }) => metadata.name).sort()).toEqual([
        'why5xx-alert',
        'why5xx-watch',
        'why5xx-worker'
      ])
    })

    test('the templates were put into Elasticsearch before: helm waited for the Job', async () => {
      const job = await client.get(`/apis/batch/v1/namespaces/${namespace}/jobs/why5xx-setup`)
      expect(job.status).toMatchObject({ succeeded: 1 })
      const [worker] = (await deployments()).filter(({ metadata }) => metadata.name === 'why5xx-worker')
      const madeAt = ({ metadata }: ApiObject) =>
        Date.parse((metadata as unknown as { creationTimestamp: string }).creationTimestamp)
      expect(madeAt(job)).toBeLessThanOrEqual(madeAt(worker!))
    })

    test('full rights: every kind is seen, the settings of the controller and the names in a Secret, but nothing secret', async () => {
      const { unreadable, recorded } = await watched()
      expect(refused(unreadable)).toEqual([])
      expect([...unreadable.keys()].sort()).toEqual(['Certificate', 'PodMetrics'])
      expect(recorded).toContain('"proxy-read-timeout":"7"')
      expect(recorded).toContain('cart-tls')
      expect(recorded).not.toMatch(/sesame|c2VzYW1l/)
    })

    test('and no more than that: no other Secret, no list of them, nothing written', async () => {
      const { client: asWatch } = watcher
      const core = `/api/v1/namespaces/${namespace}`
      await expect(asWatch.list('/api/v1/secrets')).rejects.toThrow(/: 403 .*secrets is forbidden/)
      await expect(asWatch.get(`${core}/secrets/any`)).rejects.toThrow(/: 403 /)
      await expect(asWatch.get(`/api/v1/namespaces/${shop}/configmaps/any`)).rejects.toThrow(/: 403 /)
      await expect(asWatch.create(`${core}/configmaps`, { metadata: { name: 'mine' } })).rejects.toThrow(/: 403 /)
      await expect(asWatch.delete(`${core}/pods/any`)).rejects.toThrow(/: 403 /)
      await expect(asWatch.get(`${core}/pods/any/log`)).rejects.toThrow(/: 403 /)
      interface Rule {
        verbs: string[]
        resources?: string[]
      }
      const review = (await asWatch.create('/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectRulesReview',
        spec: { namespace }
      })) as { status?: { resourceRules?: Rule[] } }
      const rules = review.status!.resourceRules!
      const reads = rules.filter(({ verbs }) => verbs.every(verb => ['get', 'list', 'watch'].includes(verb)))
      expect(reads.length).toBeGreaterThan(5)
      // Everybody may ask what he may do.
      const others = rules.filter(rule => !reads.includes(rule)).flatMap(({ resources }) => resources!)
      expect(others.filter(name => !name.startsWith('selfsubject'))).toEqual([])
    })

    test('the accounts of the other roles may do nothing at all', async () => {
      for (const name of ['why5xx-worker', 'why5xx-alert']) {
        const { client: other } = await tokenOf(name)
        await expect(other.list(`/api/v1/namespaces/${namespace}/pods`)).rejects.toThrow(/: 403 .*pods is forbidden/)
      }
    })

    test('upgraded to the smallest rights it sees five kinds, and says of the others that it may not', async () => {
      const notes = await release('upgrade', 'smallest')
      expect(notes).toContain('NOTE: rbac.scope is smallest')
      expect(notes).toContain('WARNING: no registry publishes the image why5xx')
      expect((await allRun()).map(({ metadata }) => metadata.name).sort()).toEqual(['why5xx-watch', 'why5xx-worker'])
      const { unreadable, recorded } = await watched()
      expect(refused(unreadable).sort()).toEqual([
        'Certificate',
        'DaemonSet',
        'Deployment',
        'HorizontalPodAutoscaler',
        'IngressClass',
        'Namespace',
        'NetworkPolicy',
        'Node',
        'PersistentVolumeClaim',
        'PodMetrics',
        'ReplicaSet',
        'ResourceQuota',
        'StatefulSet'
      ])
      expect(unreadable.get('Node')).toContain('nodes is forbidden')
      expect(recorded).toContain('why5xx-worker-')
      await expect(watcher.client.get(`/api/v1/namespaces/${shop}/secrets/cart-tls`)).rejects.toThrow(/: 403 /)
    })

    test('upgraded to the rights of one namespace it sees that one', async () => {
      const scope = ['--set', `rbac.namespaces={${shop}}`, '--set', `rbac.tlsSecrets={${shop}/cart-tls}`]
      await release('upgrade', 'namespaces', ...scope, '--set', 'rbac.certificates=true')
      await client.create(`/api/v1/namespaces/${shop}/services`, {
        metadata: { name: 'cart' },
        spec: { ports: [{ port: 80 }] }
      })
      const { unreadable, recorded } = await watched()
      expect(refused(unreadable)).toEqual([])
      expect(recorded).toContain('"cart"')
      expect(recorded).toContain('cart-tls')
      expect(recorded).not.toContain('why5xx-worker-')
      await expect(watcher.client.list(`/api/v1/namespaces/${namespace}/pods`)).rejects.toThrow(/: 403 /)
    })

    test.each(['passwords', 'keda-kafka', 'least', 'full'])(
      'and to the values of %s: nothing immutable is changed',
      async name => {
        await release('upgrade', name)
        const found = (await allRun()).map(({ metadata }) => metadata.name).sort()
        const hasWatch = name !== 'keda-kafka'
        expect(found).toEqual(['why5xx-alert', ...(hasWatch ? ['why5xx-watch'] : []), 'why5xx-worker'])
      }
    )

    test('another name under the same full name is another release: the API server refuses it', async () => {
      const names = ['nameOverride=other', 'fullnameOverride=why5xx', `ingressNginx.namespace=${controllers}`].flatMap(
        one => ['--set', one]
      )
      const flags = ['upgrade', 'why5xx', CHART, '-n', namespace!, '-f', valuesOf('least'), '--no-hooks', ...names]
      const { code, stderr } = await helm(flags, kubernetes!.kubeconfig)
      expect(stderr).toContain('field is immutable')
      expect(code).toBe(1)
    })
  }
)
