/**
 * What the log format of deploy/fluent-bit/ is good for, with a real nginx that writes the default format and ours side by side:
 * equal requests at the same time, of which each fails in a way of its own and is tried again for a while.
 *
 * WHY5XX_REQUESTS=n makes n of them; the share that is joined right in either format is printed.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { UPSTREAMINFO } from '../../parsers/logFormat.ts'
import { isAvailable } from '../services/availability.ts'
import { freePort } from '../services/freePort.ts'
import { findNginx, startNginx } from '../services/nginx.ts'
import { FLUENT_BIT_FOLDER } from '../support/fluentBitValues.ts'
import { Folder, why5xx } from '../support/program.ts'

const REQUESTS = Number(process.env.WHY5XX_REQUESTS ?? 120)
/** Until a second attempt answers, ms: requests end in another order than they failed in. */
const DELAY_MS_MAX = 300

/** How a backend fails, by the cause that must be found. */
const FAILURES: Record<string, (socket: Socket) => unknown> = {
  premature_close: socket => socket.destroy(),
  connection_reset: socket => socket.resetAndDestroy(),
  invalid_response: socket => socket.end('HTTP/1.1 200 OK\r\nno colon in here\r\n\r\n'),
  header_too_big: socket => socket.end(`HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`)
}
const KINDS = Object.keys(FAILURES)

interface FoundDocument {
  http: { request: { id: string }; response: { status_code: number } }
  orchestrator?: { namespace?: string; resource?: { name?: string } }
  service?: { name?: string }
  why5xx: { cause: string; join: { state: string } }
}

const program = findNginx()
const folder = new Folder()
const file = (name: string): string => join(folder.path, name)
/** By `$req_id`: what its last failed attempt did. */
const truth = new Map<string, string>()
const servers: Server[] = []

describe.skipIf(!isAvailable('nginx', program === null ? 'nginx or openssl is not in PATH' : null))(
  'the log format',
  () => {
    beforeAll(async () => {
      const port = await freePort()
      const nginx = await startNginx(folder.path, 'nginx', await configuration(port), port)
      const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`).then(answer => answer.text())
      await Promise.all(Array.from({ length: REQUESTS }, () => get('/same')))
      await get('/of/no/ingress')
      // Answered before there is a location.
      await fetch(`http://127.0.0.1:${port}/${'x'.repeat(40_000)}`)
      await nginx.stop()
    })

    afterAll(async () => {
      for (const server of servers) server.close()
      folder.remove()
    })

    test('is recognised, whatever is empty in a line', async () => {
      const { stdout } = await why5xx(['parse', file('ours.log')])
      const records = stdout
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line) as Record<string, unknown>)
      expect(records).toHaveLength(REQUESTS + 2)
      expect(new Set(records.map(({ kind, reject }) => `${String(kind)} ${String(reject)}`))).toEqual(
        new Set(['access null'])
      )
      const labels = readFileSync(file('labels.log'), 'utf8').trimEnd().split('\n')
      expect(records.map(({ requestId, connection }) => `${String(requestId)} ${String(connection)}`)).toEqual(labels)
      expect(records.slice(-2).map(({ status }) => status)).toEqual([404, 414])
    })

    test('joins equal requests that fail at the same time', async () => {
      const ours = await judged('ours.log')
      const defaults = await judged('default.log')
      console.info(
        `${REQUESTS} equal requests, cause right: ${ours.right} with the format, ${defaults.right} with the default; ambiguous: ${ours.ambiguous}, ${defaults.ambiguous}`
      )
      expect(ours).toMatchObject({ right: REQUESTS, ambiguous: 0 })
      expect(defaults.right).toBeLessThan(REQUESTS)
    })

    test('names the Service without any state of the cluster', async () => {
      const documents = await explain(file('ours.log'), file('error.log'))
      expect(documents.length).toBeGreaterThanOrEqual(REQUESTS)
      for (const { orchestrator, service } of documents.filter(({ http }) => truth.has(http.request.id))) {
        expect(service?.name).toBe('shop/cart')
        expect(orchestrator).toMatchObject({ namespace: 'shop', resource: { name: 'shop-ingress' } })
      }
    })

    test('may begin in the middle of a file', async () => {
      const [defaults, ours] = ['default.log', 'ours.log'].map(name => readFileSync(file(name), 'latin1').split('\n'))
      const half = REQUESTS / 2
      writeFileSync(file('mixed.log'), [...defaults!.slice(0, half), ...ours!.slice(half)].join('\n'), 'latin1')
      const { stdout } = await why5xx(['parse', file('mixed.log')])
      expect(stdout.match(/"kind":"access"/g)).toHaveLength(REQUESTS + 2)
      expect(stdout.match(/"reject":null/g)).toHaveLength(REQUESTS + 2)
      expect((await judged('mixed.log')).documents).toBe((await judged('ours.log')).documents)
    })
  }
)

