/**
 * Everything between a node's log files and an alert, once: a process that watches the cluster, two workers, the one that looks
 * for incidents, a shipper, and what happens to them while requests fail.
 */
import { inject, vi } from 'vitest'
import { environmentName } from '../../../src/optionTable.ts'
import { openElasticsearchReader } from '../../../src/store/elasticsearch/openReader.ts'
import type { StoreReader } from '../../../src/store/store.ts'
import { type AlertmanagerServer, type HeldAlert, startAlertmanager } from '../../services/alertmanagerServer.ts'
import { PODS } from '../../services/faultyUpstream.ts'
import type { NginxProgram } from '../../services/nginx.ts'
import { type Shipper, startShipper } from '../../services/shipper.ts'
import { configOf } from '../../store/elasticsearch/config.ts'
import { Folder } from '../../support/program.ts'
import { RunningProgram } from '../../support/runningProgram.ts'
import { ScriptedApiServer } from '../../support/scriptedApiServer.ts'
import { ShopCluster } from '../../support/shopCluster.ts'
import { ClusterBed } from './bed.ts'
import { logRoot, WayControllers } from './wayControllers.ts'
import { HOST, labServices } from './wayStories.ts'

const PARTITIONS = 4
/** What the detector wants to have seen before it calls anything unusual, and the twenty minutes that its process reads again. */
export const PAST_MINUTES = 100
const PAST_PER_MINUTE = 12
const VISITS = 60
/** Of each kind of fault. */
const FAULTS = 4
/** Of each step; the machine may be busy with something else. */
const PATIENCE_MS = 120_000
const CLUSTER = 'prod'

type Options = Record<string, string | number | readonly string[]>

export class WayRun {
  readonly folder: Folder
  readonly bed: ClusterBed
  readonly controllers: WayControllers
  readonly alertmanager: AlertmanagerServer
  readonly startedMs = Date.now()
  /** Names of pods by address. */
  readonly pods: ReadonlyMap<string, string>
  readonly #api: ScriptedApiServer
  readonly #lab: ShopCluster
  #shipper: Shipper | null = null

