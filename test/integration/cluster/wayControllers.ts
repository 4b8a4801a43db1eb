/**
 * Two controllers on a node: real nginx before backends that fail, their logs as kubelet keeps them, and requests of which is
 * known what must be found.
 */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import kafkajs from 'kafkajs'
import { makeCertificate } from '../../services/certificate.ts'
import { CONTROLLER, ContainerLog, type ContainerName } from '../../services/containerLog.ts'
import { type FaultyUpstreams, startFaultyUpstreams } from '../../services/faultyUpstream.ts'
import { type OpenedController, openController, startMain } from '../../services/labController.ts'
import { type LabRequest, numberRequests } from '../../services/labRequest.ts'
import { runAll, seeded, shuffle, tasksOf } from '../../services/labTraffic.ts'
import type { NginxProgram } from '../../services/nginx.ts'
import { labPorts } from '../../services/nginxLab.ts'
import { accessLine } from '../../support/lines.ts'
import { openStories, type Story } from './wayStories.ts'

const PODS = ['ingress-nginx-controller-6b8f7d5c9-x2x7k', 'ingress-nginx-controller-6b8f7d5c9-q4wn8'] as const
const CONCURRENCY = 12
const MINUTE_MS = 60_000

export interface WayControllersOptions {
  program: NginxProgram
  folder: string
  /** Lines of the two controllers are to lie in partitions of different workers. */
  partitions: number
  seed: number
}

export class WayControllers {
  readonly logs: readonly ContainerLog[]
  readonly all: LabRequest[] = []
  readonly stories: readonly Story[]
  readonly upstreams: FaultyUpstreams
  /** Requests that were written into the logs as of before. */
  readonly past = new Map<string, number>()
  readonly #controllers: readonly OpenedController[]
  readonly #random: () => number

  private constructor(
    logs: readonly ContainerLog[],
    stories: readonly Story[],
    upstreams: FaultyUpstreams,
    controllers: readonly OpenedController[],
    all: LabRequest[],
    seed: number
  ) {
    this.logs = logs
    this.stories = stories
    this.upstreams = upstreams
    this.#controllers = controllers
    this.all = all
    this.#random = seeded(seed)
  }

  static async open({ program, folder, partitions, seed }: WayControllersOptions): Promise<WayControllers> {
    const certificate = makeCertificate(folder, 'lab.test')
    const strangerCertificate = makeCertificate(folder, 'stranger.test')
    const upstreams = await startFaultyUpstreams(certificate)
    const stories = await openStories(upstreams, Date.now())
    const all: LabRequest[] = []
    const requests = numberRequests(all)
    const logs: ContainerLog[] = []
    const controllers: OpenedController[] = []
    for (const [index, pod] of PODS.entries()) {
      const directory = join(folder, `nginx-${index}`)
      mkdirSync(directory)
      const log = new ContainerLog(logRoot(folder), containerOf(logRoot(folder), pod, index, partitions))
      logs.push(log)
      controllers.push(
        await openController({
          program,
          directory,
          accessFile: join(directory, 'access.log'),
          ports: await labPorts(),
          upstreams,
          certificate,
          strangerCertificate,
          requests,
          log,
          faults: () => stories.map(({ fault }) => fault)
        })
      )
    }
    return new WayControllers(logs, stories, upstreams, controllers, all, seed)
  }

  /** Kinds of faults that lead to a service of namespace `lab`. */
  get labKinds(): string[] {
    const own = new Set(this.stories.map(({ kind }) => kind))
    return this.#controllers[0]!.faults.filter(({ kind }) => !own.has(kind)).map(({ kind }) => kind)
  }

  /** What the services were asked for in the minutes before `endMs`, without a failure: of each of them so often a minute. */
  writePast(
    upstreams: readonly string[],
    { endMs, minutes, perMinute }: { endMs: number; minutes: number; perMinute: number }
  ): void {
    const stepMs = MINUTE_MS / perMinute
    let serial = 0
    for (let ms = endMs - minutes * MINUTE_MS; ms < endMs; ms += stepMs)
      for (const name of upstreams) {
        const id = String(++serial).padStart(32, '0')
        const up = '127.20.1.1:8080|150|0.002|200'
        const client = `127.0.0.${1 + (serial % 4)}`
        const line = accessLine({
          timeMs: ms,
          status: 200,
          name,
          up,
          id,
          client,
          request: `GET /before/${serial} HTTP/1.1`
        })
        this.logs[serial % this.logs.length]!.write(
          'stdout',
          line,
          BigInt(Math.floor(ms)) * 1_000_000n + BigInt(serial)
        )
        this.past.set(name, (this.past.get(name) ?? 0) + 1)
      }
  }

  async start(): Promise<void> {
    await Promise.all(this.#controllers.map(startMain))
  }

  /** `done`: how much of it is over, from 0 to 1. */
  async traffic(options: { visits: number; count: number }, done: (share: number) => void): Promise<void> {
    const tasks = shuffle(tasksOf(this.#controllers, { ...options, random: this.#random }), this.#random)
    await runAll(tasks, CONCURRENCY, over => done(over / tasks.length))
  }

  /** All that the controllers have logged, with frames. */
  get lines(): string[] {
    return this.logs.flatMap(log => log.generations().flatMap(bytes => bytes.toString('latin1').split('\n')))
  }

  /** Requests in flight get their lines; then all is known of what was made. */
  async stop(): Promise<void> {
    await Promise.all(this.#controllers.map(controller => controller.stop()))
    await this.upstreams.close()
    for (const controller of this.#controllers) controller.nameEqual(this.all)
  }
}

/** What stands for `/var/log`. */
export function logRoot(folder: string): string {
  return join(folder, 'var/log')
}

/** With an id that leads the log of the controller to a partition of its own. */
function containerOf(root: string, pod: string, index: number, partitions: number): ContainerName {
  const partitionOf = kafkajs.Partitioners.DefaultPartitioner()
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    partitionId,
    leader: 0,
    partitionErrorCode: 0,
    replicas: [],
    isr: []
  }))
  for (let serial = 0; ; serial++) {
    const id = serial.toString(16).padStart(64, '0')
    const uid = `6f1c0a3e-5d7e-4a51-9c1b-0d2f43a1b7e${index}`
    const path = join(root, 'containers', `${pod}_${CONTROLLER.namespace}_${CONTROLLER.container}-${id}.log`)
    const message = { key: path, value: '' }
    if (partitionOf({ topic: '', partitionMetadata, message }) === index) return { ...CONTROLLER, pod, uid, id }
  }
}
