/**
 * A real control plane for a test of its own, on 127.0.0.1: etcd, API server, controllers, scheduler, and kwok in the place of
 * nodes and kubelets.
 *
 *   const kubernetes = await startKubernetes()
 *   connect({ api: 'kubeconfig', file: kubernetes.kubeconfig })
 *   await kubernetes.client.create('/api/v1/namespaces/default/pods', pod)
 *   await kubernetes.apiServer.kill(); await kubernetes.apiServer.restart()      // same port, same data
 *   await kubernetes.stop()
 *
 * Pods run at once and have an address of their node's range; nothing listens there. A pod that is deleted is gone at once,
 * whatever its grace period says, and the next pod of that node often gets its address. Labels make pods fail: stages.yaml.
 *
 * Most tests share one instead: `inject('kubernetes')`, see sharedKubernetes.ts.
 */
import { execFile } from 'node:child_process'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { isAvailable } from './availability.ts'
import { freePort } from './freePort.ts'
import { KubernetesClient } from './kubernetesClient.ts'
import { kubernetesProgram, missingForKubernetes } from './kubernetesProgram.ts'
import { makeServerFolder, type ServerControl, ServerProcess } from './serverProcess.ts'

export interface KubernetesOptions {
  /** Without controllers, scheduler and nodes: for tests of the API alone. */
  apiOnly?: boolean
  /** Pretended nodes. */
  nodes?: number
  /** False: lists and watches come from etcd, so a compaction makes both forget. */
  watchCache?: boolean
}

export interface KubernetesServer {
  /** Of the administrator. */
  kubeconfig: string
  /** As the administrator; it makes other accounts, too. */
  client: KubernetesClient
  readonly apiServer: ServerControl
  readonly etcd: ServerControl
  stop(): Promise<void>
}

/** False where Go is missing, and says so; with CI=true it throws instead. */
export function isKubernetesAvailable(): boolean {
  return isAvailable('Kubernetes', missingForKubernetes())
}

export async function startKubernetes(options: KubernetesOptions = {}): Promise<KubernetesServer> {
  const program = await kubernetesProgram()
  const folder = makeServerFolder('kubernetes')
  const [port, etcdPort, peerPort] = [await freePort(), await freePort(), await freePort()]
  const url = `https://127.0.0.1:${port}`
  const token = randomBytes(16).toString('hex')
  const pki = writeKeys(folder, token)
  const kubeconfig = join(folder, 'kubeconfig')
  writeFileSync(kubeconfig, kubeconfigText(url, join(pki, 'apiserver.crt'), token), { mode: 0o600 })
  const processOf = (name: string, args: string[], isReady: () => boolean | Promise<boolean> = () => true) => {
    const own = join(folder, name)
    mkdirSync(own, { recursive: true })
    return new ServerProcess({ name, file: program.file, args: [name, ...args], isReady }, own)
  }

  const etcdUrl = `http://127.0.0.1:${etcdPort}`
  const etcd = processOf('etcd', etcdArgs(join(folder, 'data'), etcdUrl, `http://127.0.0.1:${peerPort}`))
  const apiServer = processOf('kube-apiserver', apiServerArgs(port, pki, etcdUrl, options), () => isReady(url))
  const parts = [etcd, apiServer]
  const stop = async () => {
    for (const part of parts.reverse()) await part.stop()
  }
  let client: KubernetesClient
  try {
    await etcd.start()
    await apiServer.start()
    client = await KubernetesClient.of(kubeconfig)
    if (!options.apiOnly) {
      const kwokFile = join(folder, 'kwok.yaml')
      const { stdout } = await promisify(execFile)(program.file, ['stages'])
      writeFileSync(kwokFile, `${stdout}\n---\n${readFileSync(program.stagesFile, 'utf8')}`)
      const workers = [
        processOf('kube-controller-manager', controllerArgs(kubeconfig, pki)),
        processOf('kube-scheduler', schedulerArgs(kubeconfig)),
        processOf('kwok', kwokArgs(kubeconfig, kwokFile))
      ]
      parts.push(...workers)
      await Promise.all(workers.map(worker => worker.start()))
      await addNodes(client, options.nodes ?? 3)
    }
  } catch (error) {
    await stop()
    throw error
  }
  return { kubeconfig, client, apiServer, etcd, stop }
}

