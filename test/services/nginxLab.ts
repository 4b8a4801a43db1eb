/**
 * A real nginx between scripted clients and scripted backends, for one bounded run: every fault several times, in an order
 * drawn from a seed, among ordinary traffic. It leaves the logs as ingress-nginx writes them (two files, and the same lines
 * as one CRI file) and what is true of every request in them.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { makeCertificate } from './certificate.ts'
import { CriFile, type LineTaker } from './containerLog.ts'
import { exhaustConnections, SCARCE_LOCATION } from './controllerFaults.ts'
import { freePorts, startFaultyUpstreams } from './faultyUpstream.ts'
import { openController, startMain } from './labController.ts'
import { type LabRequest, numberRequests } from './labRequest.ts'
import { named, runAll, seeded, shuffle, tasksOf } from './labTraffic.ts'
import type { NginxProgram } from './nginx.ts'
import { type LabPorts, scarceConfig } from './nginxConfig.ts'

const VISITS = 220
const COUNT = 6
const CONCURRENCY = 32
/** Of the controller's own default backend. */
const BACKEND_PORT = 8181

export interface LabLogs {
  accessFile: string
  errorFile: string
  criFile: string
  /** `pid connection requestId` of every access line. */
  labelsFile: string
  requests: readonly LabRequest[]
}

/** `containerLog`: takes what is else written to the CRI file, such as the log of a container on a node. */
export async function runNginxLab(
  program: NginxProgram,
  directory: string,
  seed: number,
  containerLog?: LineTaker
): Promise<LabLogs> {
  const work = join(directory, 'nginx-lab')
  for (const own of ['nginx-lab', 'access.log', 'error.log', 'controller.cri.log', 'truth.json']) {
    rmSync(join(directory, own), { recursive: true, force: true })
  }
  mkdirSync(work)
  const accessFile = join(directory, 'access.log')
  const errorFile = join(directory, 'error.log')
  const criFile = join(directory, 'controller.cri.log')
  const certificate = makeCertificate(work, 'lab.test')
  const upstreams = await startFaultyUpstreams(certificate)
  const ports = await labPorts()
  if (await isFree(BACKEND_PORT)) ports.defaultBackend = BACKEND_PORT
  const all: LabRequest[] = []
  const controller = await openController({
    program,
    directory: work,
    accessFile,
    errorFile,
    ports,
    upstreams,
    certificate,
    strangerCertificate: makeCertificate(work, 'stranger.test'),
    requests: numberRequests(all),
    log: containerLog ?? new CriFile(criFile)
  })
  const { lab, config } = controller
  try {
    await startMain(controller)
    // 17 and 18: one of them leaves an odd, the other an even number for requests, which need two each.
    for (const [index, port] of ports.scarce.entries()) {
      const name = `scarce${index}`
      await controller.start(name, scarceConfig(config, name, port, 17 + index, SCARCE_LOCATION), port)
    }
    const random = seeded(seed)
    const tasks = tasksOf([controller], { visits: VISITS, count: COUNT, random })
    for (const port of ports.scarce) tasks.push(() => named('scarce', () => exhaustConnections(lab, port)))
    await runAll(shuffle(tasks, random), CONCURRENCY)
  } finally {
    await controller.stop()
    await upstreams.close()
  }
  controller.nameEqual(all)
  const truth = all.map(request => ({ ...request, errorText: request.errorText?.source ?? null }))
  writeFileSync(join(directory, 'truth.json'), `[\n${truth.map(one => JSON.stringify(one)).join(',\n')}\n]\n`)
  return { accessFile, errorFile, criFile, labelsFile: config.files.labels, requests: all }
}

export async function labPorts(): Promise<LabPorts> {
  const [http, https, slow, defaultBackend, first, second] = await freePorts(6)
  return { http: http!, https: https!, slow: slow!, defaultBackend: defaultBackend!, scarce: [first!, second!] }
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
