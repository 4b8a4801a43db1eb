/**
 * A real nginx between scripted clients and scripted backends, for one bounded run: every fault several times, in an order
 * drawn from a seed, among ordinary traffic. It leaves the logs as ingress-nginx writes them (two files, and the same lines
 * as one CRI file) and what is true of every request in them.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { applicationAnswers } from './applicationAnswers.ts'
import { makeCertificate } from './certificate.ts'
import { clientFaults } from './clientFaults.ts'
import { CriFile, type LineTaker } from './containerLog.ts'
import { controllerFaults, exhaustConnections, SCARCE_LOCATION } from './controllerFaults.ts'
import { startCriLog } from './criLog.ts'
import type { Fault, Lab } from './fault.ts'
import { freePorts, startFaultyUpstreams } from './faultyUpstream.ts'
import { type LabRequest, numberRequests } from './labRequest.ts'
import { eventually } from './latch.ts'
import { type NginxProgram, type RunningNginx, startNginx } from './nginx.ts'
import { type LabConfig, labConfig, location, podsUpstream, scarceConfig } from './nginxConfig.ts'
import { QUIET_LOCATION, quietVisit } from './quietTraffic.ts'
import { causeOfEqual, upstreamFaults } from './upstreamFaults.ts'
import { upstreamTlsFaults } from './upstreamTlsFaults.ts'

const VISITS = 220
const CONCURRENCY = 32

export interface LabLogs {
  accessFile: string
  errorFile: string
  criFile: string
  /** `pid connection requestId` of every access line. */
  labelsFile: string
  requests: readonly LabRequest[]
}

/** A small generator of the same numbers for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
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
  mkdirSync(join(work, 'removed'), { recursive: true })
  writeFileSync(join(work, 'htpasswd'), 'anna:{PLAIN}right\n')
  const accessFile = join(directory, 'access.log')
  const errorFile = join(directory, 'error.log')
  const criFile = join(directory, 'controller.cri.log')
  const labelsFile = join(work, 'labels')
  const certificate = makeCertificate(work, 'lab.test')
  const upstreams = await startFaultyUpstreams(certificate)
  const [http, https, slow, other, first, second] = await freePorts(6)
  const all: LabRequest[] = []
  const lab: Lab = {
    ports: {
      http: http!,
      https: https!,
      slow: slow!,
      defaultBackend: (await isFree(8181)) ? 8181 : other!,
      scarce: [first!, second!]
    },
    upstreams,
    certificate,
    strangerCertificate: makeCertificate(work, 'stranger.test'),
    directory: work,
    nginxVersion: program.version,
    hasLua: program.luaModules !== '',
    requests: numberRequests(all),
    logged: path =>
      eventually(
        () => (readFileSync(accessFile, 'latin1').includes(`${path}?`) ? true : undefined),
        `${path} not logged`
      )
  }
  const faults = [
    ...upstreamFaults(lab),
    ...upstreamTlsFaults(lab),
    ...applicationAnswers(lab),
    ...clientFaults(lab),
    ...controllerFaults(lab)
  ]
  const cri = startCriLog(work, containerLog ?? new CriFile(criFile))
  const config = labConfigOf(lab, faults, program, {
    access: [accessFile, cri.stdoutPipe],
    error: [errorFile, cri.stderrPipe],
    labels: labelsFile
  })
  const running: RunningNginx[] = []
  try {
    running.push(await startNginx(work, 'main', labConfig(config), lab.ports.http))
    // 17 and 18: one of them leaves an odd, the other an even number for requests, which need two each.
    for (const [index, port] of lab.ports.scarce.entries()) {
      const name = `scarce${index}`
      running.push(await startNginx(work, name, scarceConfig(config, name, port, 17 + index, SCARCE_LOCATION), port))
    }
    rmSync(join(work, 'removed'), { recursive: true })
    await runAll(tasksOf(lab, faults, seeded(seed)))
  } finally {
    await Promise.all(running.map(nginx => nginx.stop()))
    await cri.finish()
    await upstreams.close()
  }
  // Which pod nginx chose for each of the equal requests only its access line tells.
  for (const [, port, id] of readFileSync(accessFile, 'latin1').matchAll(
    /\] \[\] 127\.0\.1\.\d:(\d+) .* (equal-\d+)$/gm
  )) {
    const cause = causeOfEqual(lab, Number(port))
    const request = all.find(one => one.id === id)
    if (cause !== undefined && request !== undefined) request.causes = [cause]
  }
  const truth = all.map(request => ({ ...request, errorText: request.errorText?.source ?? null }))
  writeFileSync(join(directory, 'truth.json'), `[\n${truth.map(one => JSON.stringify(one)).join(',\n')}\n]\n`)
  return { accessFile, errorFile, criFile, labelsFile, requests: all }
}

function labConfigOf(lab: Lab, faults: readonly Fault[], program: NginxProgram, files: LabConfig['files']): LabConfig {
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

type Task = () => Promise<unknown>

function tasksOf(lab: Lab, faults: readonly Fault[], random: () => number): Task[] {
  const tasks: Task[] = Array.from({ length: VISITS }, () => quietVisit(lab, random))
  for (const fault of faults) {
    const one = () =>
      named(fault.kind, () => fault.act(lab, lab.requests.next(fault.kind, expectationOf(fault), fault.form)))
    const count = fault.count ?? 6
    const { arrange } = fault
    if (arrange !== undefined) {
      tasks.push(async () => {
        const undo = await named(fault.kind, () => arrange(lab))
        for (let done = 0; done < count; done++) await one()
        await undo()
      })
    } else if (fault.form === 'equal') tasks.push(() => Promise.all(Array.from({ length: count }, one)))
    else for (let made = 0; made < count; made++) tasks.push(one)
  }
  for (const port of lab.ports.scarce) tasks.push(() => named('scarce', () => exhaustConnections(lab, port)))
  for (let last = tasks.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    ;[tasks[last], tasks[other]] = [tasks[other]!, tasks[last]!]
  }
  return tasks
}

function expectationOf({ causes, status, errorText }: Fault) {
  return { causes, status, errorText }
}

async function named<T>(kind: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw new Error(`nginx lab, ${kind}: ${(error as Error).message}`, { cause: error })
  }
}

async function runAll(tasks: readonly Task[]): Promise<void> {
  let next = 0
  const lane = async () => {
    for (let task = tasks[next++]; task !== undefined; task = tasks[next++]) await task()
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, lane))
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
