/** `kubectl why5xx` against a real control plane; only the logs are the test's own. */

import { spawnSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { KubernetesClient, type RoleRule } from '../../services/kubernetesClient.ts'
import { makeServerFolder } from '../../services/serverProcess.ts'
import { accessLine } from '../../support/lines.ts'
import { kubectlHere, PROGRAM } from '../../support/program.ts'
import { addController } from './controllerPods.ts'
import { LogProxy } from './logProxy.ts'
import { openShop } from './workloads.ts'

const kubernetes = inject('kubernetes')
const READ = ['get', 'list']
const LOGS: RoleRule[] = [{ apiGroups: [''], resources: ['pods', 'pods/log'], verbs: READ }]

interface Document {
  kubernetes?: { pod?: { name?: string } }
  why5xx: { cause: string; diagnosis?: { root_cause?: string }; controller?: { pod?: { name?: string } } }
}

describe.skipIf(kubernetes === null)('kubectl why5xx', () => {
  const edge = `edge-${process.pid}`
  const store = `store-${process.pid}`
  const other = `other-${process.pid}`
  let client: KubernetesClient
  let proxy: LogProxy
  let admin: string

  beforeAll(async () => {
    client = await KubernetesClient.of(kubernetes!.kubeconfig)
    proxy = await LogProxy.start(kubernetes!.kubeconfig)
    admin = proxy.kubeconfig({ admin: proxy.token, nobody: 'unknown' }, 'admin')
    await client.makeNamespace(edge)
    for (const name of ['one', 'two']) await addController(client, edge, name)
    await openShop(client, store)
    await client.makeNamespace(other)
    const backend = { service: { name: 'gone', port: { number: 80 } } }
    for (const namespace of [store, other])
      await client.create(`/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`, {
        metadata: { name: 'lost' },
        spec: {
          ingressClassName: 'nginx',
          rules: [{ host: `${namespace}.example`, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }]
        }
      })
  })
  afterAll(async () => {
    await proxy?.stop()
    // Other tests look for controllers everywhere.
    for (const name of ['one', 'two'])
      await client.delete(`/api/v1/namespaces/${edge}/pods/${name}?gracePeriodSeconds=0`)
  })
  beforeEach(() => {
    proxy.paths.splice(0)
    proxy.logs.splice(0)
    // Of the second controller one failure more, in another namespace.
    proxy.logOf = ({ pod, parameters }) =>
      parameters.has('previous')
        ? null
        : logOf([`${store}-gone-80`, `${store}-cart-80`, ...(pod === 'two' ? [`${other}-gone-80`] : [])])
  })

  const run = (...args: string[]) => kubectlHere(['--kubeconfig', admin, '--controller-namespace', edge, ...args])
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await run('-o', 'json', ...args)
    return { code, stderr, report: JSON.parse(stdout) as Record<string, unknown> }
  }

  test('two controllers: their logs are joined apart, and the cluster says why', async () => {
    const { code, report } = await json()
    expect(report).toMatchObject({
      requests: 5,
      failures: 3,
      byCause: { no_endpoints: 3 },
      byRootCause: { ingress_service_missing: 3 }
    })
    expect(code).toBe(0)
    const { stdout } = await run('-o', 'ndjson')
    const documents = stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as Document)
    expect(documents.map(({ why5xx }) => why5xx.controller?.pod?.name ?? 'none').sort()).toEqual(['one', 'two', 'two'])
  })

  test('only what failures name is listed; -A lists everything', async () => {
    await json()
    const listed = () => proxy.paths.filter(path => path.endsWith('/endpointslices'))
    const of = (namespace: string) => `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`
    expect(listed().sort()).toEqual([edge, other, store].sort().map(of))
    proxy.paths.splice(0)
    const { report } = await json('-A')
    expect(listed()).toEqual(['/apis/discovery.k8s.io/v1/endpointslices'])
    expect(report).toMatchObject({ failures: 3, byRootCause: { ingress_service_missing: 3 } })
  })

  test('-n keeps to one namespace, and says what it leaves out', async () => {
    const { report, stderr } = await json('-n', store)
    expect(report).toMatchObject({ failures: 2, byRootCause: { ingress_service_missing: 2 } })
    expect(stderr).toContain(`1 failure outside of namespace ${store} is not shown: ${other} 1; without -n they are`)
    expect(proxy.paths.filter(path => path.includes(`/namespaces/${other}/`))).toEqual([])
    const page = (await run('-n', store, '-o', 'html')).stdout
    expect(page).toContain(`${store}-gone-80`)
    expect(page).not.toContain(`${other}-gone-80`)
    const text = (await run('-n', store)).stdout
    expect(text).toContain(`only namespace ${store}`)
    expect(text).toContain('is not shown')
  })

  test('the window is asked for with what may have gone before it', async () => {
    await json('--since', '10m')
    const [{ parameters }] = proxy.logs as [(typeof proxy.logs)[0]]
    const since = Date.parse(parameters.get('sinceTime')!)
    expect(Date.now() - since).toBeGreaterThan(600_000 + 180_000)
    expect(Date.now() - since).toBeLessThan(600_000 + 260_000)
    expect(Object.fromEntries(parameters)).toMatchObject({ container: 'controller', timestamps: 'true' })
  })

  test('a user who may read the logs alone gets causes, and is told what would tell more', async () => {
    const token = await client.makeServiceAccount(edge, 'logs', LOGS, 'namespace')
    const { code, report, stderr } = await json('--kubeconfig', proxy.kubeconfig({ logs: token }, 'logs'))
    expect(report).toMatchObject({ failures: 3, byCause: { no_endpoints: 3 } })
    expect(report).not.toHaveProperty('byRootCause.ingress_service_missing')
    expect(code).toBe(0)
    expect(stderr).toContain('nodes')
    expect(stderr).toContain('may not be listed (403)')
    expect(stderr).toMatch(/a ClusterRole with \{apiGroups: \["networking\.k8s\.io"\], resources: \[ingresses/)
    expect(stderr).toContain('kubectl auth can-i list ingresses.networking.k8s.io --all-namespaces tells')
  })

  test('a user who may not read logs is told the rule that would allow it', async () => {
    const rules: RoleRule[] = [{ apiGroups: [''], resources: ['pods'], verbs: READ }]
    const token = await client.makeServiceAccount(edge, 'pods', rules, 'namespace')
    const { code, stdout, stderr } = await run('--kubeconfig', proxy.kubeconfig({ pods: token }, 'pods'))
    expect(stdout).toBe('')
    expect(stderr).toContain(`logs of ${edge}/one, ${edge}/two may not be read (403)`)
    expect(stderr).toContain(`a Role in ${edge} with {apiGroups: [""], resources: [pods/log], verbs: [get]} allows it`)
    expect(stderr).toContain(`kubectl auth can-i get pods --subresource=log -n ${edge}`)
    expect(code).toBe(1)
  })

  test('context and impersonation are those of kubectl', async () => {
    const nobody = await run('--context', 'nobody')
    expect(nobody.stderr).toMatch(/401 Unauthorized: log in again/)
    expect(nobody.code).toBe(1)
    const jane = await run('--as', 'jane', '--as-group', 'visitors')
    expect(jane.stderr).toContain('User "jane" cannot list resource "pods"')
    expect(jane.stderr).toContain(`kubectl auth can-i list pods -n ${edge}`)
    expect(jane.code).toBe(1)
    const as = await json('--as', 'jane', '--as-group', 'system:masters')
    expect(as.report).toMatchObject({ failures: 3 })
  })

  test('no controller: what was looked for, and the flag to use', async () => {
    const none = await kubectlHere(['--kubeconfig', admin, '--controller-namespace', store])
    expect(none.stderr).toContain(`no pod in namespace ${store} has the labels "app.kubernetes.io/name=ingress-nginx,`)
    expect(none.stderr).toContain('--selector')
    expect(none.code).toBe(1)
    const found = await kubectlHere(['--kubeconfig', admin, '-l', 'lab=one', '-o', 'json'])
    expect(JSON.parse(found.stdout)).toMatchObject({ failures: 1 })
  })

  test('the built program by the name that kubectl looks for', async () => {
    const name = join(makeServerFolder('bin'), 'kubectl-why5xx')
    symlinkSync(join(dirname(PROGRAM), 'kubectl.js'), name)
    const { status, stdout } = spawnSync(process.execPath, [name, '--help'], { encoding: 'utf8' })
    expect(stdout).toContain('Usage: kubectl why5xx [flags]')
    expect(status).toBe(0)
  })
})

function logOf(names: string[]): string {
  const nowMs = Date.now()
  return names
    .map((name, i) => {
      const timeMs = nowMs + i
      const isServed = name.includes('-cart-')
      const line = accessLine({
        timeMs,
        name,
        status: isServed ? 200 : 503,
        up: isServed ? '10.0.0.1:8080|61|0.001|200' : '-|-|-|-'
      })
      return `${new Date(timeMs).toISOString()} ${line}\n`
    })
    .join('')
}
