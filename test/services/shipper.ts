/**
 * A real log shipper between the files of a node and Kafka: Fluent Bit with the configuration of deploy/fluent-bit/ where there
 * is one (`WHY5XX_TEST_FLUENT_BIT`, PATH, /opt/fluent-bit/bin), else rsyslog, which writes the same records.
 *
 *   const log = new ContainerLog(folder)
 *   const shipper = await startShipper({ logs: folder, brokers, topic })
 *   log.write('stderr', '…')
 *   await shipper.allSent([log])
 *   await shipper.kill(); await shipper.restart()      // goes on by itself; what it is not sure of it sends again
 *   await shipper.stop()
 */
import { isAvailable } from './availability.ts'
import type { ContainerLog } from './containerLog.ts'
import { findFluentBit, startFluentBit } from './fluentBitShipper.ts'
import { missingForRsyslog, startRsyslog } from './rsyslogShipper.ts'
import type { ServerControl } from './serverProcess.ts'
import { ShippedTopic } from './shippedTopic.ts'

export interface ShipperOptions {
  /** Folder that stands for `/var/log`. */
  logs: string
  /** `host:port`. */
  brokers: string[]
  topic: string
  /** What records say of the node and the cluster. */
  node?: string
  cluster?: string
}

export interface Shipper extends ServerControl {
  readonly kind: 'fluent-bit' | 'rsyslog'
  /** Every line that stands in the files of these logs, rotated ones too, is in the topic. */
  allSent(logs: readonly ContainerLog[]): Promise<void>
}

/** False where there is none of the two, and says so; with CI=true it throws instead. */
export function isShipperAvailable(): boolean {
  return isAvailable('A log shipper', findFluentBit() === null ? missingForRsyslog() : null)
}

export async function startShipper(options: ShipperOptions): Promise<Shipper> {
  const program = findFluentBit()
  const whole = { node: 'worker-1', cluster: 'prod', ...options }
  const control = program === null ? await startRsyslog(whole) : await startFluentBit(program, whole)
  return {
    kind: program === null ? 'rsyslog' : 'fluent-bit',
    get pid() {
      return control.pid
    },
    stop: () => control.stop(),
    kill: () => control.kill(),
    restart: () => control.restart(),
    allSent: logs => ShippedTopic.holdsAll(options.brokers, options.topic, logs)
  }
}
