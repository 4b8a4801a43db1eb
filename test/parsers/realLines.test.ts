import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { ParsedLine } from '../../src/parsedLine.ts'
import { parseLog } from '../support/readLog.ts'

interface Sample {
  id: string
  line: string
  framing: string
  kind: string
  expect: {
    status: number | null
    upstream_name: string | null
    upstreams: { addr: string; status: string | number | null }[] | null
    client: string | null
    host: string | null
    method: string | null
    path: string | null
    level: string | null
    cause: string | null
    acceptable_causes: (string | null)[]
  }
  note: string
}

const samples = linesOf('real-lines.jsonl').map(line => JSON.parse(line) as Sample)

/** Labels of the collection → kinds that are right. A line posted alone has lost the record it continued. */
const KINDS: Record<string, string[]> = {
  access: ['access'],
  error: ['error'],
  lua: ['error'],
  controller: ['controller'],
  'stream-access': ['stream_access'],
  other: ['other', 'reject', 'continuation']
}

/** `unexpected error code: 413`: second line of a controller's message, posted without its first; nothing in it tells. */
const KIND_UNKNOWABLE = new Set(['v0134'])

test.each(samples.map(sample => [sample.id, sample.note, sample] as const))('%s: %s', (id, _note, sample) => {
  // A record of several lines: the first one carries what was read.
  const line = parseLog(Buffer.from(`${sample.line}\n`))[0]!
  if (KIND_UNKNOWABLE.has(id)) expect(line.kind).toBe('reject')
  else expect(KINDS[sample.kind]).toContain(line.kind)
  expect(known(valuesOf(line), sample)).toEqual(known(expectedOf(sample), sample))
  expect(sample.expect.acceptable_causes).toContain(line.cause)
})

test.each(linesOf('fluent-bit-records.ndjson').map((line, index) => [index + 1, line] as const))(
  'fluent-bit record %i reads as its content does, with the envelope around it',
  (_number, line) => {
    const envelope = JSON.parse(line) as { log: string; stream: string; time: string }
    const framed = parseLog(Buffer.from(`${line}\n`))
    expect(framed).toHaveLength(1)
    expect(framed[0]).toMatchObject({
      stream: envelope.stream,
      pod: 'ingress-nginx-controller-6b8f7d5c9-x2x7k',
      time: new Date(envelope.time).toISOString()
    })
    const alone = parseLog(Buffer.from(`${envelope.log}\n`))[0]!
    expect(framed[0]).toEqual({ ...alone, stream: framed[0]!.stream, pod: framed[0]!.pod, time: framed[0]!.time })
  }
)

type Values = ReturnType<typeof valuesOf>

function valuesOf(line: ParsedLine) {
  return {
    status: line.status,
    upstream_name: line.upstreamName,
    upstreams: line.attempts.map(({ address, status }) => ({ addr: address, status })),
    client: line.client,
    host: line.host,
    method: line.method,
    path: line.path,
    level: line.level as string | null
  }
}

function expectedOf({ expect: given }: Sample): Values {
  const { status, upstream_name, client, host, method, path, level } = given
  const upstreams = given.upstreams ?? []
  return {
    status,
    upstream_name,
    upstreams: upstreams.map(({ addr, status: own }) => ({
      addr,
      status: own === null || own === '-' ? null : Number(own)
    })),
    client,
    host,
    method,
    path,
    level
  }
}

/** Fields the collection says nothing about are not compared. */
function known(values: Values, { expect: given }: Sample): Partial<Values> {
  return Object.fromEntries(Object.entries(values).filter(([key]) => given[key as keyof Values] !== null))
}

function linesOf(name: string): string[] {
  return readFileSync(new URL(`../../samples/${name}`, import.meta.url), 'utf8')
    .split('\n')
    .filter(line => line !== '')
}