  private constructor(folder: Folder, bed: ClusterBed, parts: [WayControllers, AlertmanagerServer, ScriptedApiServer]) {
    this.folder = folder
    this.bed = bed
    ;[this.controllers, this.alertmanager, this.#api] = parts
    this.#lab = new ShopCluster({ namespace: 'lab', name: 'app', addresses: PODS, host: HOST, nowMs: this.startedMs })
    this.pods = new Map(this.#lab.pods.map(({ status, metadata }) => [status.podIP!, metadata.name]))
  }

  static async prepare(program: NginxProgram, seed: number): Promise<WayRun> {
    const folder = new Folder()
    const bed = new ClusterBed('way')
    const [controllers, alertmanager, api] = await Promise.all([
      WayControllers.open({ program, folder: folder.path, partitions: PARTITIONS, seed }),
      startAlertmanager(),
      ScriptedApiServer.start(),
      bed.prepare(PARTITIONS)
    ])
    return new WayRun(folder, bed, [controllers, alertmanager, api])
  }

  /**
   * `observed`: upstream names that had ordinary traffic before. While requests fail, both logs are rotated, a worker and the
   * shipper die, and others go on.
   */
  async go(observed: readonly string[]): Promise<void> {
    const { bed, controllers } = this
    await this.#watchCluster()
    const victim = this.#run({})
    this.#run({})
    const past = { endMs: Date.now(), minutes: PAST_MINUTES, perMinute: PAST_PER_MINUTE }
    controllers.writePast(observed, past)
    const shipper = await startShipper({
      logs: logRoot(this.folder.path),
      brokers: inject('kafka')!.brokers,
      topic: bed.topic,
      cluster: CLUSTER
    })
    this.#shipper = shipper
    const alerts = this.#startAlerts()
    await controllers.start()
    const [first, second] = controllers.logs
    const incidents: Incidents = [
      [0.2, async () => first!.rotate()],
      [0.4, () => victim.kill('SIGKILL').then(() => this.#run({}))],
      [
        0.5,
        async () => {
          // A shipper that is killed has sent again what the files hold that are not rotated. What others held would be gone.
          await shipper.allSent(controllers.logs)
          await shipper.kill()
          await shipper.restart()
          await shipper.allSent(controllers.logs)
          second!.rotate()
        }
      ]
    ]
    await during(incidents, done => controllers.traffic({ visits: VISITS, count: FAULTS }, done))
    await controllers.stop()
    await shipper.allSent(controllers.logs)
    await alerts
  }

  /** Waits until there are so many failures, and requests in the totals; says what is there when there are not. */
  async stored(failures: number, requests: number, patienceMs = PATIENCE_MS): Promise<void> {
    const reader = this.openReader()
    const look = async (): Promise<void> => {
      const [stored, counted] = [await this.bed.failures(), await requestsIn(reader)]
      if (stored < failures || counted < requests)
        throw new Error(`${stored} of ${failures} failures, ${counted} of ${requests} requests${this.#said()}`)
    }
    try {
      await vi.waitFor(look, { timeout: patienceMs, interval: 250 })
    } finally {
      await reader.close()
    }
  }

  async alerted(count: number): Promise<HeldAlert[]> {
    const look = async (): Promise<HeldAlert[]> => {
      const alerts = await this.alertmanager.alerts()
      if (alerts.length < count) throw new Error(`${alerts.length} of ${count} alerts${this.#said()}`)
      return alerts
    }
    return vi.waitFor(look, { timeout: PATIENCE_MS, interval: 250 })
  }

  openReader(): StoreReader {
    return openElasticsearchReader(configOf(inject('elasticsearch')!.url, { namespace: this.bed.namespace }))
  }

  async remove(): Promise<void> {
    await this.#shipper?.stop()
    await this.bed.remove()
    await this.alertmanager.stop()
    await this.#api.close()
    this.folder.remove()
  }

  /** As a container is given its configuration. */
  environment(options: Options = {}): Record<string, string> {
    const { namespace } = this.bed
    const topics = { 'kubernetes.topic': `${namespace}.kubernetes`, 'alerts.topic': `${namespace}.incidents` }
    const all: Options = {
      ...this.bed.options,
      clusterName: CLUSTER,
      // Sooner than by default: where a watch on a busy machine was late, nobody waits two minutes for the second judgement.
      'diagnosis.settleMs': 10_000,
      ...topics,
      ...options
    }
    return Object.fromEntries(Object.entries(all).map(([path, value]) => [environmentName(path), String(value)]))
  }

  #run(options: Options): RunningProgram {
    const running = new RunningProgram(['run'], this.environment(options))
    this.bed.workers.push(running)
    return running
  }

  /** Until the state of the cluster is recorded: of what fails before, nobody could say which pod it was. */
  async #watchCluster(): Promise<void> {
    const { controllers, startedMs } = this
    const objects = [
      ...this.#lab.objects,
      ...labServices(controllers.labKinds, this.#lab, startedMs),
      ...controllers.stories.flatMap(story => story.objects)
    ]
    // Stories share their node and their namespace.
    const byName = new Map(objects.map(one => [`${one.kind} ${one.metadata.namespace}/${one.metadata.name}`, one]))
    for (const object of byName.values()) {
      const resource = `${object.kind.toLowerCase().replace(/ss$/, 'sse')}s`
      this.#api.items.set(resource, [...(this.#api.items.get(resource) ?? []), object])
    }
    const kubeconfig = this.folder.write('kubeconfig', this.#api.kubeconfig)
    const watch = this.#run({ roles: 'watch', 'kubernetes.api': 'kubeconfig', 'kubernetes.kubeconfig': kubeconfig })
    await watch.until(async () => ((await watch.ask('/readyz')).status === 200 ? true : undefined))
  }

  /** Once the store knows what was ordinary. */
  async #startAlerts(): Promise<void> {
    await this.stored(
      0,
      [...this.controllers.past.values()].reduce((sum, count) => sum + count)
    )
    this.#run({ roles: 'alert', 'alerts.alertmanager.urls': this.alertmanager.url })
  }

  #said(): string {
    return this.bed.workers.map(({ stderr }) => `\n---\n${stderr.slice(-3_000)}`).join('')
  }
}

/** What happens once so much of the traffic is over, from 0 to 1. */
type Incidents = [from: number, happen: () => Promise<unknown>][]

async function during(incidents: Incidents, traffic: (done: (share: number) => void) => Promise<void>): Promise<void> {
  const ahead = [...incidents]
  const happening: Promise<unknown>[] = []
  await traffic(share => {
    while (ahead.length > 0 && share >= ahead[0]![0]) happening.push(ahead.shift()![1]())
  })
  await Promise.all(happening)
}

export const ALL_TIME = { services: [], causes: [], pods: [], statuses: [] }

async function requestsIn(reader: StoreReader): Promise<number> {
  const everything = { ...ALL_TIME, fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY }
  const totals = await reader.totals(everything, Number.POSITIVE_INFINITY)
  return totals.reduce((sum, { requests }) => sum + requests, 0)
}
