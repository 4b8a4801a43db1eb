/** Which part of a cluster is asked, and what is said of the rest. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { concernedPart } from '../../src/kubectl/concerned.ts'
import { refusalNotes } from '../../src/kubectl/refusals.ts'
import type { Survey } from '../../src/kubectl/survey.ts'
import { listOf, ScriptedApi, sendJson } from '../cluster/scriptedApi.ts'

let api: ScriptedApi

beforeEach(async () => {
  api = await ScriptedApi.start()
})
afterEach(() => api.stop())

const metadata = (namespace: string, name: string) => ({ namespace, name, uid: `${namespace}/${name}` })
const ingress = (namespace: string, service: string) => ({
  metadata: metadata(namespace, service),
  spec: { defaultBackend: { service: { name: service, port: { number: 80 } } } }
})
const namespaces = (...names: string[]) => names.map(name => ({ metadata: { name, uid: name } }))

function serve(lists: Record<string, object[]>, refused: string[] = []) {
  api.answer = ({ path, response }) => {
    if (refused.some(end => path.endsWith(end))) return sendJson(response, { message: 'forbidden', code: 403 }, 403)
    return path in lists ? sendJson(response, listOf(lists[path]!)) : false
  }
}

const ask = (
  found: Partial<Survey> & { names: Record<string, number> },
  more: { namespace?: string; isWhole?: boolean } = {}
) =>
  concernedPart(
    { namespaces: new Set(), causes: new Set(), ...found, byName: new Map(Object.entries(found.names)) },
    {
      connection: api.connection,
      controllers: [],
      namespace: null,
      isWhole: false,
      now: () => 1_000,
      signal: new AbortController().signal,
      say: () => {},
      wait: async () => {},
      ...more
    }
  )

const INGRESSES = '/apis/networking.k8s.io/v1/ingresses'
/** Namespaces whose pods were asked for; '*' is all. */
const listed = () =>
  api.asked
    .filter(({ path }) => path.endsWith('/pods') && path.startsWith('/api/v1/'))
    .map(({ path }) => (path === '/api/v1/pods' ? '*' : path.split('/')[4]!))

describe('the namespaces', () => {
  test('an Ingress tells where a name is of', async () => {
    serve({ [INGRESSES]: [ingress('shop', 'eu-cart')], '/api/v1/namespaces': namespaces('shop', 'shop-eu', 'pay') })
    const part = await ask({ names: { 'shop-eu-cart-80': 3 } })
    expect(listed()).toEqual(['shop'])
    expect(part.isOf('shop-eu-cart-80', 'shop')).toBe(true)
    expect(part.isOf('shop-eu-cart-80', 'shop-eu')).toBe(false)
  })

  test('a name that no Ingress has may be of each that it begins with', async () => {
    serve({ '/api/v1/namespaces': namespaces('shop', 'shop-eu', 'pay') })
    const part = await ask({ names: { 'shop-eu-cart-80': 3, 'custom-default-backend-pay-errors': 1, '': 1 } })
    expect(listed()).toEqual(['pay', 'shop', 'shop-eu'])
    expect(part.whereOf('shop-eu-cart-80')).toEqual(['shop', 'shop-eu'])
    expect(part.whereOf('')).toEqual([])
  })

  test('with one of interest the others are not asked', async () => {
    serve({ '/api/v1/namespaces': namespaces('shop', 'pay') })
    await ask({ names: { 'shop-cart-80': 3, 'pay-api-80': 1 } }, { namespace: 'pay' })
    expect(listed()).toEqual(['pay'])
  })

  test('where nothing may be seen of the cluster, the one that was named is asked', async () => {
    serve({}, ['/namespaces', '/ingresses', '/nodes', '/ingressclasses'])
    const part = await ask({ names: { 'shop-cart-80': 3 } }, { namespace: 'shop' })
    expect(listed()).toEqual(['shop'])
    expect(part.isOf('shop-cart-80', 'shop')).toBe(true)
  })

  test('Services that objects speak of are of the part, and DNS where names are looked up', async () => {
    serve({
      '/api/v1/namespaces': namespaces('shop', 'data', 'auth', 'kube-system'),
      '/api/v1/namespaces/shop/pods': [
        {
          metadata: metadata('shop', 'cart'),
          spec: { containers: [{ name: 'cart', env: [{ name: 'DB_HOST', value: 'db.data.svc.cluster.local' }] }] }
        }
      ],
      '/api/v1/namespaces/shop/services': [
        { metadata: metadata('shop', 'out'), spec: { type: 'ExternalName', externalName: 'api.nowhere.svc' } }
      ]
    })
    await ask({ names: { 'shop-cart-80': 3 } })
    expect(listed()).toEqual(['shop', 'data', 'kube-system'])
  })

  test('very many are all', async () => {
    const names = Array.from({ length: 21 }, (_, i) => `team${i}`)
    serve({ '/api/v1/namespaces': namespaces(...names) })
    await ask({ names: Object.fromEntries(names.map(name => [`${name}-api-80`, 1])) })
    expect(listed()).toEqual(['*'])
  })

  test('without failures nobody is asked', async () => {
    await ask({ names: {} })
    expect(api.asked).toEqual([])
  })
})

test('an API server that breaks down costs root causes, not the answer', async () => {
  api.answer = ({ response }) => {
    response.destroy()
    return true
  }
  const part = await ask({ names: { 'shop-cart-80': 1 } }, { namespace: 'shop' })
  expect(part.problems[0]).toMatch(/cannot be (?:read|listed)/)
})

test('refusals of one place are one sentence: what they cost, and one role', () => {
  const notes = refusalNotes([
    { kind: 'Node', namespace: null },
    { kind: 'Event', namespace: 'shop' },
    { kind: 'Deployment', namespace: 'shop' },
    { kind: 'ResourceQuota', namespace: 'pay' }
  ])
  expect(notes).toEqual([
    'nodes may not be listed (403), so it cannot be told whether it was node_not_ready, node_pressure, node_network_failure, cpu_saturated: a ClusterRole with {apiGroups: [""], resources: [nodes], verbs: [list]} allows it (kubectl auth can-i list nodes tells)',
    'resourcequotas may not be listed in pay (403): a Role in pay with {apiGroups: [""], resources: [resourcequotas], verbs: [list]} allows it (kubectl auth can-i list resourcequotas -n pay tells)',
    expect.stringMatching(
      /^events, deployments may not be listed in shop \(403\), so .*probe_restart.*scaled_to_zero.*: a Role in shop with \{apiGroups: \[""\], resources: \[events\], verbs: \[list\]\}, \{apiGroups: \["apps"\], resources: \[deployments\], verbs: \[list\]\} allows it/
    )
  ])
})
