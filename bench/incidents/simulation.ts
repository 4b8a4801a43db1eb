import { type Behaviour, MESSAGES, type Request, tryPeer } from './attempt.ts'
import { type Client, makeClients, publicAddress, referrerFor } from './clients.ts'
import { Endpoints, type Peer } from './cluster.ts'
import { type Connection, Controller, choosePeer } from './controller.ts'
import { type Attempt, accessLine, errorLine, type Line, pageBytes } from './lines.ts'
import { Random } from './random.ts'
import type { Route, Service } from './service.ts'
import { PORTS, REPLICAS, SERVICES } from './services.ts'
import type { Shop } from './state/shop.ts'
import { Truth, type TruthCause } from './truth.ts'

const CONTROLLERS = ['ingress-nginx-controller-6c9f8d4b7-7mlxz', 'ingress-nginx-controller-6c9f8d4b7-q4wnd']

export interface SimulationOptions {
  startMs: number
  minutes: number
  controllers: 1 | 2
  /** Services that take no part, to keep the file small. */
  without?: readonly string[]
  replicas?: Readonly<Record<string, number>>
}

export class Simulation {
  readonly random: Random
  readonly startMs: number
  readonly endMs: number
  readonly controllers: Controller[]
  readonly lines: Line[] = []
  readonly truth = new Truth()
  readonly endpoints = new Map<string, Endpoints>()
  /** Multiplies a service's requests per second. */
  load: (service: Service, ms: number) => number = () => 1
  /** Multiplies a pod's latency. */
  slowness: (peer: Peer, ms: number) => number = () => 1
  behaviour: Behaviour = () => null
  /** How long a client waits, where that matters; null is the default. */
  patience: (service: Service, route: Route, client: Client) => number | null = () => null
  /** Scheme nginx speaks to a service. */
  scheme: (service: Service, ms: number) => 'http' | 'https' = () => 'http'
  /** What became of the cluster's objects meanwhile. */
  tell: (shop: Shop) => void = () => {}
  readonly #clients = new Map<string, Client[]>()
  readonly #connections = new Map<Client, Connection[]>()

