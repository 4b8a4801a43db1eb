/**
 * A real Elasticsearch node for a test of its own, on 127.0.0.1.
 *
 *   const elasticsearch = await startElasticsearch({ settings: { 'thread_pool.write.queue_size': '1' } })
 *   new Client({ node: elasticsearch.url })
 *   await elasticsearch.kill(); await elasticsearch.restart()      // same port, same data
 *   await elasticsearch.stop()
 *
 * What it lacks of a whole distribution: painless, ingest processors, ES|QL, reindex, update and delete by query, the
 * aggregations bucket_sort, bucket_selector, derivative, auto_date_histogram, multi_terms and top_metrics, and the field
 * types wildcard, constant_keyword, match_only_text, scaled_float and version. Lifecycle policies are kept but never run.
 *
 * Most tests share one node instead: `inject('elasticsearch')`, see servers.ts.
 */
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '@elastic/elasticsearch'
import { isAvailable } from './availability.ts'
import { makeServerCertificate, type ServerCertificate } from './certificateAuthority.ts'
import { elasticsearchProgram, missingForElasticsearch } from './elasticsearchProgram.ts'
import { freePort } from './freePort.ts'
import { makeServerFolder, type ServerControl, ServerProcess } from './serverProcess.ts'

const HEAP = '512m'
const USERNAME = 'elastic'
const PASSWORD = 'why5xx-secret'

export interface ElasticsearchOptions {
  /** A login: `elastic` with a password; roles and API keys work too. */
  security?: boolean
  /** HTTPS with a certificate of an own authority; only with `security`. */
  tls?: boolean
  /** Of the JVM, as `-Xmx` takes it. */
  heap?: string
  /** Settings of the node, such as `indexing_pressure.memory.limit`; they win over ours. */
  settings?: Record<string, string>
}

export interface ElasticsearchAccess {
  url: string
  /** null without `security`. */
  login: { username: string; password: string } | null
  /** What a client must trust; null without `tls`. */
  caFile: string | null
}

export interface ElasticsearchServer extends ServerControl, ElasticsearchAccess {}

/** False where a JDK or Maven is missing, and says so; with CI=true it throws instead. */
export function isElasticsearchAvailable(): boolean {
  return isAvailable('Elasticsearch', missingForElasticsearch())
}

export async function startElasticsearch(options: ElasticsearchOptions = {}): Promise<ElasticsearchServer> {
  const program = await elasticsearchProgram()
  const { security = false, tls = false, heap = HEAP } = options
  const folder = makeServerFolder('elasticsearch')
  const [port, transportPort] = [await freePort(), await freePort()]
  const certificate = tls ? makeServerCertificate(folder) : null
  const access = {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    login: security ? { username: USERNAME, password: PASSWORD } : null,
    caFile: certificate?.caFile ?? null
  }
  // Files of a node's own must lie in its configuration.
  const config = join(folder, 'config')
  cpSync(join(program.home, 'config'), config, { recursive: true })
  const settings = {
    ...baseSettings(folder, port, transportPort),
    'xpack.security.enabled': `${security}`,
    ...(certificate === null ? {} : httpsSettings(certificate, config)),
    ...options.settings
  }

  const server = new ServerProcess(
    {
      name: 'elasticsearch',
      file: program.java,
      args: [
        `-Xms${heap}`,
        `-Xmx${heap}`,
        '-XX:+ExitOnOutOfMemoryError',
        `-Djava.io.tmpdir=${folder}`,
        `-Dwhy5xx.config=${config}`,
        ...program.args,
        ...Object.entries(settings).map(([name, value]) => `${name}=${value}`)
      ],
      env: security ? { ELASTIC_PASSWORD: PASSWORD } : {},
      isReady: async log => log.includes('node is ready') && (!security || (await knowsUsers(access)))
    },
    folder
  )
  await server.start()
  return Object.assign(server, access)
}

/** What a client of the project is configured with, as the client library takes it. */
export function clientOptions({ url, login, caFile }: ElasticsearchAccess) {
  return {
    node: url,
    ...(login === null ? {} : { auth: login }),
    ...(caFile === null ? {} : { tls: { ca: readFileSync(caFile, 'utf8') } })
  }
}

/**
 * The index of the users is made after the start, and until it is open built-in users are answered 503. Before it exists they
 * are let in, so only a write to it shows that this is over.
 */
async function knowsUsers(access: ElasticsearchAccess): Promise<boolean> {
  const client = new Client({ ...clientOptions(access), maxRetries: 0, requestTimeout: 30_000 })
  try {
    await client.security.createApiKey({ name: 'ready', expiration: '1s' })
    await client.security.authenticate()
    return true
  } catch {
    return false
  } finally {
    await client.close()
  }
}

function baseSettings(folder: string, port: number, transportPort: number): Record<string, string> {
  return {
    'cluster.name': 'why5xx-test',
    'node.name': 'why5xx-test-0',
    'discovery.type': 'single-node',
    'http.host': '127.0.0.1',
    'http.port': `${port}`,
    'transport.host': '127.0.0.1',
    'transport.port': `${transportPort}`,
    'path.data': join(folder, 'data'),
    'path.logs': join(folder, 'logs'),
    // A full disk of the machine is not what a test is about, and a test may delete by pattern.
    'cluster.routing.allocation.disk.threshold_enabled': 'false',
    'action.destructive_requires_name': 'false'
  }
}

function httpsSettings({ keyFile, certFile }: ServerCertificate, config: string): Record<string, string> {
  cpSync(keyFile, join(config, 'http.key'))
  cpSync(certFile, join(config, 'http.crt'))
  return {
    'xpack.security.http.ssl.enabled': 'true',
    'xpack.security.http.ssl.key': 'http.key',
    'xpack.security.http.ssl.certificate': 'http.crt'
  }
}
