/** What may be read, and what is said of the rest. */
import { afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { connect } from '../../../src/cluster/connect.ts'
import type { ClusterEvent, ListEvent } from '../../../src/cluster/event.ts'
import { keptObject } from '../../../src/cluster/keptFields.ts'
import { type ListOptions, listKinds } from '../../../src/cluster/list.ts'
import type { Kind } from '../../../src/cluster/objects.ts'
import { KubernetesClient, type RoleRule } from '../../services/kubernetesClient.ts'
import { makeServerFolder } from '../../services/serverProcess.ts'
import { Watching } from './watching.ts'

const kubernetes = inject('kubernetes')
const VERBS = ['get', 'list', 'watch']
const PODS_AND_SERVICES: RoleRule = { apiGroups: [''], resources: ['pods', 'services'], verbs: VERBS }
const KINDS: Kind[] = ['Pod', 'Service', 'Node', 'Event']

describe.skipIf(kubernetes === null)('rights', () => {
  const namespace = `rights-${process.pid}`
  let client: KubernetesClient
  let watching: Watching | undefined

  beforeAll(async () => {
    client = await KubernetesClient.of(kubernetes!.kubeconfig)
    await client.makeNamespace(namespace)
    await client.create(`/api/v1/namespaces/${namespace}/services`, {
      metadata: { name: 'cart' },
      spec: { ports: [{ port: 80 }] }
    })
  })
  afterEach(async () => {
    await watching?.stop()
    watching = undefined
  })

  const listAs = (file: string, options: Partial<ListOptions> = {}) =>
    listKinds(connect({ api: 'kubeconfig', file }), { keep: keptObject, now: () => 1_000, kinds: KINDS, ...options })
  const account = async (name: string, rules: RoleRule[], scope: 'everywhere' | 'namespace') =>
    client.kubeconfigWith(
      makeServerFolder('kubeconfig'),
      await client.makeServiceAccount(namespace, name, rules, scope)
    )

  test('403 on some kinds: they are unreadable in the words of the API, the others are listed', async () => {
    const file = await account('some', [PODS_AND_SERVICES], 'everywhere')
    const { list, objects } = parts(await listAs(file))
    expect(list).toMatchObject({ at: 1_000, namespaces: null })
    expect(list.kinds.toSorted()).toEqual(['Pod', 'Service'])
    expect(Object.keys(list.unreadable).toSorted()).toEqual(['Event', 'Node'])
    expect(list.unreadable.Node).toBe(
      `403 nodes is forbidden: User "system:serviceaccount:${namespace}:some" cannot list resource "nodes" in API group "" at the cluster scope`
    )
    expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`)).toContain(
      `Service ${namespace}/cart`
    )
  })

  test('allowed in one namespace only: that namespace is listed, and the list says so', async () => {
    const file = await account('inside', [PODS_AND_SERVICES], 'namespace')
    await expect(listAs(file)).rejects.toMatchObject({ code: 'WHY5XX_KUBERNETES' })
    const { list, objects } = parts(await listAs(file, { namespaces: [namespace] }))
    expect(list.namespaces).toEqual([namespace])
    expect(list.kinds.toSorted()).toEqual(['Pod', 'Service'])
    expect(objects.map(({ metadata }) => metadata.name)).toContain('cart')
    expect(objects.every(({ metadata }) => metadata.namespace === namespace)).toBe(true)
  })

  test('a token that nobody knows is an error, not an empty cluster', async () => {
    const file = client.kubeconfigWith(makeServerFolder('kubeconfig'), 'unknown')
    await expect(listAs(file)).rejects.toThrow(/401 Unauthorized: log in again/)
  })

  test('somebody else in the place of the user, with groups', async () => {
    const connection = connect({ api: 'kubeconfig', file: kubernetes!.kubeconfig, as: 'jane', asGroups: ['a', 'b'] })
    const listing = listKinds(connection, { keep: keptObject, now: Date.now, kinds: ['Node'] })
    await expect(listing).rejects.toThrow(/User "jane" cannot list resource "nodes"/)
  })

  test('a kind that becomes readable is listed as soon as it is asked for again', async () => {
    const file = await account('later', [PODS_AND_SERVICES], 'everywhere')
    watching = await Watching.start(file, { kinds: KINDS, limits: { recheckMs: 300 } })
    expect(watching.state.isObservable('Node', '')).toBe(false)
    expect(watching.state.unreadableBecause('Node')).toContain('403 nodes is forbidden')
    expect(watching.watch.facts.lost).toEqual([])
    await client.patch(`/apis/rbac.authorization.k8s.io/v1/clusterroles/${namespace}-later`, {
      rules: [PODS_AND_SERVICES, { apiGroups: [''], resources: ['nodes'], verbs: VERBS }]
    })
    await watching.until(() => watching!.state.isObservable('Node', ''), 'nodes can be seen')
    expect([...watching.state.all('Node', null)]).toHaveLength(3)
    expect(watching.state.isObservable('Event', namespace)).toBe(false)
  })

  test('ConfigMaps and Secrets are read by name alone, and of a Secret no value is kept', async () => {
    const names = { configMaps: [{ namespace, name: 'controller' }], secrets: [{ namespace, name: 'tls' }] }
    await client.create(`/api/v1/namespaces/${namespace}/configmaps`, {
      metadata: { name: 'controller' },
      data: { 'proxy-read-timeout': '5' }
    })
    await client.create(`/api/v1/namespaces/${namespace}/configmaps`, { metadata: { name: 'other' } })
    await client.create(`/api/v1/namespaces/${namespace}/secrets`, {
      metadata: { name: 'tls' },
      stringData: { 'tls.key': 'sesame-open' }
    })
    const rules: RoleRule[] = [
      PODS_AND_SERVICES,
      { apiGroups: [''], resources: ['configmaps'], resourceNames: ['controller'], verbs: VERBS },
      { apiGroups: [''], resources: ['secrets'], resourceNames: ['tls'], verbs: ['get'] }
    ]
    const file = await account('named', rules, 'everywhere')
    const { list, objects } = parts(await listAs(file, names))
    expect(list.kinds).not.toContain('Secret')
    expect(list.unreadable).not.toHaveProperty('Secret')
    expect(objects.filter(({ kind }) => kind === 'ConfigMap' || kind === 'Secret')).toMatchObject([
      { kind: 'ConfigMap', metadata: { name: 'controller' }, data: { 'proxy-read-timeout': '5' } },
      { kind: 'Secret', metadata: { name: 'tls' }, keys: ['tls.key'] }
    ])
    watching = await Watching.start(file, { kinds: KINDS, ...names, limits: { pollMs: 200 } })
    await client.patch(`/api/v1/namespaces/${namespace}/configmaps/controller`, { data: { 'proxy-read-timeout': '7' } })
    await client.patch(`/api/v1/namespaces/${namespace}/secrets/tls`, { stringData: { 'tls.crt': 'sesame-shut' } })
    const newest = (kind: Kind) =>
      JSON.stringify(watching!.events.findLast(event => 'object' in event && event.object.kind === kind))
    await watching.until(() => newest('ConfigMap').includes('"7"'), 'the change of the ConfigMap')
    await watching.until(() => newest('Secret').includes('tls.crt'), 'the change of the Secret')
    const all = JSON.stringify([objects, watching.events])
    expect(all).not.toMatch(/sesame|c2VzYW1l/)
  })

  test('more objects than fit into a page', async () => {
    const events = `/api/v1/namespaces/${namespace}/events`
    const numbers = Array.from({ length: 1_010 }, (_, i) => i)
    const add = async () => {
      for (let number = numbers.shift(); number !== undefined; number = numbers.shift())
        await client.create(events, {
          metadata: { name: `many-${number}` },
          involvedObject: { kind: 'Pod', namespace, name: 'many' },
          reason: 'Many'
        })
    }
    await Promise.all(Array.from({ length: 16 }, add))
    const { objects } = parts(await listAs(kubernetes!.kubeconfig, { kinds: ['Event'] }))
    const names = objects.map(({ metadata }) => metadata.name).filter(name => name.startsWith('many-'))
    expect(new Set(names).size).toBe(1_010)
    expect(names).toHaveLength(1_010)
  })
})

function parts(events: ClusterEvent[]) {
  const objects = events.slice(1, -1).map(event => {
    if (event.type !== 'ADDED') throw new Error(`${event.type} in a list`)
    return event.object
  })
  expect(events.at(-1)).toEqual({ ...events[0], type: 'LIST_END' })
  return { list: events[0] as ListEvent, objects }
}
