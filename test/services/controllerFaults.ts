/** Faults of the way in between: authentication, limits, routes, Lua, error pages, and a worker without connections. */
import { at, type Fault, fails, get, type Lab, QUIET, quiet } from './fault.ts'
import type { Expectation, LabRequest } from './labRequest.ts'
import { location } from './nginxConfig.ts'
import { exchange, openWire, requestBytes, type Wire } from './wire.ts'

export function controllerFaults(lab: Lab): Fault[] {
  const application = 'proxy_pass http://up_application;'
  const { upstreams } = lab
  const withHeaders =
    (...headers: string[]): Fault['act'] =>
    (_lab, request) =>
      exchange(lab.ports.http, request, requestBytes(request, { headers }))
  // As in the controller's template: without this `set` the subrequest leaves the name `-` to its parent.
  const auth = (kind: string, expectation: Expectation, target: string): Fault => ({
    kind,
    ...expectation,
    location: `auth_request /_auth/${kind}; ${application}`,
    locations: [
      `location = /_auth/${kind} { internal; set $proxy_upstream_name "lab-${kind.replaceAll('_', '-')}-80"; proxy_pass_request_body off; proxy_set_header Content-Length ""; proxy_pass ${target}; }`
    ],
    act: get
  })
  const errorPage = (kind: string, expectation: Expectation, upstream: string): Fault => ({
    kind,
    ...expectation,
    location: `proxy_intercept_errors on; error_page 502 503 504 = @${kind}; proxy_pass http://${upstream};`,
    locations: [
      `location @${kind} { internal; set $proxy_upstream_name "upstream-default-backend"; proxy_pass http://up_application; }`
    ],
    act: get
  })
  const limited = (kind: string, status: number): Fault => ({
    kind,
    ...fails('rate_limited', status, /limiting requests, excess: /),
    http: [`limit_req_zone $server_name zone=${kind}:64k rate=1r/m;`],
    location: `limit_req zone=${kind}; limit_req_status ${status}; ${application}`,
    locations: [location(`${kind}_first`, `limit_req zone=${kind}; ${application}`)],
    act: get,
    arrange: async () => {
      await get(lab, lab.requests.next(`${kind}_first`, QUIET))
      return async () => {}
    }
  })

  return [
    { kind: 'basic_auth_none', ...quiet(401, /no user\/password was provided/), location: basicAuth(lab), act: get },
    {
      kind: 'basic_auth_user',
      ...quiet(401, /was not found in/),
      location: basicAuth(lab),
      act: withHeaders(`Authorization: Basic ${btoa('no body:pw')}`)
    },
    {
      kind: 'basic_auth_password',
      ...quiet(401, /password mismatch/),
      location: basicAuth(lab),
      act: withHeaders(`Authorization: Basic ${btoa('anna:wrong')}`)
    },
    {
      kind: 'basic_auth_right',
      ...QUIET,
      location: basicAuth(lab),
      act: withHeaders(`Authorization: Basic ${btoa('anna:right')}`)
    },
    { kind: 'denied', ...quiet(403, /access forbidden by rule/), location: `deny all; ${application}`, act: get },
    auth('auth_right', QUIET, 'http://up_application/ok/200/'),
    auth('auth_unauthorized', quiet(401), 'http://up_application/ok/401/'),
    auth('auth_forbidden', quiet(403), 'http://up_application/ok/403/'),
    auth(
      'auth_error',
      fails('auth_failure', 500, /auth request unexpected status: 500/),
      'http://up_application/ok/500/'
    ),
    auth('auth_refused', fails('auth_failure', 500, /auth request unexpected status: 502/), 'http://up_refused'),

    limited('limit_default', 503),
    limited('limit_too_many', 429),
    {
      kind: 'limit_connections',
      ...fails('rate_limited', 503, /limiting connections by zone/),
      http: ['limit_conn_zone $server_name zone=connections:64k;'],
      location: `limit_conn connections 1; ${application}`,
      locations: [location('limit_connections_held', 'limit_conn connections 1; proxy_pass http://up_hold;')],
      act: get,
      arrange: async () => {
        const held = lab.requests.next('limit_connections_held', QUIET)
        const done = get(lab, held)
        await upstreams.seen.wait(held.path)
        return () => {
          upstreams.released.open(held.path)
          return done
        }
      }
    },

    // What the controller writes for a Service without endpoints: no error line says so.
    { kind: 'no_endpoints', ...fails('no_endpoints', 503, null), location: 'return 503;', act: get },
    {
      kind: 'no_route',
      ...fails('no_route', 404, null),
      act: (_lab, request) => exchange(lab.ports.http, request, requestBytes(request, { host: 'unknown.test' }))
    },
    at(
      'redirect_cycle',
      fails('redirect_cycle', 500, /rewrite or internal redirection cycle while processing/),
      'rewrite ^/f/redirect_cycle/(.*)$ /f/redirect_cycle/$1 last;'
    ),
    // Its folder is taken away once nginx runs.
    {
      kind: 'body_file',
      ...fails('controller_overload', 500, /open\(\) ".*" failed \(2: /),
      location: `client_body_temp_path ${lab.directory}/removed; client_body_buffer_size 1k; ${application}`,
      act: (_lab, request) =>
        exchange(lab.ports.http, request, requestBytes(request, { method: 'POST', body: 'b'.repeat(20_000) }))
    },

    errorPage('error_page_503', fails('connection_refused', 503, /connect\(\) failed \(111/), 'up_refused'),
    // The error backend's 404 hides the failure behind it: masked.
    errorPage('error_page_404', fails('connection_refused', 404, /connect\(\) failed \(111/), 'up_refused'),
    errorPage('error_page_app_503', fails('upstream_error', 503, null), 'up_application'),

    // A mirror that fails harms no client: one more access line, error lines with `subrequest:`, no document.
    {
      kind: 'mirror',
      ...quiet(200, /connect\(\) failed \(111: .*, subrequest: /),
      location: `mirror /_mirror; ${application}`,
      locations: [
        'location = /_mirror { internal; log_subrequest on; set $proxy_upstream_name "-"; proxy_pass http://up_refused; }'
      ],
      act: get
    },
    {
      kind: 'websocket',
      ...quiet(101),
      location: webSocket(''),
      act: (_lab, request) => talk(request, wire => wire.socket.end())
    },
    {
      kind: 'websocket_idle',
      ...quiet(101, /upstream timed out \(110: .*while proxying upgraded connection/),
      location: webSocket('proxy_read_timeout 1s;'),
      act: (_lab, request) => talk(request, () => {})
    },
    {
      kind: 'websocket_reset',
      ...fails('connection_reset', 101, /104: .*while proxying upgraded connection/),
      location: webSocket(''),
      act: (_lab, request) => talk(request, () => upstreams.released.open(request.path))
    },
    ...(lab.hasLua ? luaFaults() : [])
  ]

  async function talk(request: LabRequest, leave: (wire: Wire) => unknown): Promise<void> {
    const wire = await openWire(lab.ports.http, request.client)
    wire.socket.write(
      requestBytes(request, {
        connection: 'Upgrade',
        headers: ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']
      })
    )
    await wire.until(/^HTTP\/1\.1 101[\s\S]*\r\n\r\n/)
    wire.socket.write('ping')
    await wire.until(/ping$/)
    leave(wire)
    await wire.closed()
  }
}

function basicAuth(lab: Lab): string {
  return `auth_basic "lab"; auth_basic_user_file ${lab.directory}/htpasswd; proxy_pass http://up_application;`
}

function webSocket(more: string): string {
  return `proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; proxy_set_header Host $host; ${more} proxy_pass http://up_websocket;`
}

function luaFaults(): Fault[] {
  return [
    // Several physical lines: the stack trace comes between the head and `, client:`.
    at(
      'lua_rewrite',
      fails('lua_error', 500, /lua entry thread aborted: runtime error/),
      'rewrite_by_lua_block { local t = nil; return t.field } proxy_pass http://up_application;'
    ),
    {
      kind: 'lua_balancer',
      ...fails('lua_error', 500, /failed to run balancer_by_lua/),
      http: ['upstream up_lua_balancer { server 0.0.0.1; balancer_by_lua_block { error("no backends") } }'],
      location: 'proxy_pass http://up_lua_balancer;',
      act: get
    },
    {
      kind: 'lua_no_peer',
      ...fails('no_endpoints', [502, 504], /connect\(\) to 0\.0\.0\.1:80 failed \(22: /),
      http: [
        'upstream up_lua_no_peer { server 0.0.0.1; balancer_by_lua_block { ngx.log(ngx.WARN, "no peer was returned, balancer: round_robin") } keepalive 320; }'
      ],
      location: 'proxy_bind 127.0.0.1; proxy_pass http://up_lua_no_peer;',
      act: get
    }
  ]
}

/** The location of the instances with few connections. */
export const SCARCE_LOCATION = location('scarce', 'proxy_pass http://up_hold;')

const SCARCE = /worker_connections are not enough/

/**
 * Fills the connections of one worker with requests that are held, until one fails; then makes some more that fail. With an even
 * number of connections left the worker fails when it accepts (no access line, no client), with an odd one when it connects.
 */
export async function exhaustConnections(lab: Lab, port: number): Promise<void> {
  const held: { request: LabRequest; wire: Wire }[] = []
  for (let failed = 0; failed < 5; ) {
    const request = lab.requests.next('scarce', QUIET)
    const wire = await openWire(port, request.client)
    wire.socket.write(requestBytes(request))
    const seen = lab.upstreams.seen.wait(request.path).then(() => 'held')
    const outcome = await Promise.race([seen, wire.closed()])
    if (outcome === 'held') {
      held.push({ request, wire })
      continue
    }
    failed++
    if (outcome.startsWith('HTTP/1.1 500')) Object.assign(request, fails('controller_overload', 500, SCARCE))
    else Object.assign(request, quiet(null)) // Cut before nginx knew its client: only an error line without a client tells.
  }
  for (const { request, wire } of held) {
    lab.upstreams.released.open(request.path)
    await wire.closed()
  }
}
