import type { MessageBatch } from '../../parsers/messageBatch.ts'
import { MessageReader, type MessageStart, type SentLine } from '../../parsers/messageReader.ts'
import { NameTable } from '../../parsers/nameTable.ts'
import { scannedRecord } from '../../parsers/recordParser.ts'
import { stamp } from './lines.ts'

/** Kubelet's name of the log of a controller pod. */
export const logPath = (pod: string): string =>
  `/var/log/containers/${pod}_ingress-nginx_controller-${'0f'.repeat(32)}.log`

/** Values (Latin-1; null: none) one behind the other, as a driver hands them on. */
export function batchOf(values: readonly (string | null)[], firstOffset = 0): MessageBatch {
  const count = values.length
  const starts = new Int32Array(count)
  const ends = new Int32Array(count)
  const parts: Buffer[] = []
  let at = 0
  for (const [i, value] of values.entries()) {
    const bytes = Buffer.from(`${value ?? ''}\n`, 'latin1')
    starts[i] = at
    ends[i] = value === null ? -1 : at + bytes.length - 1
    at += bytes.length
    parts.push(bytes)
  }
  return {
    bytes: Buffer.concat(parts),
    count,
    offsets: Float64Array.from(values, (_, i) => firstOffset + i),
    starts,
    ends
  }
}

/** A record of Fluent Bit's `cri` parser, as Latin-1 of its UTF-8. */
export function fluentBit(
  stampMs: number,
  stream: string,
  line: string,
  { pod = 'ctl-a', offset = null as number | null, more = {} as Record<string, unknown> } = {}
): string {
  const record = {
    '@timestamp': stamp(stampMs),
    time: stamp(stampMs),
    stream,
    _p: 'F',
    log: Buffer.from(line, 'latin1').toString('utf8'),
    log_path: logPath(pod),
    ...(offset === null ? {} : { log_offset: offset }),
    node: 'worker-1',
    ...more
  }
  return Buffer.from(JSON.stringify(record)).toString('latin1')
}

/** Everything a reader tells of batches, one entry a call, with what a visitor may ask meanwhile. */
export function tellMessages(batches: readonly MessageBatch[], start: Partial<MessageStart> = {}): unknown[] {
  const told: unknown[] = []
  const resends = start.resends ?? {
    isResend(line: SentLine) {
      told.push({ kind: 'sent', ...line })
      return false
    }
  }
  const names = new NameTable()
  const reader: MessageReader = new MessageReader(
    {
      access(view, line) {
        const { status, timeMs, requestTimeMs, nameId, attempts, upstreamStatus, isEmptyRequest } = view
        const numbers = { status, timeMs, requestTimeMs, attempts, upstreamStatus, isEmptyRequest, at: reader.at }
        const client = view.bytes.toString('latin1', view.start, view.clientEnd)
        const request = view.bytes.toString('latin1', view.requestStart, view.requestEnd)
        const recordLine = reader.recordLine(line)
        const record = scannedRecord(view, reader.parser.scanner!, recordLine.raw)
        told.push({ kind: 'access', ...numbers, name: names.names[nameId], client, request, record, line: recordLine })
      },
      record: (record, line) => told.push({ kind: record.kind, record, line, at: reader.at }),
      continuation: number => told.push({ kind: 'continuation', number }),
      reject: (code, column, line) => told.push({ kind: 'reject', code, column, line, value: reader.value })
    },
    names,
    null,
    { from: 0, readTo: 0, learnsShapes: true, ...start, resends }
  )
  for (const batch of batches) reader.pushMessages(batch)
  reader.end()
  told.push({ readTo: reader.readTo, lines: reader.linesRead, formats: [...reader.parser.formatCounts()] })
  return told
}
