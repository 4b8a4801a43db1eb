/** Faults of the client: it leaves, dawdles, sends what is no HTTP or no TLS, or too much of it. */
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import type { Cause } from '../../parsers/causes.ts'
import { at, type Fault, fails, type Lab, quiet } from './fault.ts'
import type { LabRequest } from './labRequest.ts'
import { within } from './latch.ts'
import { exchange, openWire, requestBytes } from './wire.ts'

const ABORTED = /client prematurely closed connection/

/** The start of a TLS 1.2 hello whose end never comes. */
const HELLO_START = Buffer.from('1603010200010001fc0303', 'hex')

export function clientFaults(lab: Lab): Fault[] {
  const { http, https, slow } = lab.ports
  const application = 'proxy_pass http://up_application;'
  const bad = (kind: string, status: number, errorText: RegExp, bytes: (request: LabRequest) => string): Fault => ({
    kind,
    ...fails('bad_request', status, errorText),
    location: application,
    act: (_lab, request) => exchange(http, request, bytes(request))
  })
  const overTls = (
    kind: string,
    cause: Cause,
    status: number,
    errorText: RegExp,
    host: string,
    tls?: ConnectionOptions
  ): Fault => ({
    kind,
    ...fails(cause, status, errorText),
    location: application,
    act: (_lab, request) => exchange(https, request, requestBytes(request, { host }), tls)
  })
  const withoutRequest = (kind: string, errorText: RegExp, act: Fault['act']): Fault => ({
    kind,
    form: 'pathless',
    ...fails('client_tls_failure', null, errorText),
    act
  })

  return [
    at('abort_waiting', fails('client_closed', 499, ABORTED), 'proxy_pass http://up_hang;', abortWhenSeen),
    at('abort_waiting_http2', fails('client_closed', 499, null), 'proxy_pass http://up_hang;', abortHttp2),
    {
      kind: 'abort_download',
      // The reset is met by a write to the client, whatever nginx says it was doing.
      ...fails(
        'client_closed',
        200,
        /\[info\] .*(client prematurely closed connection|(writev|send)\(\) failed \((104|32): )/
      ),
      location: 'proxy_pass http://up_flood;',
      act: abortDownload
    },
    {
      kind: 'abort_upload',
      ...fails('client_closed', 400, ABORTED),
      location: application,
      act: (_lab, request) =>
        sendAndLeave(
          http,
          request,
          requestBytes(request, { method: 'POST', headers: ['Content-Length: 100000'] }) + 'u'.repeat(1000)
        )
    },
    {
      kind: 'abort_upload_unbuffered',
      ...fails('client_closed', [400, 499], ABORTED),
      location: 'proxy_pass http://up_hang; proxy_request_buffering off;',
      act: (_lab, request) =>
        sendAndLeave(
          http,
          request,
          requestBytes(request, { method: 'POST', headers: ['Content-Length: 100000'] }) + 'u'.repeat(1000)
        )
    },
    {
      kind: 'abort_line',
      ...fails('client_closed', 400, ABORTED),
      act: (_lab, request) => sendAndLeave(http, request, `GET ${request.path}`)
    },
    {
      kind: 'abort_headers',
      ...fails('client_closed', 400, ABORTED),
      act: (_lab, request) => sendAndLeave(http, request, `GET ${request.path} HTTP/1.1\r\nHost: lab.test\r\nUser-A`)
    },
    {
      kind: 'slow_headers',
      ...fails('client_timeout', 408, /client timed out \(110: .*while reading client request/),
      act: (_lab, request) => exchange(slow, request, `GET ${request.path} HTTP/1.1\r\nHost: lab.test\r\nUser-A`)
    },
    {
      kind: 'slow_line',
      ...fails('client_timeout', 408, /client timed out \(110: .*while reading client request line/),
      act: (_lab, request) => exchange(slow, request, `GET ${request.path}`)
    },
    {
      kind: 'slow_body',
      ...fails('client_timeout', 408, null),
      location: application,
      act: (_lab, request) =>
        exchange(
          slow,
          request,
          requestBytes(request, { method: 'POST', headers: ['Content-Length: 100000'] }) + 'u'.repeat(1000)
        )
    },
    {
      kind: 'slow_reader',
      ...fails('client_timeout', 200, /client timed out \(110: .*while (sending to client|reading upstream)/),
      location: 'proxy_pass http://up_flood;',
      act: stopReading,
      count: 4
    },

    {
      kind: 'body_too_large',
      ...fails('body_too_large', 413, /too large body: 5000 bytes/),
      location: `client_max_body_size 1k; ${application}`,
      act: (_lab, request) => exchange(http, request, requestBytes(request, { method: 'POST', body: 'b'.repeat(5000) }))
    },
    {
      kind: 'body_too_large_chunked',
      ...fails('body_too_large', 413, /too large chunked body/),
      location: `client_max_body_size 1k; ${application}`,
      act: (_lab, request) =>
        exchange(
          http,
          request,
          `${requestBytes(request, { method: 'POST', headers: ['Transfer-Encoding: chunked'] })}1388\r\n${'b'.repeat(5000)}\r\n0\r\n\r\n`
        )
    },

    bad('bad_line', 400, /client sent invalid request/, request =>
      requestBytes(request).replace('?q=secret', '?q=secret and more')
    ),
    bad('bad_method', 400, /client sent invalid method/, request => requestBytes(request, { method: 'get' })),
    bad('bad_version', 505, /client sent invalid version/, request =>
      requestBytes(request).replace('HTTP/1.1', 'HTTP/3.0')
    ),
    bad('bad_header', 400, /client sent invalid header line/, request =>
      requestBytes(request, { headers: ['Bad Header: 1'] })
    ),
    bad('bad_host', 400, /client sent invalid host header/, request => requestBytes(request, { host: 'lab/test' })),
    bad('no_host', 400, /without "Host" header/, request => requestBytes(request).replace('Host: lab.test\r\n', '')),
    bad('two_hosts', 400, /duplicate host header/, request => requestBytes(request, { headers: ['Host: other.test'] })),
    bad('two_lengths', 400, /duplicate header line/, request =>
      requestBytes(request, { method: 'POST', headers: ['Content-Length: 3'], body: 'a=1' })
    ),
    bad('bad_length', 400, /invalid "Content-Length" header/, request =>
      requestBytes(request, { method: 'POST', headers: ['Content-Length: 3x'] })
    ),
    bad('length_and_encoding', 400, /"Content-Length" and "Transfer-Encoding"/, request =>
      requestBytes(request, { method: 'POST', headers: ['Transfer-Encoding: chunked'], body: '0\r\n\r\n' })
    ),
    bad('bad_encoding', 501, /unknown "Transfer-Encoding"/, request =>
      requestBytes(request, { method: 'POST', headers: ['Transfer-Encoding: brotli'] })
    ),
    bad(
      'bad_chunks',
      400,
      /client sent invalid chunked body/,
      request =>
        `${requestBytes(request, { method: 'POST', headers: ['Transfer-Encoding: chunked'] })}zz\r\nno chunk\r\n`
    ),
    bad('long_header', 400, /too long header line/, request =>
      requestBytes(request, { headers: [`X-Long: ${'h'.repeat(9000)}`] })
    ),
    bad('long_uri', 414, /too long URI/, request =>
      requestBytes(request).replace('secret', `secret${'u'.repeat(9000)}`)
    ),
    bad('trace', 405, /client sent TRACE method/, request => requestBytes(request, { method: 'TRACE' })),
    // A TLS hello on the plain port: what it is depends on whom one asks.
    {
      kind: 'tls_on_plain_port',
      form: 'pathless',
      causes: ['bad_request', 'client_tls_failure'],
      status: 400,
      errorText: /client sent invalid method/,
      act: (_lab, request) => handshake(http, request, {})
    },

    overTls('plain_on_tls_port', 'client_tls_failure', 400, /plain HTTP request to HTTPS port/, 'lab.test'),
    overTls('no_client_certificate', 'client_tls_failure', 400, /no required SSL certificate/, 'mutual.test', {
      servername: 'mutual.test'
    }),
    overTls('bad_client_certificate', 'client_tls_failure', 400, /client SSL certificate verify error/, 'mutual.test', {
      servername: 'mutual.test',
      cert: lab.strangerCertificate.cert,
      key: lab.strangerCertificate.key
    }),
    overTls('misdirected', 'client_tls_failure', 421, /different from the one that was negotiated/, 'mutual.test', {
      servername: 'lab.test'
    }),

    withoutRequest('tls_old_version', /SSL_do_handshake\(\) failed .*while SSL handshaking/, (_lab, request) =>
      handshake(https, request, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })
    ),
    withoutRequest('tls_garbage', /SSL_do_handshake\(\) failed .*while SSL handshaking/, async (_lab, request) => {
      const wire = await openWire(https, request.client)
      wire.socket.write(Buffer.concat([HELLO_START.subarray(0, 1), Buffer.alloc(600, 0x2a)]))
      await wire.closed()
    }),
    withoutRequest('tls_hangup', /while SSL handshaking/, (_lab, request) => sendAndLeave(https, request, HELLO_START)),
    withoutRequest('tls_rejected', /handshake rejected while SSL handshaking/, (_lab, request) =>
      handshake(https, request, { servername: 'rejected.test' })
    ),
    {
      ...withoutRequest('http2_preface', /invalid connection preface/, async (_lab, request) => {
        const wire = await openWire(https, request.client, { servername: 'lab.test', ALPNProtocols: ['h2'] })
        wire.socket.write('PRI * HTTP/9.9\r\n\r\nno\r\n\r\n')
        await wire.closed()
      }),
      causes: ['bad_request']
    },
    // A health check: connected and left. Nobody asked for anything.
    {
      kind: 'health_check',
      form: 'pathless',
      ...quiet(null),
      act: (_lab, request) => sendAndLeave(http, request, '')
    }
  ]
}

async function abortWhenSeen(lab: Lab, request: LabRequest): Promise<void> {
  const wire = await openWire(lab.ports.http, request.client)
  wire.socket.write(requestBytes(request))
  await lab.upstreams.seen.wait(request.path)
  wire.socket.destroy()
}

/** nginx names the reason on the connection only, without the request. */
async function abortHttp2(lab: Lab, request: LabRequest): Promise<void> {
  const session = connectHttp2(`https://127.0.0.1:${lab.ports.https}`, {
    rejectUnauthorized: false,
    servername: 'lab.test',
    localAddress: request.client
  } as Parameters<typeof connectHttp2>[1])
  session.on('error', () => {})
  const stream = session.request({ ':path': `${request.path}?q=secret`, ':authority': 'lab.test' })
  stream.on('error', () => {})
  await lab.upstreams.seen.wait(request.path)
  session.destroy()
}

async function abortDownload(lab: Lab, request: LabRequest): Promise<void> {
  const wire = await openWire(lab.ports.http, request.client)
  wire.socket.write(requestBytes(request))
  await wire.until(/ffff/)
  wire.socket.destroy()
}

/** Stops after the first bytes and waits until nginx has given up. */
async function stopReading(lab: Lab, request: LabRequest): Promise<void> {
  const socket = connect({ port: lab.ports.slow, host: '127.0.0.1', localAddress: request.client })
  socket.on('error', () => {})
  socket.write(requestBytes(request))
  await new Promise(resolve => socket.once('readable', resolve))
  await lab.logged(request.path)
  socket.destroy()
}

async function sendAndLeave(port: number, request: LabRequest, bytes: string | Buffer): Promise<void> {
  const wire = await openWire(port, request.client)
  await new Promise(resolve => wire.socket.end(bytes, () => resolve(undefined)))
  await wire.closed()
}

/** Offers a handshake and waits until nginx has refused it. */
async function handshake(port: number, request: LabRequest, options: ConnectionOptions): Promise<void> {
  const raw = connect({ port, host: '127.0.0.1', localAddress: request.client })
  const closed = new Promise(resolve => raw.once('close', resolve))
  raw.on('error', () => raw.destroy())
  const socket = connectTls({ rejectUnauthorized: false, ...options, socket: raw })
  socket.on('error', () => socket.destroy())
  await within(closed, 20_000, 'nginx did not refuse the handshake')
}
