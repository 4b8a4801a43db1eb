import type { MessageBatch } from '../parsers/messageBatch.ts'

/** Controller pods whose lines come in one partition. */
const PODS = 4
/** Lines of one pod that its Fluent Bit sends at once. */
const RUN_LINES = 40
const BATCH_BYTES = 1 << 20
const MONTH_MS = Date.UTC(2026, 2, 12)

/** Log lines (Latin-1) as Fluent Bit with its `cri` parser and `kubernetes` filter writes them to Kafka, pod after pod in short runs. */
export function shippedMessages(log: readonly string[]): Buffer[] {
  const values: Buffer[] = []
  const runs: string[][] = Array.from({ length: PODS }, () => [])
  const offsets: number[] = Array(PODS).fill(0)
  let nano = 0
  const send = (pod: number): void => {
    for (const line of runs[pod]!.splice(0)) {
      nano = (nano + 7_919) % 1_000_000_000
      const value = record(line, pod, offsets[pod]!, nano)
      values.push(Buffer.from(JSON.stringify(value)))
      offsets[pod]! += line.length + 46
    }
  }
  for (const line of log) {
    // A request and its error lines belong to one pod: both name the client.
    const client = /client: ([^,]+)/.exec(line)?.[1] ?? line.slice(0, line.indexOf(' '))
    const pod = Buffer.from(client, 'latin1').reduce((sum, byte) => sum + byte, 0) % PODS
    if (runs[pod]!.push(line) === RUN_LINES) send(pod)
  }
  for (let pod = 0; pod < PODS; pod++) send(pod)
  return values
}

function record(line: string, pod: number, offset: number, nano: number): Record<string, unknown> {
  const isError = /^\d{4}\//.test(line)
  const clock = isError ? line.slice(11, 19) : /:(\d\d:\d\d:\d\d) /.exec(line)![1]!
  const ms = MONTH_MS + Date.parse(`1970-01-01T${clock}Z`)
  const time = `${new Date(ms).toISOString().slice(0, 19)}.${String(nano).padStart(9, '0')}Z`
  const name = `ingress-nginx-controller-6b8f7d5c9-x2x7${pod}`
  const id = String(pod).repeat(64)
  return {
    '@timestamp': time,
    time,
    stream: isError ? 'stderr' : 'stdout',
    _p: 'F',
    log: Buffer.from(line, 'latin1').toString('utf8'),
    log_path: `/var/log/containers/${name}_ingress-nginx_controller-${id}.log`,
    log_offset: offset,
    node: `worker-${pod}`,
    cluster: 'prod',
    kubernetes: {
      pod_name: name,
      namespace_name: 'ingress-nginx',
      host: `worker-${pod}`,
      container_name: 'controller',
      container_image: 'registry.k8s.io/ingress-nginx/controller:v1.15.1',
      labels: { 'app.kubernetes.io/component': 'controller', 'app.kubernetes.io/name': 'ingress-nginx' }
    }
  }
}

/** As a driver hands them on. */
export function batchesOf(values: readonly Buffer[]): MessageBatch[] {
  const batches: MessageBatch[] = []
  for (let from = 0; from < values.length; ) {
    let to = from
    let length = 0
    while (to < values.length && length < BATCH_BYTES) length += values[to++]!.length + 1
    const bytes = Buffer.alloc(length)
    const count = to - from
    const batch = {
      bytes,
      count,
      offsets: new Float64Array(count),
      starts: new Int32Array(count),
      ends: new Int32Array(count)
    }
    let at = 0
    for (let i = 0; i < count; i++) {
      batch.offsets[i] = from + i
      batch.starts[i] = at
      at += values[from + i]!.copy(bytes, at)
      batch.ends[i] = at
      bytes[at++] = 0x0a
    }
    batches.push(batch)
    from = to
  }
  return batches
}
