/** Fluent Bit with the configuration that deploy/fluent-bit/ ships; only the folders and the topic are the test's. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from './freePort.ts'
import { makeServerFolder, type ServerControl, ServerProcess } from './serverProcess.ts'
import type { ShipperOptions } from './shipper.ts'

const CONFIGURATION = join(import.meta.dirname, '../../deploy/fluent-bit/fluent-bit.yaml')
/** The first one with nanoseconds in `timestamp_format` and the YAML that we write. */
const MAJOR_MIN = 4

/** Its path; null where there is none, or only an older one. */
export function findFluentBit(): string | null {
  const places = [process.env.WHY5XX_TEST_FLUENT_BIT, 'fluent-bit', '/opt/fluent-bit/bin/fluent-bit']
  const found = places.find(place => place && majorOf(place) >= MAJOR_MIN)
  return found ?? null
}

function majorOf(program: string): number {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' })
  return Number(/v(\d+)\.\d+/.exec(stdout ?? '')?.[1] ?? 0)
}

export async function startFluentBit(program: string, options: Required<ShipperOptions>): Promise<ServerControl> {
  const folder = makeServerFolder('fluent-bit')
  const data = join(folder, 'data')
  const file = join(folder, 'fluent-bit.yaml')
  const port = await freePort()
  mkdirSync(data)
  const changes: [string, string][] = [
    ['/var/log/containers/', `${options.logs}/containers/`],
    ['/var/lib/fluent-bit/', `${data}/`],
    ['topics: why5xx.nginx.raw', `topics: ${options.topic}`],
    ['http_port: 2020', `http_port: ${port}`]
  ]
  let text = readFileSync(CONFIGURATION, 'utf8')
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(`${CONFIGURATION} has no ${from}`)
    text = text.replaceAll(from, to)
  }
  writeFileSync(file, text)
  const env = { KAFKA_BROKERS: options.brokers.join(','), NODE_NAME: options.node, CLUSTER_NAME: options.cluster }
  const isReady = async (): Promise<boolean> => {
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => null)
    return answer?.ok ?? false
  }
  const server = new ServerProcess({ name: 'fluent-bit', file: program, args: ['-c', file], env, isReady }, folder)
  await server.start()
  return server
}
