/**
 * The configuration of the lab's nginx: what the template of ingress-nginx writes as far as the logs can tell, with the
 * time-outs cut to a second where a fault needs one.
 */
import { PODS } from './faultyUpstream.ts'

/** The default `log-format-upstream` of ingress-nginx, unchanged since 0.26. */
const UPSTREAMINFO =
  '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" ' +
  '$request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] ' +
  '$upstream_addr $upstream_response_length $upstream_response_time $upstream_status $req_id'

export interface LabPorts {
  http: number
  https: number
  /** Gives up on slow clients after a second. */
  slow: number
  /** The controller's own default backend, 8181 when that is free. */
  defaultBackend: number
  /** Two instances with next to no connections: one fails when it connects to a backend, the other when it accepts. */
  scarce: readonly [number, number]
}

export interface LogFiles {
  access: readonly string[]
  error: readonly string[]
  /** `$pid $connection $req_id` of every access line: which error lines are a request's own. */
  labels: string
}

/** Three pods of one Service. Static servers are never marked as failed here, as the Lua balancer never does. */
export function podsUpstream(name: string, port: number): string {
  return `upstream ${name} { ${PODS.map(pod => `server ${pod}:${port} max_fails=0;`).join(' ')} keepalive 32; }`
}

/** The first address fails, then the second one answers. */
export function fallbackUpstream(name: string, first: string, second: string): string {
  return `upstream ${name} { server ${first} max_fails=0; server ${second} max_fails=0 backup; }`
}

/** The service's name is `lab-<kind>-80` wherever a location is reached. */
export function location(kind: string, body: string, match = `/f/${kind}/`): string {
  return `location ${match} { set $proxy_upstream_name "lab-${kind.replaceAll('_', '-')}-80"; ${body} }`
}

function logging(files: LogFiles): string {
  return [
    ...files.access.map(file => `access_log ${file} upstreaminfo;`),
    `access_log ${files.labels} labels;`,
    ...files.error.map(file => `error_log ${file} info;`)
  ].join('\n  ')
}

function main(files: LogFiles, directory: string, name: string): string {
  // The controller's template has no error_log in the main context, whose level then is `error`.
  return `${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${directory}/${name}.pid;
${files.error.map(file => `error_log ${file} error;`).join('\n')}
worker_shutdown_timeout 5s;`
}

function http(files: LogFiles, directory: string, name: string, body: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `http {
  log_format upstreaminfo '${UPSTREAMINFO}';
  log_format labels '$pid $connection $req_id';
  map $http_x_request_id $req_id { default $http_x_request_id; "" $request_id; }
  ${temporary.map(kind => `${kind}_temp_path ${directory}/${name}-${kind};`).join('\n  ')}
  ${logging(files)}
  server_tokens off;
  uninitialized_variable_warn off;
  keepalive_timeout 75s;
  keepalive_requests 1000;
  client_max_body_size 1m;
  client_body_buffer_size 8k;
  large_client_header_buffers 4 8k;
  proxy_http_version 1.1;
  proxy_set_header Host $host;
  proxy_set_header Connection "";
  proxy_connect_timeout 1s;
  proxy_read_timeout 30s;
  proxy_send_timeout 30s;
  proxy_buffering off;
  proxy_buffer_size 4k;
  proxy_next_upstream error timeout;
  proxy_next_upstream_tries 3;
  variables_hash_max_size 2048;
  proxy_headers_hash_bucket_size 128;
  ${body}
}
`
}

const SERVER_START = `set $proxy_upstream_name "-";
    set $proxy_alternative_upstream_name "";`

export interface LabConfig {
  directory: string
  files: LogFiles
  ports: LabPorts
  luaModules: string
  certificate: { certFile: string; keyFile: string }
  /** `upstream`, `limit_req_zone` and the like. */
  httpParts: readonly string[]
  locations: readonly string[]
}

export function labConfig(config: LabConfig): string {
  const { directory, files, ports, certificate } = config
  const tls = `ssl_certificate ${certificate.certFile}; ssl_certificate_key ${certificate.keyFile};
    ssl_protocols TLSv1.2 TLSv1.3;`
  const locations = config.locations.join('\n    ')
  const server = (name: string, listen: string, more = '') => `server {
    server_name ${name};
    ${listen}
    ${more}
    ${SERVER_START}
    ${locations}
  }`
  return `${main(files, directory, 'main')}
worker_processes 2;
${config.luaModules}
events { worker_connections 4096; multi_accept on; }
${http(
  files,
  directory,
  'main',
  `${config.httpParts.join('\n  ')}
  server {
    server_name _;
    listen 127.0.0.1:${ports.http} default_server;
    ${SERVER_START}
    location / { set $proxy_upstream_name "upstream-default-backend"; proxy_pass http://127.0.0.1:${ports.defaultBackend}; }
  }
  ${server('lab.test', `listen 127.0.0.1:${ports.http};`)}
  ${server('lab.test', `listen 127.0.0.1:${ports.https} ssl http2 default_server;`, tls)}
  ${server(
    'mutual.test',
    `listen 127.0.0.1:${ports.https} ssl http2;`,
    `${tls} ssl_verify_client on; ssl_client_certificate ${certificate.certFile};`
  )}
  server { server_name rejected.test; listen 127.0.0.1:${ports.https} ssl http2; ssl_reject_handshake on; }
  ${server(
    'lab.test',
    `listen 127.0.0.1:${ports.slow} default_server;`,
    'client_header_timeout 1s; client_body_timeout 1s; send_timeout 1s;'
  )}
  server { listen 127.0.0.1:${ports.defaultBackend}; access_log off; location / { return 404; } }`
)}`
}

/** An instance that runs out of connections, logging into the same files: to a reader, another worker of the controller. */
export function scarceConfig(config: LabConfig, name: string, port: number, connections: number, body: string): string {
  return `${main(config.files, config.directory, name)}
worker_processes 1;
${config.luaModules}
events { worker_connections ${connections}; }
${http(
  config.files,
  config.directory,
  name,
  `${config.httpParts.join('\n  ')}
  server {
    server_name lab.test;
    listen 127.0.0.1:${port} default_server;
    ${SERVER_START}
    ${body}
  }`
)}`
}
