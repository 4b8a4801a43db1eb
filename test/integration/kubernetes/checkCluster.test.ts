/** `why5xx check --cluster` against a real control plane. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { Finding } from '../../../src/check/finding.ts'
import { KubernetesClient, type RoleRule } from '../../services/kubernetesClient.ts'
import { makeServerFolder } from '../../services/serverProcess.ts'
import { why5xxHere } from '../../support/program.ts'
import { addController } from './controllerPods.ts'

const kubernetes = inject('kubernetes')

describe.skipIf(kubernetes === null)('check --cluster', () => {
  const namespace = `check-${process.pid}`
  let client: KubernetesClient

  beforeAll(async () => {
    client = await KubernetesClient.of(kubernetes!.kubeconfig)
    await client.makeNamespace(namespace)
    await addController(client, namespace, 'one')
    await client.create(`/api/v1/namespaces/${namespace}/configmaps`, {
      metadata: { name: 'edge' },
      data: { 'log-format-upstream': '$remote_addr "$request" $status $upstream_addr', 'disable-access-log': 'true' }
    })
  })
  // Other tests look for controllers everywhere.
  afterAll(() => client.delete(`/api/v1/namespaces/${namespace}/pods/one?gracePeriodSeconds=0`))

  async function check(kubeconfig: string, ...settings: string[]) {
    const all = [
      `kubernetes.kubeconfig=${kubeconfig}`,
      'kubernetes.api=kubeconfig',
      `kubernetes.controllerNamespace=${namespace}`,
      `sink.embedded.path=${makeServerFolder('store')}`,
      ...settings
    ]
    const flags = all.flatMap(setting => ['--set', setting])
    const { code, stdout, stderr } = await why5xxHere(['check', '--cluster', '--format', 'json', ...flags])
    expect(stderr).toBe('')
    const { cluster } = JSON.parse(stdout) as { cluster: Finding[] }
    const of = (about: string) => cluster.filter(finding => finding.about === about)
    return { code, of, texts: cluster.map(({ state, text }) => `${state} ${text}`) }
  }

  test('an administrator sees everything, and what the controller does not log is said', async () => {
    const { code, of, texts } = await check(kubernetes!.kubeconfig)
    expect(of('kubernetes.api')).toMatchObject([{ state: 'ok', text: expect.stringMatching(/: https:.*, v1\.\d+/) }])
    expect(of('clock')).toMatchObject([{ state: 'ok' }])
    expect(of('kubernetes')[0]).toMatchObject({
      state: 'ok',
      text: expect.stringMatching(/^pods, services, .*nodes.* can be listed and watched$/)
    })
    expect(texts).toContain('ok certificates, pods.metrics.k8s.io: this cluster does not have them, which costs little')
    expect(of('controller')[0]!.text).toContain(`${namespace}/one`)
    expect(of('ConfigMap').filter(({ state }) => state === 'problem')).toMatchObject([
      { text: expect.stringContaining('disable-access-log is true') }
    ])
    expect(of('logFormat')).toMatchObject([
      {
        state: 'hint',
        text: expect.stringContaining('leaves out $upstream_status, $proxy_upstream_name, $request_time')
      }
    ])
    expect(of('sink.embedded.path')).toMatchObject([
      { text: expect.stringContaining('no state of the cluster is recorded') }
    ])
    expect(code).toBe(1)
  })

  test('what a user may not see is named with the root causes it costs and the rule that would help', async () => {
    const rules: RoleRule[] = [
      { apiGroups: [''], resources: ['pods', 'services', 'events'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list'] }
    ]
    const token = await client.makeServiceAccount(namespace, 'some', rules)
    const { code, of } = await check(client.kubeconfigWith(makeServerFolder('kubeconfig'), token))
    const kinds = of('kubernetes')
    expect(kinds[0]).toMatchObject({ state: 'ok', text: 'pods, services, events can be listed and watched' })
    expect(kinds.find(({ text }) => text.startsWith('nodes'))).toMatchObject({
      state: 'hint',
      text: 'nodes may not be listed and watched, so it cannot be told whether it was node_not_ready, node_pressure, node_network_failure, cpu_saturated',
      mend: 'a ClusterRole with {apiGroups: [""], resources: [nodes], verbs: [list, watch]} allows it (kubectl auth can-i list nodes tells)'
    })
    expect(kinds.find(({ text }) => text.startsWith('endpointslices'))).toMatchObject({
      state: 'problem',
      text: expect.stringContaining('endpointslices may not be watched, so')
    })
    expect(
      of('ConfigMap')
        .map(({ text }) => text)
        .join()
    ).toContain(`${namespace}/edge may not be read`)
    expect(code).toBe(1)
  })

  test('an API server that nobody answers for is a problem, not a crash', async () => {
    const file = client.kubeconfigWith(makeServerFolder('kubeconfig'), 'unknown')
    const { code, of } = await check(file)
    expect(of('kubernetes.api').at(-1)).toMatchObject({ state: 'problem', text: expect.stringContaining('401') })
    expect(code).toBe(1)
  })
})
