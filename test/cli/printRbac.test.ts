/** `check --cluster --print-rbac`: what it prints is tried against a real API server in test/integration/kubernetes/. */
import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { why5xxHere } from '../support/program.ts'

const print = (...args: string[]) => why5xxHere(['check', '--cluster', '--print-rbac', ...args])

async function objectsOf(...args: string[]) {
  const { code, stdout, stderr } = await print(...args)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return parseAllDocuments(stdout).map(document => document.toJS())
}

test('everywhere: one ClusterRole, and the ConfigMap of the controller by its name', async () => {
  const objects = await objectsOf('--set', 'kubernetes.controllerNamespace=edge', '--account', 'logs/reader')
  expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`)).toEqual([
    'ServiceAccount logs/reader',
    'ClusterRole /logs-reader',
    'ClusterRoleBinding /logs-reader',
    'Role edge/logs-reader-controller',
    'RoleBinding edge/logs-reader-controller'
  ])
  expect(objects[2].subjects).toEqual([{ kind: 'ServiceAccount', namespace: 'logs', name: 'reader' }])
  expect(objects[3].rules).toEqual([
    {
      apiGroups: [''],
      resources: ['configmaps'],
      verbs: ['get', 'list', 'watch'],
      resourceNames: ['ingress-nginx-controller']
    }
  ])
})

test('in some namespaces: a Role in each, and a ClusterRole for what lives in none', async () => {
  const objects = await objectsOf('--namespaces', 'shop,pay', '--set', 'kubernetes.tlsSecrets=shop/a,shop/b,pay/c')
  const roles = objects.filter(({ rules }) => rules !== undefined)
  expect(roles.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`)).toEqual([
    'ClusterRole /why5xx-why5xx-watch',
    'Role shop/why5xx-why5xx-watch',
    'Role pay/why5xx-why5xx-watch',
    'Role ingress-nginx/why5xx-why5xx-watch-controller',
    'Role shop/why5xx-why5xx-watch-tls',
    'Role pay/why5xx-why5xx-watch-tls'
  ])
  expect(roles[0].rules.flatMap(({ resources }: { resources: string[] }) => resources)).toEqual([
    'nodes',
    'namespaces',
    'ingressclasses'
  ])
  expect(roles[4].rules).toEqual([
    { apiGroups: [''], resources: ['secrets'], resourceNames: ['a', 'b'], verbs: ['get'] }
  ])
})

test.each([
  [['--print-rbac', 'all'], /--print-rbac all: expected full or smallest/],
  [['--print-rbac', '--namespaces', 'shop,$(id)'], /--namespaces "\$\(id\)": expected a namespace/],
  [['--print-rbac', '--account', 'why5xx'], /--account "why5xx": expected NAMESPACE\/NAME/],
  [['--print-rbac', '--set', 'kubernetes.tlsSecrets=shop'], /"shop" is not NAMESPACE\/NAME/]
])('%j is refused', async (args, says) => {
  const { code, stderr } = await why5xxHere(['check', '--cluster', ...args])
  expect(stderr).toMatch(says)
  expect(code).toBe(2)
})
