/**
 * A real Alertmanager for a test of its own, on 127.0.0.1: Debian's program, which comes without its page.
 *
 *   const alertmanager = await startAlertmanager({ webhookUrl })
 *   alertmanager.url
 *   await alertmanager.forget()      // it was away, and came back without its data
 *   await alertmanager.stop()
 */
import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAvailable } from './availability.ts'
import { freePort } from './freePort.ts'
import { makeServerFolder, type ServerControl, ServerProcess } from './serverProcess.ts'

const PROGRAMS = ['prometheus-alertmanager', 'alertmanager']

export interface AlertmanagerOptions {
  /** Where it posts what it notifies; null: nowhere. */
  webhookUrl?: string | null
  /** Below which its interface lies, such as `/alertmanager`. */
  routePrefix?: string
  /** Ports of others that it forms a cluster with; its own is `clusterPort`. */
  peers?: number[]
}

export interface AlertmanagerServer extends ServerControl {
  readonly url: string
  readonly clusterPort: number
  /** Starts it again without what it knew. */
  forget(): Promise<void>
  /** What it holds, as its API shows it. */
  alerts(): Promise<HeldAlert[]>
}

export interface HeldAlert {
  labels: Record<string, string>
  annotations: Record<string, string>
  startsAt: string
  endsAt: string
  generatorURL: string
  fingerprint: string
  status: { state: string }
}

/** False where it is not installed, and says so; with CI=true it throws instead. */
export function isAlertmanagerAvailable(): boolean {
  return isAvailable(
    'Alertmanager',
    program() === undefined
      ? 'prometheus-alertmanager is not in PATH (Debian: apt-get install prometheus-alertmanager)'
      : null
  )
}

function program(): string | undefined {
  return PROGRAMS.find(name => spawnSync(name, ['--version']).status === 0)
}

export async function startAlertmanager(options: AlertmanagerOptions = {}): Promise<AlertmanagerServer> {
  const { webhookUrl = null, routePrefix = '', peers = null } = options
  const folder = makeServerFolder('alertmanager')
  const [port, clusterPort] = [await freePort(), await freePort()]
  const data = join(folder, 'data')
  const configFile = join(folder, 'alertmanager.yml')
  writeFileSync(configFile, configuration(webhookUrl))
  const url = `http://127.0.0.1:${port}${routePrefix}`
  const server = new ServerProcess(
    {
      name: 'alertmanager',
      file: program()!,
      args: [
        `--config.file=${configFile}`,
        `--storage.path=${data}`,
        `--web.listen-address=127.0.0.1:${port}`,
        ...(routePrefix === '' ? [] : [`--web.route-prefix=${routePrefix}`, `--web.external-url=${url}`]),
        ...(peers === null
          ? ['--cluster.listen-address=']
          : [
              `--cluster.listen-address=127.0.0.1:${clusterPort}`,
              `--cluster.advertise-address=127.0.0.1:${clusterPort}`,
              '--cluster.settle-timeout=1s',
              '--cluster.peer-timeout=5s',
              '--cluster.gossip-interval=50ms',
              ...peers.map(peer => `--cluster.peer=127.0.0.1:${peer}`)
            ])
      ],
      isReady: () => isOk(`${url}/-/ready`)
    },
    folder
  )
  await server.start()
  return Object.assign(server, {
    url,
    clusterPort,
    async forget() {
      await server.stop()
      rmSync(data, { recursive: true, force: true })
      await server.start()
    },
    alerts: async () => (await (await fetch(`${url}/api/v2/alerts`)).json()) as HeldAlert[]
  })
}

async function isOk(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok
  } catch {
    return false // Nobody listens yet.
  }
}

/** Notifies at once, and again only after hours. */
function configuration(webhookUrl: string | null): string {
  return JSON.stringify({
    route: { receiver: 'test', group_by: ['...'], group_wait: '0s', group_interval: '1s', repeat_interval: '4h' },
    receivers: [
      { name: 'test', webhook_configs: webhookUrl === null ? [] : [{ url: webhookUrl, send_resolved: true }] }
    ]
  })
}