  constructor(name: string, options: SimulationOptions) {
    this.random = new Random(name)
    this.startMs = options.startMs
    this.endMs = options.startMs + options.minutes * 60_000
    this.controllers = CONTROLLERS.slice(0, options.controllers).map(pod => new Controller(pod, this.random))
    for (const service of SERVICES) {
      if (options.without?.includes(service.name) === true) continue
      const replicas = options.replicas?.[service.name] ?? REPLICAS[service.name]!
      this.endpoints.set(service.name, new Endpoints(this.#startPods(service.name, replicas)))
      this.#clients.set(service.name, [...makeClients(this.random, 30, true), ...makeClients(this.random, 8, false)])
    }
  }

  #startPods(service: string, replicas: number): Peer[] {
    const template = this.random.hex(10)
    const pods: Peer[] = []
    while (pods.length < replicas) pods.push(this.newPod(service, template, null, pods))
    return pods
  }

  /** A pod with an address that nobody had before; `siblings` are those that no Endpoints know yet. */
  newPod(service: string, template: string, from: number | null, siblings: readonly Peer[] = []): Peer {
    const known = [...[...this.endpoints.values()].flatMap(endpoints => endpoints.all), ...siblings]
    const taken = new Set(known.map(peer => peer.address.split(':')[0]))
    const node = this.random.integer(1, 4)
    let ip = ''
    do ip = `10.42.${node}.${this.random.integer(4, 250)}`
    while (taken.has(ip))
    const suffix = Array.from({ length: 5 }, () => this.random.pick('bcdfghjklmnpqrstvwxz2456789'.split(''))).join('')
    return {
      pod: `${service.split('/')[1]}-${template}-${suffix}`,
      service,
      address: `${ip}:${PORTS[service] ?? 8080}`,
      node: `worker-${node}`,
      from,
      to: null,
      downs: [],
      breaks: [],
      facts: []
    }
  }

  /** By upstream name, `namespace/name`; null: nginx's own. */
  serviceOf(upstream: string): string | null {
    const service = SERVICES.find(item => item.upstream === upstream)
    return service !== undefined && this.endpoints.has(service.name) ? service.name : null
  }

  log(line: Line): void {
    this.lines.push(line)
  }

  /** All requests of the window, in order of their start. */
  runTraffic(): void {
    const arrivals: { at: number; service: Service }[] = []
    for (const service of SERVICES) {
      if (!this.endpoints.has(service.name)) continue
      for (let second = this.startMs; second < this.endMs; second += 1000) {
        const perSecond = service.perSecond * this.load(service, second)
        for (
          let wait = this.random.exponential(1000 / perSecond);
          wait < 1000;
          wait += this.random.exponential(1000 / perSecond)
        ) {
          arrivals.push({ at: second + Math.floor(wait), service })
        }
      }
    }
    for (const { at, service } of arrivals.sort((a, b) => a.at - b.at)) this.serve(this.#makeRequest(at, service))
  }

  #makeRequest(at: number, service: Service): Request {
    const { random } = this
    const [browsers, programs] = [
      this.#clients.get(service.name)!.slice(0, 30),
      this.#clients.get(service.name)!.slice(30)
    ]
    const client = random.pick(random.chance(service.browsers) ? browsers : programs)
    const route = random.weighted(service.routes.map(route => [route.weight, route] as const))
    const bodyBytes = route.requestBody === undefined ? 0 : random.integer(...route.requestBody)
    const patience = this.patience(service, route, client)
    return {
      at,
      service,
      route,
      uri: route.path(random),
      client,
      referrer: referrerFor(random, service, client),
      bodyMs: bodyBytes > 16_384 ? Math.round(bodyBytes / random.integer(900, 4_000)) : 0,
      bodyBytes,
      patienceMs: patience ?? (random.chance(0.004) ? random.integer(5, 60) : Number.POSITIVE_INFINITY)
    }
  }

  connect(client: Client, ms: number): Connection {
    const { random } = this
    const open = this.#connections.get(client) ?? []
    const reusable = open.find(
      connection =>
        ms - connection.lastUsed < 70_000 &&
        (client.version === 'HTTP/2.0' || connection.busyUntil <= ms) &&
        connection.controller.workersAt(ms).includes(connection.worker)
    )
    if (reusable !== undefined && random.chance(0.93)) {
      reusable.lastUsed = ms
      return reusable
    }
    const controller = random.pick(this.controllers)
    const fresh = {
      controller,
      worker: random.pick(controller.workersAt(ms)),
      number: controller.nextConnection(),
      busyUntil: 0,
      lastUsed: ms
    }
    this.#connections.set(client, [fresh, ...open.slice(0, 5)])
    return fresh
  }

  serve(request: Request): void {
    const { random } = this
    const { client, service, route } = request
    const connection = this.connect(client, request.at)
    const { controller, worker } = connection
    const requestLine = `${route.method} ${request.uri} ${client.version}`
    const fraction = random.next() * 0.2
    const writeError = (ms: number, level: 'error' | 'warn', message: string, upstream: string | null): void => {
      const fields = {
        ms,
        level,
        pid: worker.pid,
        connection: connection.number,
        message,
        client: client.address,
        server: service.host
      }
      const text = errorLine({
        ...fields,
        request: requestLine,
        upstream,
        host: service.host,
        referrer: request.referrer
      })
      this.log({ at: ms + fraction + random.next() * 0.15, pod: controller.pod, stream: 'stderr', kind: 'error', text })
    }
    if (request.bodyBytes > 16_384) {
      const file = controller.nextTemporaryFile()
      writeError(request.at + 1, 'warn', `a client request body is buffered to a temporary file ${file}`, null)
    }

    const endpoints = this.endpoints.get(service.name)!
    const givesUpAt = request.at + request.patienceMs
    const attempts: Attempt[] = []
    const causes: TruthCause[] = []
    let now = request.at + request.bodyMs
    let status = 0
    let bodyBytes = 0
    let appAnswered = false
    let wasCut = false
    let triesLeft = 3
    let peer = choosePeer(worker, service.name, endpoints, now, random)
    if (peer === null) {
      status = 503
      bodyBytes = pageBytes(503, client.agent, route.method)
    }
    while (peer !== null) {
      const attempt = tryPeer({
        random,
        behaviour: this.behaviour,
        slowness: this.slowness,
        request,
        peer,
        ms: now,
        worker,
        retried: attempts.length > 0
      })
      if (givesUpAt < attempt.endMs) {
        attempts.push({ address: peer.address, status: null, ms: Math.max(0, givesUpAt - now), bytes: 0 })
        now = Math.max(now, givesUpAt)
        status = 499
        bodyBytes = 0
        break
      }
      attempts.push({ address: peer.address, status: attempt.status, ms: attempt.endMs - now, bytes: attempt.bytes })
      now = attempt.endMs
      status = attempt.status
      if (attempt.cause !== null) {
        causes.push(attempt.cause)
        const message = attempt.cut
          ? MESSAGES[attempt.cause].replace('reading response header from upstream', 'reading upstream')
          : MESSAGES[attempt.cause]
        writeError(now, 'error', message, `${this.scheme(service, now)}://${peer.address}${request.uri}`)
      }
      wasCut = attempt.cut
      appAnswered = attempt.cause === null || attempt.cut
      bodyBytes = appAnswered ? attempt.bytes : pageBytes(status, client.agent, route.method)
      if (!attempt.extraTry) triesLeft -= 1
      const idempotent = route.method !== 'POST' && route.method !== 'PATCH'
      if (appAnswered || !attempt.retry || triesLeft === 0 || (attempt.sent && !idempotent)) break
      peer = choosePeer(worker, service.name, endpoints, now, random) ?? peer
    }

    connection.busyUntil = Math.max(connection.busyUntil, now)
    connection.lastUsed = now
    // Reading the request line and writing the answer cost up to a millisecond more than the attempts.
    const requestMs = now - request.at + (random.chance(0.3) ? 1 : 0)
    const text = accessLine({
      client: client.address,
      endMs: now,
      request: requestLine,
      status,
      bodyBytes,
      referrer: request.referrer,
      agent: client.agent,
      requestLength: this.#requestLength(request),
      requestMs,
      upstream: service.upstream,
      attempts,
      requestId: random.hex(32)
    })
    this.log({
      at: now + fraction + 0.1 + random.next() * 0.4,
      pod: controller.pod,
      stream: 'stdout',
      kind: 'access',
      text
    })
    this.truth.request({
      upstream: service.upstream,
      status,
      causes,
      appAnswered,
      wasCut,
      hadPeer: attempts.length > 0
    })
  }

  #requestLength(request: Request): number {
    const headers = request.client.version === 'HTTP/2.0' ? 60 : request.client.browser ? 520 : 160
    return (
      headers +
      request.uri.length +
      request.referrer.length +
      request.bodyBytes +
      (request.client.address.length % 7) * 9
    )
  }

  /** An address of the internet that no service knows. */
  stranger(): string {
    return publicAddress(this.random)
  }
}
