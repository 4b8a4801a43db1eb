/** One controller of a lab: a real nginx with a location for every fault, whose log comes as a container's does. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { applicationAnswers } from './applicationAnswers.ts'
import type { Certificate } from './certificate.ts'
import { clientFaults } from './clientFaults.ts'
import type { LineTaker } from './containerLog.ts'
import { controllerFaults } from './controllerFaults.ts'
import { type CriLog, startCriLog } from './criLog.ts'
import type { Fault, Lab } from './fault.ts'
import type { FaultyUpstreams } from './faultyUpstream.ts'
import type { LabRequest, Requests } from './labRequest.ts'
import type { LabController } from './labTraffic.ts'
import { eventually } from './latch.ts'
import { type NginxProgram, type RunningNginx, startNginx } from './nginx.ts'
import { type LabConfig, type LabPorts, labConfig, location, podsUpstream } from './nginxConfig.ts'
import { QUIET_LOCATION } from './quietTraffic.ts'
import { causeOfEqual, upstreamFaults } from './upstreamFaults.ts'
import { upstreamTlsFaults } from './upstreamTlsFaults.ts'

export interface LabControllerOptions {
  program: NginxProgram
  /** Of its own. */
  directory: string
  /** Where nginx writes besides, as a file each. */
  accessFile: string
  errorFile?: string
  ports: LabPorts
  upstreams: FaultyUpstreams
  certificate: Certificate
  strangerCertificate: Certificate
  requests: Requests
  /** Takes the lines of the container; it is closed with the controller. */
  log: LineTaker
  /** Besides those that every controller has. */
  faults?: (lab: Lab) => readonly Fault[]
}

export interface OpenedController extends LabController {
  config: LabConfig
  /** Which pod nginx chose for each of the equal requests only its access line tells: sets their causes. */
  nameEqual(all: readonly LabRequest[]): void
  start(name: string, config: string, port: number): Promise<void>
  /** Requests in flight get their lines first. */
  stop(): Promise<void>
}

export async function openController(options: LabControllerOptions): Promise<OpenedController> {
  const { program, directory, accessFile, errorFile, ports, upstreams, certificate } = options
  mkdirSync(join(directory, 'removed'), { recursive: true })
  writeFileSync(join(directory, 'htpasswd'), 'anna:{PLAIN}right\n')
  const logged = (path: string) =>
    eventually(() => (readFileSync(accessFile, 'latin1').includes(`${path}?`) ? true : undefined), `${path} not logged`)
  const lab: Lab = {
    ports,
    upstreams,
    certificate,
    strangerCertificate: options.strangerCertificate,
    directory,
    nginxVersion: program.version,
    hasLua: program.luaModules !== '',
    requests: options.requests,
    logged
  }
  const faults = [
    ...upstreamFaults(lab),
    ...upstreamTlsFaults(lab),
    ...applicationAnswers(lab),
    ...clientFaults(lab),
    ...controllerFaults(lab),
    ...(options.faults?.(lab) ?? [])
  ]
  const cri: CriLog = startCriLog(directory, options.log)
  const config = configOf(lab, faults, program, {
    access: [accessFile, cri.stdoutPipe],
    error: [...(errorFile === undefined ? [] : [errorFile]), cri.stderrPipe],
    labels: join(directory, 'labels')
  })
  const running: RunningNginx[] = []
  return {
    lab,
    faults,
    config,
    nameEqual: all => nameEqual(lab, readFileSync(accessFile, 'latin1'), all),
    async start(name, text, port) {
      running.push(await startNginx(directory, name, text, port))
      // Its workers have made what they need; a body that is to be kept there finds no folder.
      if (name === 'main') rmSync(join(directory, 'removed'), { recursive: true })
    },
    async stop() {
      await Promise.all(running.splice(0).map(nginx => nginx.stop()))
      await cri.finish()
    }
  }
}

/** With all its locations, ready to serve. */
export function startMain(controller: OpenedController): Promise<void> {
  return controller.start('main', labConfig(controller.config), controller.lab.ports.http)
}

function nameEqual(lab: Lab, access: string, all: readonly LabRequest[]): void {
  for (const [, port, id] of access.matchAll(/\] \[\] 127\.0\.1\.\d:(\d+) .* (equal-\d+)$/gm)) {
    const cause = causeOfEqual(lab, Number(port))
    const request = all.find(one => one.id === id)
    if (cause !== undefined && request !== undefined) request.causes = [cause]
  }
}

function configOf(lab: Lab, faults: readonly Fault[], program: NginxProgram, files: LabConfig['files']): LabConfig {
  const { upstreams, ports, directory, certificate } = lab
  return {
    directory,
    files,
    ports,
    luaModules: program.luaModules,
    certificate,
    httpParts: [
      ...[...upstreams.ports].map(([behaviour, port]) => podsUpstream(`up_${behaviour}`, port)),
      podsUpstream('up_refused', upstreams.refusedPort),
      `upstream up_full { ${`server 127.0.0.1:${upstreams.fullPort} max_fails=0; `.repeat(3)} }`,
      ...faults.flatMap(({ http = [] }) => http)
    ],
    locations: [
      QUIET_LOCATION,
      ...faults.flatMap(fault => (fault.location === undefined ? [] : [location(fault.kind, fault.location)])),
      ...faults.flatMap(({ locations = [] }) => locations)
    ]
  }
}