async function explain(...files: string[]): Promise<FoundDocument[]> {
  const { stdout } = await why5xx(['explain', '--format', 'ndjson', ...files])
  return stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as FoundDocument)
}

async function judged(name: string) {
  const documents = (await explain(file(name), file('error.log'))).filter(({ http }) => truth.has(http.request.id))
  return {
    documents: documents.length,
    right: documents.filter(({ http, why5xx: { cause } }) => truth.get(http.request.id) === cause).length,
    ambiguous: documents.filter(document => document.why5xx.join.state === 'ambiguous').length
  }
}

/** Fails every request, each in a way of its own. */
function failingPod(): Promise<number> {
  return listen((socket, id) => {
    const kind = KINDS[(truth.size * 7 + 3) % KINDS.length]!
    truth.set(id, kind)
    FAILURES[kind]!(socket)
  })
}

/** Answers after a while; one in three fails then, otherwise than before. */
function slowPod(): Promise<number> {
  let count = 0
  return listen((socket, id) => {
    const serial = count++
    setTimeout(
      () => {
        if (serial % 3 > 0) return socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        const kind = KINDS[(KINDS.indexOf(truth.get(id)!) + 1) % KINDS.length]!
        truth.set(id, kind)
        return FAILURES[kind]!(socket)
      },
      ((serial * 37) % 100) * (DELAY_MS_MAX / 100)
    )
  })
}

/** Gives the port. `answer` gets each request when its head has come, with its `X-Request-ID`. */
async function listen(answer: (socket: Socket, id: string) => void): Promise<number> {
  const port = await freePort()
  const server = createServer(socket => {
    let head = ''
    socket.on('error', () => socket.destroy())
    socket.on('data', data => {
      head += data.toString('latin1')
      if (head.endsWith('\r\n\r\n')) answer(socket, /^x-request-id: (.*)\r$/im.exec(head)?.[1] ?? '')
    })
  })
  servers.push(server)
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  return port
}

/** As the controller's template writes it, as far as the logs can tell. */
async function configuration(port: number): Promise<string> {
  const { controller } = parse(readFileSync(join(FLUENT_BIT_FOLDER, 'log-format.yaml'), 'utf8')) as {
    controller: { config: Record<'log-format-upstream', string> }
  }
  const location = (path: string, names: Record<string, string>, more: string) =>
    `location ${path} { ${Object.entries(names)
      .map(([name, value]) => `set $${name} "${value}";`)
      .join(' ')} ${more} }`
  const shop = {
    namespace: 'shop',
    ingress_name: 'shop-ingress',
    service_name: 'cart',
    proxy_upstream_name: 'shop-cart-80'
  }
  const none = { namespace: '', ingress_name: '', service_name: '', proxy_upstream_name: 'upstream-default-backend' }
  return `${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${file('nginx.pid')};
worker_processes 2;
error_log ${file('error.log')} info;
events { worker_connections 4096; }
http {
  log_format upstreaminfo '${UPSTREAMINFO}';
  log_format ours '${controller.config['log-format-upstream']}';
  log_format labels '$req_id $connection';
  access_log ${file('default.log')} upstreaminfo;
  access_log ${file('ours.log')} ours;
  access_log ${file('labels.log')} labels;
  map $http_x_request_id $req_id { default $http_x_request_id; "" $request_id; }
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(kind => `${kind}_temp_path ${file(kind)};`).join('\n  ')}
  uninitialized_variable_warn off;
  proxy_set_header X-Request-ID $req_id;
  proxy_next_upstream error timeout invalid_header;
  upstream pods { server 127.0.0.1:${await failingPod()} max_fails=0; server 127.0.0.1:${await slowPod()} max_fails=0 backup; }
  server {
    listen 127.0.0.1:${port};
    set $proxy_upstream_name "-";
    set $proxy_alternative_upstream_name "";
    ${location('/', none, 'return 404;')}
    ${location('/same', shop, 'proxy_pass http://pods;')}
  }
}
`
}
