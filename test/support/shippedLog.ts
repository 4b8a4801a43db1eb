/** Lines of a CRI log as shippers send them: the values of Kafka messages. */

export interface ShippedRecord {
  /** The CRI stamp as it stands there; of a line in pieces that of the first, like `offset`. */
  time: string
  stream: string
  /** Put together from pieces. */
  isJoined: boolean
  /** Text as a shipper has it: without the line feed and a carriage return; what is no UTF-8 is U+FFFD. */
  content: string
  /** The bytes of the content in the file. */
  raw: Buffer
  /** Where the line starts in the file. */
  offset: number
  /** What the line takes in the file with frame and line feed; null where a shipper cannot know. */
  bytes: number | null
}

export interface ShippedFrom {
  path: string
  node: string
  cluster: string
  namespace: string
  pod: string
  container: string
}

const POD = 'ingress-nginx-controller-6b8f7d5c9-x2x7k'
export const SHIPPED_FROM: ShippedFrom = {
  path: `/var/log/containers/${POD}_ingress-nginx_controller-${'0f'.repeat(32)}.log`,
  node: 'worker-1',
  cluster: 'prod',
  namespace: 'ingress-nginx',
  pod: POD,
  container: 'controller'
}

const LINE_FEED = 0x0a

/**
 * Records in the order in which a shipper makes them: a line in pieces comes where its last piece stands, behind lines of the
 * other stream that were written meanwhile. `log`: a whole file, of CRI lines alone.
 */
export function shippedRecords(log: Uint8Array): ShippedRecord[] {
  const bytes = Buffer.from(log)
  const records: ShippedRecord[] = []
  const pieces = new Map<string, ShippedRecord>()
  for (let offset = 0, next = 0; offset < bytes.length; offset = next) {
    const end = bytes.indexOf(LINE_FEED, offset)
    if (end === -1) break
    next = end + 1
    const frame = /^(\S+) (stdout|stderr) ([PF])\S* /.exec(bytes.toString('latin1', offset, Math.min(end, offset + 64)))
    if (frame === null) throw new Error(`no CRI line at ${offset}: ${bytes.toString('latin1', offset, end)}`)
    const [head, time, stream, tag] = frame as unknown as [string, string, string, string]
    const part = bytes.subarray(offset + head.length, end)
    const before = pieces.get(stream)
    const record: ShippedRecord = before
      ? { ...before, isJoined: true, raw: Buffer.concat([before.raw, part]) }
      : { time, stream, isJoined: tag === 'P', content: '', raw: part, offset, bytes: next - offset }
    pieces.delete(stream)
    if (tag === 'P') pieces.set(stream, record)
    else records.push(whole(record))
  }
  // What waits for its end is sent without it, after a while.
  for (const record of pieces.values()) records.push(whole(record))
  return records
}

function whole(record: ShippedRecord): ShippedRecord {
  const content = record.raw.toString('utf8').replace(/\r$/, '')
  // Whoever sees the content alone cannot tell what stood in the file.
  const isCertain = !record.isJoined && /^[\0-\x7f]*$/.test(content)
  return { ...record, content, bytes: isCertain ? record.bytes : null }
}

/** As the deployed configuration of Fluent Bit writes it: `deploy`'s fields in its order. */
export function fluentBitValue(record: ShippedRecord, from: ShippedFrom = SHIPPED_FROM): string {
  return JSON.stringify({
    '@timestamp': paddedTime(record.time),
    time: record.time,
    stream: record.stream,
    _p: record.isJoined ? 'P' : 'F',
    log: record.content,
    log_path: from.path,
    log_offset: record.offset,
    node: from.node,
    cluster: from.cluster
  })
}

export function fluentdValue(record: ShippedRecord, from: ShippedFrom = SHIPPED_FROM): string {
  return JSON.stringify({
    log: `${record.content}\n`,
    stream: record.stream,
    docker: { container_id: '0f'.repeat(32) },
    kubernetes: {
      container_name: from.container,
      namespace_name: from.namespace,
      pod_name: from.pod,
      host: from.node
    },
    '@timestamp': paddedTime(record.time).replace('Z', '+00:00'),
    tag: 'kubernetes.var.log'
  })
}

export function vectorValue(record: ShippedRecord, from: ShippedFrom = SHIPPED_FROM): string {
  return JSON.stringify({
    file: `/var/log/pods/${from.namespace}_${from.pod}_6f1c0a3e-0000-4000-8000-000000000000/${from.container}/0.log`,
    kubernetes: {
      container_name: from.container,
      pod_name: from.pod,
      pod_namespace: from.namespace,
      pod_node_name: from.node
    },
    message: record.content,
    source_type: 'kubernetes_logs',
    stream: record.stream,
    timestamp: record.time
  })
}

/** Filebeat keeps whole milliseconds of the stamp. */
export function filebeatValue(record: ShippedRecord, from: ShippedFrom = SHIPPED_FROM): string {
  return JSON.stringify({
    '@timestamp': paddedTime(record.time).replace(/\d{6}Z$/, 'Z'),
    '@metadata': { beat: 'filebeat', type: '_doc', version: '8.15.0' },
    stream: record.stream,
    message: record.content,
    input: { type: 'container' },
    log: { offset: record.offset, file: { path: from.path } },
    kubernetes: {
      pod: { name: from.pod, uid: '6f1c0a3e-0000-4000-8000-000000000000' },
      namespace: from.namespace,
      container: { name: from.container },
      node: { name: from.node }
    },
    host: { name: from.node }
  })
}

/** Of a producer that sends the bytes of a line and nothing around them. */
export function rawValue(record: ShippedRecord): Buffer {
  return record.raw
}

/** `2026-11-21T10:02:11.5Z` → `2026-11-21T10:02:11.500000000Z`. */
function paddedTime(time: string): string {
  const [seconds, fraction = ''] = time.replace('Z', '').split('.') as [string, string?]
  return `${seconds}.${fraction.padEnd(9, '0')}Z`
}
