import type { Controller } from './controller.ts'
import { accessLine, errorLine, pageBytes } from './lines.ts'
import type { Simulation } from './simulation.ts'
import { errorTime, klogTime, timeLocal } from './times.ts'

/** Writes klog lines of one controller. Source files and line numbers are those of controller v1.15.1. */
class Klog {
  readonly #simulation: Simulation
  readonly #controller: Controller

  constructor(simulation: Simulation, controller: Controller) {
    this.#simulation = simulation
    this.#controller = controller
  }

  /** `head` is level and place: `I controller.go:217`. A message of several lines is one record. */
  write(ms: number, head: string, message: string): void {
    const at = ms + this.#simulation.random.next()
    const [first, ...rest] = message.split('\n')
    const common = { pod: this.#controller.pod, stream: 'stderr' as const }
    const text = `${head[0]}${klogTime(at)}       7 ${head.slice(2)}] ${first}`
    this.#simulation.log({ ...common, at: at + 0.06, kind: 'controller', text })
    // One write: the pieces arrive together, nothing comes between them.
    rest.forEach((text, index) => {
      this.#simulation.log({ ...common, at: at + 0.06 + (index + 1) * 1e-4, kind: 'continuation', text })
    })
  }

  event(ms: number, object: string, text: string): void {
    this.write(ms, 'I event.go:377', `Event(v1.ObjectReference{${object}, FieldPath:""}): ${text}`)
  }

  podEvent(ms: number, text: string): void {
    const { pod, uid, resourceVersion } = this.#controller
    this.event(
      ms,
      `Kind:"Pod", Namespace:"ingress-nginx", Name:"${pod}", UID:"${uid}", APIVersion:"v1", ResourceVersion:"${resourceVersion}"`,
      text
    )
  }
}

/** Somebody changed an Ingress: webhook, event, reload. Returns when each controller's new workers took over. */
export function changeIngress(simulation: Simulation, ms: number, ingress: string): Map<Controller, number> {
  const { random } = simulation
  const [namespace, name] = ingress.split('/')
  const revision = 48_000_000 + Math.floor((ms - simulation.startMs) / 27)
  const object = `Kind:"Ingress", Namespace:"${namespace}", Name:"${name}", UID:"${random.uuid()}", APIVersion:"networking.k8s.io/v1", ResourceVersion:"${revision}"`
  const asked = new Klog(simulation, random.pick(simulation.controllers))
  asked.write(ms - 40, 'I main.go:107', `"successfully validated configuration, accepting" ingress="${ingress}"`)
  const reloaded = new Map<Controller, number>()
  for (const controller of simulation.controllers) {
    const klog = new Klog(simulation, controller)
    const seen = ms + random.integer(4, 40)
    klog.write(seen, 'I store.go:443', `"Found valid IngressClass" ingress="${ingress}" ingressclass="nginx"`)
    klog.event(seen + 1, object, "type: 'Normal' reason: 'Sync' Scheduled for sync")
    // The controller syncs at most once in 3.3 s.
    const synced = seen + random.integer(100, 2_600)
    const done = synced + random.integer(70, 190)
    klog.write(synced, 'I controller.go:217', '"Configuration changes detected, backend reload required"')
    controller.reload(done - 5)
    reloaded.set(controller, done - 5)
    klog.write(done, 'I controller.go:231', '"Backend successfully reloaded"')
    klog.podEvent(done + 1, "type: 'Normal' reason: 'RELOAD' NGINX reload triggered due to a change in configuration")
  }
  return reloaded
}

/** A configuration that nginx refuses: three records of several lines, and the old configuration stays. */
export function failReload(simulation: Simulation, ms: number, key: string): void {
  const { random } = simulation
  const dashes = '-'.repeat(79)
  for (const controller of simulation.controllers) {
    const klog = new Klog(simulation, controller)
    const at = ms + random.integer(0, 900)
    const pid = random.integer(300, 900)
    const file = `/tmp/nginx/nginx-cfg${random.integer(100_000_000, 4_294_967_295)}`
    const refusal = `invalid number of arguments in "add_header" directive in ${file}:${random.integer(700, 2_400)}`
    const error = [
      '',
      dashes,
      'Error: exit status 1',
      `${errorTime(at + 90)} [emerg] ${pid}#${pid}: ${refusal}`,
      `nginx: [emerg] ${refusal}`,
      `nginx: configuration file ${file} test failed`,
      '',
      dashes
    ]
    const asValue = ['<', ...error.map(line => `\t${line}`), ' >'].join('\n')
    klog.write(at, 'I controller.go:217', '"Configuration changes detected, backend reload required"')
    klog.write(at + 92, 'E controller.go:226', `Unexpected failure reloading the backend:\n${error.join('\n')}`)
    klog.write(at + 94, 'E queue.go:137', `"requeuing" err=${asValue} key="${key}"`)
    klog.podEvent(at + 96, `type: 'Warning' reason: 'RELOAD' Error reloading NGINX: ${error.join('\n')}`)
  }
}

export function noActiveEndpoint(simulation: Simulation, ms: number, service: string): void {
  for (const controller of simulation.controllers) {
    const klog = new Klog(simulation, controller)
    klog.write(
      ms + simulation.random.integer(0, 700),
      'W controller.go:1225',
      `Service "${service}" does not have any active Endpoint.`
    )
  }
}

/** The lease changes hands: only about writing status, nothing of it touches traffic. */
export function newLeader(simulation: Simulation, ms: number): void {
  const leader = simulation.controllers[0]!
  const lock = 'lock="ingress-nginx/ingress-nginx-leader"'
  new Klog(simulation, leader).write(ms, 'I leaderelection.go:258', `"Attempting to acquire leader lease..." ${lock}`)
  new Klog(simulation, leader).write(ms + 31, 'I leaderelection.go:272', `"Successfully acquired lease" ${lock}`)
  for (const controller of simulation.controllers) {
    new Klog(simulation, controller).write(ms + 33, 'I status.go:85', `"New leader elected" identity="${leader.pod}"`)
  }
}

/** The metrics socket is gone for a moment: a Lua error of several lines that ends no request. */
export function metricsSocketGone(simulation: Simulation, ms: number): void {
  const controller = simulation.random.pick(simulation.controllers)
  const { pid } = controller.workersAt(ms)[1]!
  const head = `${errorTime(ms)} [error] ${pid}#${pid}: *${controller.nextConnection()}`
  const log = (offset: number, kind: 'error' | 'continuation', text: string): void =>
    simulation.log({ at: ms + offset, pod: controller.pod, stream: 'stderr', kind, text })
  log(
    0,
    'error',
    `${head} connect() to unix:/tmp/nginx/prometheus-nginx.socket failed (111: Connection refused), context: ngx.timer`
  )
  log(
    0.1,
    'error',
    `${head} lua entry thread aborted: runtime error: /etc/nginx/lua/monitor.lua:53: connection refused`
  )
  const trace = [
    'stack traceback:',
    'coroutine 0:',
    "\t[C]: in function 'assert'",
    "\t/etc/nginx/lua/monitor.lua:53: in function 'send'",
    '\t/etc/nginx/lua/monitor.lua:145: in function </etc/nginx/lua/monitor.lua:132>, context: ngx.timer'
  ]
  trace.forEach((text, index) => {
    log(0.101 + index * 1e-4, 'continuation', text)
  })
}

const SCANNED = [
  '/.env',
  '/wp-login.php',
  '/.git/config',
  '/actuator/health',
  '/phpmyadmin/index.php',
  '/',
  '/robots.txt',
  '/cgi-bin/luci/;stok=/locale',
  '/boaform/admin/formLogin',
  '/owa/auth/logon.aspx'
]
const SCANNERS = [
  'Mozilla/5.0 zgrab/0.x',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36',
  'Go-http-client/1.1',
  'curl/8.7.1',
  '-',
  'Mozilla/5.0 (compatible; CensysInspect/1.1; +https://about.censys.io/)'
]

/** Strangers that ask for hosts nobody serves: the catch-all answers 404 (its access log is switched on here). */
export function scanners(simulation: Simulation, perMinute: number): void {
  const { random } = simulation
  for (
    let ms = simulation.startMs + random.exponential(60_000 / perMinute);
    ms < simulation.endMs;
    ms += random.exponential(60_000 / perMinute)
  ) {
    const endMs = Math.floor(ms)
    const agent = random.pick(SCANNERS)
    const bytes = pageBytes(404, agent, 'GET')
    const uri = random.pick(SCANNED)
    const took = random.integer(0, 1)
    const text = accessLine({
      client: simulation.stranger(),
      endMs,
      request: `GET ${uri} HTTP/1.1`,
      status: 404,
      bodyBytes: bytes,
      referrer: '-',
      agent,
      requestLength: 120 + uri.length + agent.length,
      requestMs: took,
      upstream: 'upstream-default-backend',
      attempts: [{ address: '127.0.0.1:8181', status: 404, ms: took, bytes }],
      requestId: random.hex(32)
    })
    simulation.log({
      at: endMs + random.next(),
      pod: random.pick(simulation.controllers).pod,
      stream: 'stdout',
      kind: 'access',
      text
    })
    simulation.truth.noRoute()
  }
}

/** What nginx answers itself, without a pod. */
export function answeredByNginx(
  simulation: Simulation,
  ms: number,
  what: 'https_redirect' | 'too_large' | 'bad_line' | 'header_timeout'
): void {
  const { random, truth } = simulation
  const controller = random.pick(simulation.controllers)
  const client = simulation.stranger()
  const agent = random.pick([
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1',
    'curl/8.7.1'
  ])
  const common = { client, endMs: ms, referrer: '-', attempts: [], requestId: random.hex(32) }
  const write = (text: string): void => {
    simulation.log({ at: ms + 0.2 + random.next() * 0.5, pod: controller.pod, stream: 'stdout', kind: 'access', text })
  }
  if (what === 'https_redirect') {
    write(
      accessLine({
        ...common,
        request: 'GET / HTTP/1.1',
        status: 308,
        bodyBytes: 164,
        agent,
        requestLength: 214,
        requestMs: 0,
        upstream: 'blog-web-80'
      })
    )
    truth.redirect('blog-web-80', 308)
  } else if (what === 'too_large') {
    const request = 'POST /upload HTTP/1.1'
    const size = random.integer(1_100_000, 9_000_000)
    const { pid } = random.pick(controller.workersAt(ms))
    const error = errorLine({
      ms,
      level: 'error',
      pid,
      connection: controller.nextConnection(),
      message: `client intended to send too large body: ${size} bytes`,
      client,
      server: 'static.example.com',
      request,
      upstream: null,
      host: 'static.example.com',
      referrer: '-'
    })
    simulation.log({ at: ms + 0.05, pod: controller.pod, stream: 'stderr', kind: 'error', text: error })
    write(
      accessLine({
        ...common,
        request,
        status: 413,
        bodyBytes: pageBytes(413, agent, 'POST'),
        agent,
        requestLength: 231,
        requestMs: 0,
        upstream: '-'
      })
    )
    truth.refused('-', 413, 'body_too_large')
  } else if (what === 'bad_line') {
    write(
      accessLine({
        ...common,
        request: '\\x03\\x00\\x00/*\\xE0\\x00\\x00\\x00\\x00\\x00Cookie: mstshash=Administr',
        status: 400,
        bodyBytes: 150,
        agent: '-',
        requestLength: 0,
        requestMs: random.integer(30, 200),
        upstream: ''
      })
    )
    truth.refused('', 400, 'bad_request')
  } else {
    write(
      accessLine({
        ...common,
        request: 'GET / HTTP/1.1',
        status: 408,
        bodyBytes: 0,
        agent: '-',
        requestLength: 41,
        requestMs: random.integer(60_000, 60_009),
        upstream: ''
      })
    )
    truth.refused('', 408, 'client_timeout')
  }
}

/** A TCP service beside the HTTP ones. */
export function streamSession(simulation: Simulation, ms: number): void {
  const { random } = simulation
  const sent = random.integer(200, 9_000)
  const text = `[${simulation.stranger()}] [${timeLocal(ms)}] TCP 200 ${sent} ${random.integer(80, 900)} ${(random.integer(40, 90_000) / 1000).toFixed(3)}`
  simulation.log({
    at: ms + random.next(),
    pod: random.pick(simulation.controllers).pod,
    stream: 'stdout',
    kind: 'streamAccess',
    text
  })
}
