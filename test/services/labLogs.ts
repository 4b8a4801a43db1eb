/** Reads the lab's logs back, as far as it takes to say which request each line is about. No part of why5xx is used. */
import { readFileSync } from 'node:fs'
import type { LabRequest } from './labRequest.ts'
import type { LabLogs } from './nginxLab.ts'

/** One record: a line, or the lines of a Lua error. */
export interface LabLine {
  /** Counted from 1: the first physical line of the record. */
  line: number
  text: string
  request: LabRequest | null
}

export interface LabRecords {
  /** Clients' access lines. */
  access: LabLine[]
  /** Access lines of mirror subrequests. */
  mirrors: LabLine[]
  errors: LabLine[]
}

interface PhysicalLine {
  line: number
  text: string
}

const PATH = /\/(?:f|ok)\/[a-z0-9_]+\/(?:\d+|same)(?!\d)/
const ERROR_HEAD = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[/
const CRI_LINE = /^\S+ (stdout|stderr) ([PF]) (.*)$/s

export function readFiles(logs: LabLogs): LabRecords {
  return label(logs, physicalLines(logs.accessFile), physicalLines(logs.errorFile))
}

export function readCri(logs: LabLogs): LabRecords {
  const streams: Record<string, PhysicalLine[]> = { stdout: [], stderr: [] }
  const open: Record<string, PhysicalLine | null> = { stdout: null, stderr: null }
  for (const { line, text } of physicalLines(logs.criFile)) {
    const [, stream = '', tag, content = ''] = CRI_LINE.exec(text) ?? []
    if (streams[stream] === undefined) throw new Error(`${logs.criFile}:${line} is no CRI line: ${text.slice(0, 80)}`)
    const whole = open[stream] ?? { line, text: '' }
    whole.text += content
    open[stream] = tag === 'P' ? whole : null
    if (tag === 'F') streams[stream].push(whole)
  }
  return label(logs, streams.stdout!, streams.stderr!)
}

function physicalLines(file: string): PhysicalLine[] {
  const lines = readFileSync(file, 'latin1').split('\n')
  lines.pop()
  return lines.map((text, index) => ({ line: index + 1, text }))
}

function label(logs: LabLogs, accessLines: readonly PhysicalLine[], errorLines: readonly PhysicalLine[]): LabRecords {
  const byPath = new Map<string, LabRequest>()
  const byId = new Map<string, LabRequest>()
  const byClient = new Map<string, LabRequest>()
  for (const request of logs.requests) {
    if (request.isPathless) byClient.set(request.client, request)
    else if (request.id !== null) byId.set(request.id, request)
    else byPath.set(request.path, request)
  }
  const idOfConnection = new Map<string, string>()
  for (const { text } of physicalLines(logs.labelsFile)) {
    const [pid = '', connection = '', id = ''] = text.split(' ')
    if (byId.has(id)) idOfConnection.set(`${pid} ${connection}`, id)
  }

  const records: LabRecords = { access: [], mirrors: [], errors: [] }
  for (const { line, text } of accessLines) {
    const path = PATH.exec(/ "(.*?)" \d{3} /.exec(text)?.[1] ?? '')?.[0]
    const request =
      path === undefined
        ? byClient.get(text.slice(0, text.indexOf(' ')))
        : (byId.get(text.slice(text.lastIndexOf(' ') + 1)) ?? byPath.get(path))
    const isMirror = / 0 \d+\.\d{3} \[-\] \[\] 127\./.test(text)
    ;(isMirror ? records.mirrors : records.access).push({ line, text, request: request ?? null })
  }
  for (const { line, text } of errorLines) {
    if (ERROR_HEAD.test(text)) records.errors.push({ line, text, request: null })
    else {
      const record = records.errors.at(-1)
      if (record !== undefined) record.text += `\n${text}`
    }
  }
  for (const record of records.errors) {
    const path = PATH.exec(/, request: "(.*)/s.exec(record.text)?.[1] ?? '')?.[0]
    const [, pid, connection] = /^\S+ \S+ \[\w+\] (\d+)#\d+: \*(\d+) /.exec(record.text) ?? []
    const id = idOfConnection.get(`${pid} ${connection}`)
    const client = /, client: ([\d.]+)/.exec(record.text)?.[1] ?? ''
    const request = path === undefined ? byClient.get(client) : (byId.get(id ?? '') ?? byPath.get(path))
    record.request = request ?? null
  }
  return records
}

export function byRequest(lines: readonly LabLine[]): Map<LabRequest | null, LabLine[]> {
  const groups = new Map<LabRequest | null, LabLine[]>()
  for (const line of lines) {
    const group = groups.get(line.request)
    if (group === undefined) groups.set(line.request, [line])
    else group.push(line)
  }
  return groups
}

export function statusOf(access: LabLine): number {
  return Number(/" (\d{3}) \d+ "/.exec(access.text)?.[1])
}

export function isSevere(error: LabLine): boolean {
  return ['error', 'crit', 'alert', 'emerg'].includes(levelOf(error))
}

function levelOf(error: LabLine): string {
  return /\[(\w+)\]/.exec(error.text)?.[1] ?? ''
}

/** What in the logs is not as the lab expected it: the harness's own check, before anything is said about why5xx. */
export function mislabelled(requests: readonly LabRequest[], records: LabRecords): string[] {
  const problems: string[] = []
  const access = byRequest(records.access)
  const errors = byRequest(records.errors)
  for (const request of requests) {
    const lines = access.get(request) ?? []
    const statuses = request.status === null ? [] : [request.status].flat()
    const isExpected =
      statuses.length === 0 ? lines.length === 0 : lines.length === 1 && statuses.includes(statusOf(lines[0]!))
    const name = `${request.kind} ${request.id ?? request.path} (${request.client})`
    if (!isExpected)
      problems.push(
        `${name}: expected ${statuses.join(' or ')}, got ${lines.map(line => line.text).join(' | ') || 'no access line'}`
      )
    const texts = (errors.get(request) ?? []).filter(line => request.errorText?.test(line.text) ?? isSevere(line))
    if ((request.errorText === null) !== (texts.length === 0)) {
      problems.push(
        `${name}: expected error line ${request.errorText}, got ${(errors.get(request) ?? []).map(line => line.text).join(' | ') || 'none'}`
      )
    }
  }
  for (const line of records.access) if (line.request === null) problems.push(`no request made this line: ${line.text}`)
  return problems
}