/** Anybody may ask; by what the server is known it writes only now. */
async function isReady(url: string): Promise<boolean> {
  const sent = request(`${url}/readyz`, { rejectUnauthorized: false, timeout: 2_000, agent: false })
  sent.on('timeout', () => sent.destroy())
  sent.end()
  try {
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    response.resume()
    return response.statusCode === 200
  } catch {
    return false
  }
}

/** What signs tokens, and who may come in with which. The server adds its own certificate. */
function writeKeys(folder: string, token: string): string {
  const pki = join(folder, 'pki')
  mkdirSync(pki, { mode: 0o700 })
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  writeFileSync(join(pki, 'sa.key'), privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 })
  writeFileSync(join(pki, 'sa.pub'), publicKey.export({ type: 'spki', format: 'pem' }))
  writeFileSync(join(pki, 'tokens.csv'), `${token},admin,admin,system:masters\n`, { mode: 0o600 })
  return pki
}

function kubeconfigText(server: string, caFile: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'lab',
    clusters: [{ name: 'lab', cluster: { server, 'certificate-authority': caFile } }],
    users: [{ name: 'lab', user: { token } }],
    contexts: [{ name: 'lab', context: { cluster: 'lab', user: 'lab' } }]
  })
}

function etcdArgs(data: string, client: string, peer: string): string[] {
  return [
    `--data-dir=${data}`,
    '--name=lab',
    // A test's data need not survive the machine.
    '--unsafe-no-fsync',
    '--log-level=warn',
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=lab=${peer}`
  ]
}

function apiServerArgs(port: number, pki: string, etcd: string, { watchCache = true }: KubernetesOptions): string[] {
  return [
    `--etcd-servers=${etcd}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--cert-dir=${pki}`,
    // Any address that is not loopback; nobody is to find the server by it.
    '--advertise-address=192.0.2.1',
    '--endpoint-reconciler-type=none',
    '--service-cluster-ip-range=10.96.0.0/16',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-signing-key-file=${join(pki, 'sa.key')}`,
    `--service-account-key-file=${join(pki, 'sa.pub')}`,
    '--authorization-mode=RBAC',
    `--token-auth-file=${join(pki, 'tokens.csv')}`,
    '--disable-admission-plugins=ServiceAccount',
    '--allow-privileged=true',
    `--watch-cache=${watchCache}`,
    '--profiling=false',
    '--v=1'
  ]
}

function controllerArgs(kubeconfig: string, pki: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    '--secure-port=0',
    '--leader-elect=false',
    '--use-service-account-credentials=false',
    `--service-account-private-key-file=${join(pki, 'sa.key')}`,
    `--root-ca-file=${join(pki, 'apiserver.crt')}`,
    '--allocate-node-cidrs=false',
    '--profiling=false'
  ]
}

function schedulerArgs(kubeconfig: string): string[] {
  const logins = ['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig']
  return [
    ...logins.map(name => `--${name}=${kubeconfig}`),
    '--secure-port=0',
    '--leader-elect=false',
    '--profiling=false'
  ]
}

function kwokArgs(kubeconfig: string, config: string): string[] {
  return [
    `--config=${config}`,
    `--kubeconfig=${kubeconfig}`,
    '--manage-all-nodes=true',
    '--cidr=10.244.0.0/16',
    '--node-ip=10.0.0.1',
    '--node-lease-duration-seconds=40'
  ]
}

async function addNodes(client: KubernetesClient, count: number): Promise<void> {
  for (let number = 1; number <= count; number++) {
    const name = `node-${number}`
    const podCIDR = `10.244.${number}.0/24`
    await client.create('/api/v1/nodes', {
      metadata: { name, labels: { 'kubernetes.io/hostname': name } },
      spec: { podCIDR, podCIDRs: [podCIDR] },
      status: { addresses: [{ type: 'InternalIP', address: `10.0.0.${number}` }] }
    })
  }
}
