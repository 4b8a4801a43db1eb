/** Faults of the backend: it is not there, too slow, gone too early, or answers what is no HTTP. */
import type { Cause } from '../../parsers/causes.ts'
import { at, type Fault, fails, get, head, type Lab, post, QUIET } from './fault.ts'
import { PODS } from './faultyUpstream.ts'
import type { LabRequest } from './labRequest.ts'
import { isAtLeast } from './nginx.ts'
import { fallbackUpstream, location } from './nginxConfig.ts'
import { overHttp2 } from './quietTraffic.ts'
import { openWire, requestBytes } from './wire.ts'

const REFUSED = /connect\(\) failed \(111: .*while connecting to upstream/
const READ_TIMED_OUT = /upstream timed out \(110: .*while reading response header from upstream/
const PREMATURE = /upstream prematurely closed connection while reading response header/
const RESET = /\(104: Connection reset by peer\)/

/** What an `equal` request met, by the port of the pod it was given to. */
export function causeOfEqual(lab: Lab, port: number): Cause | undefined {
  const { ports, refusedPort } = lab.upstreams
  if (port === refusedPort) return 'connection_refused'
  return port === ports.get('reset') ? 'connection_reset' : port === ports.get('hang') ? 'read_timeout' : undefined
}

export function upstreamFaults(lab: Lab): Fault[] {
  const { upstreams, nginxVersion } = lab
  const port = (name: Parameters<typeof upstreams.ports.get>[0]) => upstreams.ports.get(name)!
  const refused = `127.0.1.1:${upstreams.refusedPort}`
  const healthy = `127.0.1.2:${port('application')}`
  const hanging = `127.0.1.3:${port('hang')}`
  const full = `127.0.0.1:${upstreams.fullPort}`
  const short = 'proxy_read_timeout 1s;'
  const fallback = (kind: string, first: string, second: string) => [fallbackUpstream(`up_${kind}`, first, second)]

  return [
    {
      kind: 'refused',
      ...fails('connection_refused', 502, REFUSED),
      location: 'proxy_pass http://up_refused;',
      act: get,
      count: 8
    },
    at('refused_post', fails('connection_refused', 502, REFUSED), 'proxy_pass http://up_refused;', post),
    at('refused_head', fails('connection_refused', 502, REFUSED), 'proxy_pass http://up_refused;', head),
    at('refused_http2', fails('connection_refused', 502, REFUSED), 'proxy_pass http://up_refused;', (_lab, request) =>
      overHttp2(lab, request.client, [{ method: 'GET', request }])
    ),
    {
      kind: 'refused_masked',
      ...fails('connection_refused', 200, REFUSED),
      http: fallback('refused_masked', refused, healthy),
      location: 'proxy_pass http://up_refused_masked;',
      act: get
    },
    at(
      'connect_timeout',
      fails('connect_timeout', 504, /110: .*while connecting to upstream/),
      'proxy_pass http://up_full;'
    ),
    at(
      'connect_timeout_post',
      fails('connect_timeout', 504, /110: .*while connecting to upstream/),
      'proxy_pass http://up_full;',
      post
    ),
    {
      kind: 'connect_timeout_masked',
      ...fails('connect_timeout', 200, /110: .*while connecting to upstream/),
      http: fallback('connect_timeout_masked', full, healthy),
      location: 'proxy_pass http://up_connect_timeout_masked;',
      act: get
    },
    // A TCP connection to the broadcast address fails in the kernel of every machine (101, or 13 where it is routed).
    {
      kind: 'host_unreachable',
      ...fails('host_unreachable', 502, /connect\(\) to 255\.255\.255\.255:80 failed \((101|13): /),
      http: [
        'upstream up_unreachable { server 255.255.255.255:80 max_fails=0; server 255.255.255.255:80 max_fails=0; }'
      ],
      location: 'proxy_pass http://up_unreachable;',
      act: get
    },
    // The placeholder peer of upstream_balancer. What a kernel says to its address differs, but to a loopback source it is no.
    at(
      'placeholder',
      fails('no_endpoints', [502, 504], /connect\(\) to 0\.0\.0\.1:80 failed \(22: /),
      'proxy_bind 127.0.0.1; proxy_pass http://0.0.0.1:80;'
    ),
    at(
      'local_port',
      fails('local_port_exhausted', 500, /bind\(127\.0\.0\.1:\d+\) failed \(98: /),
      `proxy_bind 127.0.0.1:${lab.ports.http}; proxy_pass http://${healthy};`
    ),
    at('read_timeout', fails('read_timeout', 504, READ_TIMED_OUT), `proxy_pass http://up_hang; ${short}`),
    at('read_timeout_post', fails('read_timeout', 504, READ_TIMED_OUT), `proxy_pass http://up_hang; ${short}`, post),
    {
      kind: 'refused_then_timeout',
      ...fails('read_timeout', 504, READ_TIMED_OUT),
      http: fallback('refused_then_timeout', refused, hanging),
      location: `proxy_pass http://up_refused_then_timeout; ${short}`,
      act: get
    },
    {
      kind: 'timeout_then_refused',
      ...fails('connection_refused', 502, REFUSED),
      http: fallback('timeout_then_refused', hanging, refused),
      location: `proxy_pass http://up_timeout_then_refused; ${short}`,
      act: get
    },
    at(
      'send_timeout',
      fails('send_timeout', 504, /110: .*while sending request to upstream/),
      'proxy_pass http://up_never_reads; proxy_request_buffering off; proxy_send_timeout 1s; client_max_body_size 64m;',
      upload
    ),
    { kind: 'reset', ...fails('connection_reset', 502, RESET), location: 'proxy_pass http://up_reset;', act: get },
    at('reset_post', fails('connection_reset', 502, RESET), 'proxy_pass http://up_reset;', post),
    at(
      'reset_upload',
      fails('connection_reset', 502, /\((104: Connection reset by peer|32: Broken pipe)\)/),
      'proxy_pass http://up_reset_upload; proxy_request_buffering off; client_max_body_size 64m;',
      upload
    ),
    at('premature', fails('premature_close', 502, PREMATURE), 'proxy_pass http://up_premature_close;'),
    at('premature_post', fails('premature_close', 502, PREMATURE), 'proxy_pass http://up_premature_close;', post),
    {
      kind: 'keepalive_race',
      ...fails('premature_close', 502, PREMATURE),
      ...keepalive(port('one_answer'), 'keepalive_race'),
      act: (l, r) => reuse(l, r, 'POST')
    },
    {
      kind: 'keepalive_race_get',
      ...fails('premature_close', 200, PREMATURE),
      ...keepalive(port('one_answer'), 'keepalive_race_get'),
      act: (l, r) => reuse(l, r, 'GET')
    },
    at(
      'body_premature',
      fails('premature_close', 200, /prematurely closed connection while (reading upstream|sending to client)/),
      'proxy_pass http://up_premature_body;'
    ),
    at('body_reset', fails('connection_reset', 200, RESET), 'proxy_pass http://up_reset_body;', resetBody),
    at(
      'body_reset_buffered',
      fails('connection_reset', 200, RESET),
      'proxy_pass http://up_reset_body; proxy_buffering on;',
      resetBuffered
    ),
    at(
      'body_timeout',
      fails('read_timeout', 200, /110: .*while reading upstream/),
      `proxy_pass http://up_hang_body; ${short}`
    ),
    at(
      'body_chunk',
      fails('invalid_response', 200, /sent invalid chunked response/),
      'proxy_pass http://up_bad_chunk;'
    ),
    at('header_big', fails('header_too_big', 502, /sent too big header/), 'proxy_pass http://up_big_header;'),
    at('header_invalid', fails('invalid_response', 502, /sent invalid header/), 'proxy_pass http://up_bad_header;'),
    at('no_http', fails('invalid_response', 9, /sent no valid HTTP\/1\.0 header/), 'proxy_pass http://up_no_http;'),
    // nginx before 1.23 (Debian 12 has 1.22) takes both and answers 200.
    ...(isAtLeast(nginxVersion, '1.23')
      ? ([
          at(
            'length_twice',
            fails('invalid_response', 502, /duplicate header line/),
            'proxy_pass http://up_duplicate_length;'
          ),
          at(
            'length_and_chunked',
            fails('invalid_response', 502, /at the same time/),
            'proxy_pass http://up_length_and_chunked;'
          )
        ] satisfies Fault[])
      : []),

    at(
      'dns_unknown',
      fails('dns_failure', 502, /could not be resolved \(3: /),
      `resolver 127.0.0.1:${upstreams.unknownNamesDnsPort} ipv6=off; set $target "cart.shop.svc.invalid"; proxy_pass http://$target;`
    ),
    // Every one of these asks for a name of its own, as nginx shares one pending question among requests.
    at(
      'dns_silent',
      fails('dns_failure', 502, /could not be resolved \(110: /),
      `resolver 127.0.0.1:${upstreams.silentDnsPort} ipv6=off; resolver_timeout 1s; set $target "s$connection.shop.svc.invalid"; proxy_pass http://$target;`
    ),
    at(
      'dns_none',
      fails('dns_failure', 502, /no resolver defined to resolve/),
      'set $target "cart.shop.svc.invalid"; proxy_pass http://$target;'
    ),

    {
      kind: 'no_live',
      ...fails('no_live_upstreams', 502, /no live upstreams/),
      http: [
        `upstream up_no_live { zone no_live 64k; ${PODS.slice(0, 2)
          .map(pod => `server ${pod}:${upstreams.refusedPort} max_fails=1 fail_timeout=60s;`)
          .join(' ')} }`
      ],
      location: 'proxy_pass http://up_no_live;',
      locations: [location('no_live_first', 'proxy_pass http://up_no_live;')],
      act: get,
      arrange: async () => {
        await get(lab, lab.requests.next('no_live_first', fails('connection_refused', 502, REFUSED)))
        return async () => {}
      }
    },

    // Requests nobody can tell apart by their text, in flight together, at pods that fail in different ways.
    {
      kind: 'equal',
      form: 'equal',
      count: 12,
      ...fails(['connection_refused', 'connection_reset', 'read_timeout'], [502, 504], /while/),
      http: [
        `upstream up_equal { zone equal 64k; server ${refused} max_fails=0; server 127.0.1.2:${port('reset')} max_fails=0; server ${hanging} max_fails=0; }`
      ],
      location: `proxy_next_upstream off; proxy_pass http://up_equal; ${short}`,
      act: get
    }
  ]

  function keepalive(oneAnswerPort: number, kind: string) {
    return {
      http: [`upstream up_${kind} { server 127.0.1.1:${oneAnswerPort} max_fails=0; keepalive 8; }`],
      location: `proxy_pass http://up_${kind};`,
      locations: [location(`${kind}_first`, `proxy_pass http://up_${kind};`)],
      arrange: async () => async () => {}
    }
  }
}

/** Sends a body without end until nginx has answered. */
async function upload(lab: Lab, request: LabRequest): Promise<void> {
  const size = 32 * 1024 * 1024
  const wire = await openWire(lab.ports.http, request.client)
  wire.socket.write(requestBytes(request, { method: 'POST', headers: [`Content-Length: ${size}`] }))
  wire.socket.write(Buffer.alloc(size, 'u'))
  await wire.until(/^HTTP/)
  wire.socket.destroy()
}

async function resetBody(lab: Lab, request: LabRequest): Promise<void> {
  const wire = await openWire(lab.ports.http, request.client)
  wire.socket.write(requestBytes(request))
  await wire.until(/xxx/)
  lab.upstreams.released.open(request.path)
  await wire.closed()
}

async function resetBuffered(lab: Lab, request: LabRequest): Promise<void> {
  const wire = await openWire(lab.ports.http, request.client)
  wire.socket.write(requestBytes(request))
  await lab.upstreams.seen.wait(request.path) // nginx keeps the first bytes: the client cannot tell when they came.
  lab.upstreams.released.open(request.path)
  await wire.closed()
}

/** A first request leaves an idle connection behind; the second finds it closing. One client connection: one worker. */
async function reuse(lab: Lab, request: LabRequest, method: string): Promise<void> {
  const first = lab.requests.next(`${request.kind}_first`, QUIET)
  const wire = await openWire(lab.ports.http, request.client)
  wire.socket.write(requestBytes(first, { connection: 'keep-alive' }))
  await wire.until(/ok\n$/)
  wire.socket.write(requestBytes(request, method === 'POST' ? { method, body: 'a=1' } : { method }))
  await wire.closed()
}
