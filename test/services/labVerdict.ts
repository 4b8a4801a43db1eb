/** Compares what why5xx printed about the lab's logs with what is true of them. */
import { basename } from 'node:path'
import { isSevere, type LabLine, type LabRecords, statusOf } from './labLogs.ts'
import type { LabRequest } from './labRequest.ts'

interface Position {
  file: string
  line: number
}

/** The part of a failure document that is compared. */
export interface LabDocument {
  url?: { path?: string }
  http?: { response?: { status_code?: number } }
  why5xx: {
    cause: string | null
    join: { state: string }
    origin: { access: Position | null; errors: Position[] }
  }
}

interface Score {
  requests: number
  right: number
  errorLines: number
  errorLinesRight: number
  joinRight: number
  wrong: Map<string, number>
}

export interface LabVerdict {
  /** Shares from 0 to 1, of failing requests and of the error lines that belong to them. */
  causesRight: number
  errorLinesRight: number
  joinsRight: number
  /** Documents of requests nobody may be told about, in words. */
  falseAlarms: string[]
  /** Documents whose path or status is not that of the request, in words. */
  wrongFields: string[]
  /** Error lines of a worker without connections that no document names: nothing else tells of the clients it cut. */
  silentOverloads: string[]
  table: string
}

export function parseDocuments(ndjson: string): LabDocument[] {
  return ndjson
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as LabDocument)
}

/** `accessFile` and `errorFile` may be one file (CRI). */
export function judge(
  requests: readonly LabRequest[],
  records: LabRecords,
  documents: readonly LabDocument[],
  [accessFile, errorFile]: readonly [string, string]
): LabVerdict {
  const lineAt = (lines: readonly LabLine[], file: string) => {
    const byLine = new Map(lines.map(line => [line.line, line]))
    return (position: Position | null | undefined) =>
      position && basename(position.file) === basename(file) ? byLine.get(position.line) : undefined
  }
  const accessAt = lineAt([...records.access, ...records.mirrors], accessFile)
  const errorAt = lineAt(records.errors, errorFile)

  const documentsOf = new Map<LabRequest, LabDocument[]>()
  const owners = new Map<LabLine, LabDocument[]>()
  const falseAlarms: string[] = []
  const wrongFields: string[] = []
  for (const document of documents) {
    const { access, errors } = document.why5xx.origin
    const accessLine = accessAt(access)
    const errorLines = errors.flatMap(position => errorAt(position) ?? [])
    const request = (accessLine ?? errorLines[0])?.request ?? null
    for (const line of errorLines) owners.set(line, [...(owners.get(line) ?? []), document])
    if (accessLine === undefined && errorLines.length === 0)
      falseAlarms.push(`no such line: ${JSON.stringify(document.why5xx)}`)
    if (request === null) continue
    documentsOf.set(request, [...(documentsOf.get(request) ?? []), document])
    const isMirror = accessLine !== undefined && records.mirrors.includes(accessLine)
    if (request.causes.length === 0 || isMirror) {
      falseAlarms.push(
        `${request.kind} ${request.path}: ${document.why5xx.cause}, ${document.why5xx.join.state}: ${(accessLine ?? errorLines[0])?.text}`
      )
    } else if (accessLine !== undefined) {
      const status = document.http?.response?.status_code
      if (status !== statusOf(accessLine)) wrongFields.push(`status ${status}: ${accessLine.text}`)
      if (!request.isPathless && document.url?.path !== request.path)
        wrongFields.push(`path ${document.url?.path}: ${accessLine.text}`)
    }
  }

  const scores = new Map<string, Score>()
  const scoreOf = (kind: string): Score => {
    const score = scores.get(kind) ?? {
      requests: 0,
      right: 0,
      errorLines: 0,
      errorLinesRight: 0,
      joinRight: 0,
      wrong: new Map()
    }
    scores.set(kind, score)
    return score
  }
  for (const request of requests) {
    if (request.causes.length === 0) continue
    const score = scoreOf(request.kind)
    const found = documentsOf.get(request) ?? []
    const causes: readonly (string | null)[] = request.causes
    score.requests++
    const [first] = found
    if (found.length === 1 && causes.includes(first!.why5xx.cause)) score.right++
    else {
      const said = found.map(({ why5xx }) => why5xx.cause ?? 'null').join(' + ') || 'no document'
      score.wrong.set(said, (score.wrong.get(said) ?? 0) + 1)
    }
    if (first !== undefined && isJoinRight(request, first.why5xx.join.state)) score.joinRight++
  }
  for (const line of records.errors) {
    const { request } = line
    if (request === null || request.causes.length === 0 || !isOwn(line, request)) continue
    const score = scoreOf(request.kind)
    score.errorLines++
    const owning = owners.get(line) ?? []
    if (owning.length === 1 && isOwner(owning[0]!, line, accessAt)) score.errorLinesRight++
  }
  const all = [...scores.values()]
  const share = (part: keyof Score, whole: keyof Score) => sum(all, part) / sum(all, whole)
  return {
    causesRight: share('right', 'requests'),
    errorLinesRight: share('errorLinesRight', 'errorLines'),
    joinsRight: share('joinRight', 'requests'),
    falseAlarms,
    wrongFields,
    silentOverloads: records.errors
      .filter(line => line.request === null && line.text.includes('worker_connections are not enough'))
      .filter(line => owners.get(line)?.[0]?.why5xx.cause !== 'controller_overload')
      .map(line => `${line.line}: ${line.text}`),
    table: tableOf(scores)
  }
}

/** Lines that tell of the failure: those the kind is known by, and everything else at level error or worse. */
function isOwn(line: LabLine, request: LabRequest): boolean {
  return (request.errorText?.test(line.text) ?? false) || isSevere(line)
}

/** Of requests that look equal nobody can say which error line is whose; it must lie at one that met the same pod. */
function isOwner(
  document: LabDocument,
  line: LabLine,
  accessAt: (position: Position | null) => LabLine | undefined
): boolean {
  const access = accessAt(document.why5xx.origin.access)
  if (access === undefined || line.request?.id === null) return (access?.request ?? line.request) === line.request
  const pod = /, upstream: "http:\/\/([\d.:]+)\//.exec(line.text)?.[1]
  return pod !== undefined && access.text.includes(`] [] ${pod} `)
}

function isJoinRight({ id, status, errorText }: LabRequest, state: string): boolean {
  if (id !== null && state === 'ambiguous') return true
  return state === (status === null ? 'error_only' : errorText === null ? 'access_only' : 'joined')
}

function sum(scores: readonly Score[], key: keyof Score): number {
  return scores.reduce((total, score) => total + Number(score[key]), 0)
}

function tableOf(scores: ReadonlyMap<string, Score>): string {
  const rows = [...scores]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([kind, score]) => {
      const wrong = [...score.wrong].map(([said, times]) => `${times}× ${said}`).join(', ')
      return [
        kind.padEnd(26),
        `${score.right}/${score.requests}`.padStart(7),
        `${score.errorLinesRight}/${score.errorLines}`.padStart(12),
        `${score.joinRight}/${score.requests}`.padStart(7),
        wrong
      ].join(' ')
    })
  return [`${'kind'.padEnd(26)}   cause   error lines   join`, ...rows].join('\n')
}
