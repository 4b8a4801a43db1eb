/** The logs of controllers as the API gives them, and what it does not give. */

import type { IncomingMessage } from 'node:http'
import { ApiError, asApiError, type Connection, get, type Parameters } from '../cluster/apiRequest.ts'
import { type Controller, nameOf } from '../cluster/controllers.ts'
import { patiently } from '../cluster/list.ts'
import { pathOf } from '../cluster/resources.ts'
import { howToAllow } from '../cluster/rights.ts'
import type { LogSpool, SpooledLog } from './logSpool.ts'

export interface LogRequest {
  connection: Connection
  controllers: readonly Controller[]
  /** Lines before it are not asked for, Unix ms; -Infinity: all there are. */
  fromMs: number
  spool: LogSpool
  /** Bytes that have come. */
  heard: (bytes: number) => void
  wait: (ms: number) => Promise<void>
  signal: AbortSignal
}

export interface ControllerLogs {
  logs: SpooledLog[]
  /** What could not be read; exit code 1. */
  problems: string[]
  /** What the API cannot know any more: rotated, restarted, of pods that are gone. */
  notes: string[]
}

const SILENT_MS = 60_000
/** Log files under way at once. */
const AT_ONCE = 4
/** Enough for the stamp of the first line. */
const HEAD_BYTES = 1_024
/** A controller says something as it starts: a log that begins later has lost its beginning. */
const START_MS = 60_000

/** Throws ApiError when nobody answers or nobody knows us; everything else is a problem of one log. */
export async function readControllerLogs(request: LogRequest): Promise<ControllerLogs> {
  const waiting = [...request.controllers.entries()]
  const logs: (SpooledLog | undefined)[] = []
  const found: ControllerLogs = { logs: [], problems: [], notes: [] }
  const refused: Controller[] = []
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, controller] = next
      const { namespace, pod, container } = controller
      const log = request.spool.open({ namespace, pod, container })
      try {
        await readLog(request, controller, log, found.notes)
      } catch (error) {
        if (!(error instanceof ApiError) || error.status === 401) throw error
        if (error.status === 403) refused.push(controller)
        else found.problems.push(`log of ${nameOf(controller)}: ${error.said}`)
      }
      if (log.bytes > 0) logs[index] = log
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  // In one order, whoever answered first.
  refused.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
  found.problems.sort()
  for (const namespace of new Set(refused.map(controller => controller.namespace))) {
    const names = refused.filter(controller => controller.namespace === namespace).map(nameOf)
    const right = { verb: 'get', resource: 'pods/log', group: '', namespace, isOfCluster: false } as const
    found.problems.push(`logs of ${names.join(', ')} may not be read (403): ${howToAllow(right)}`)
  }
  found.logs = logs.filter(log => log !== undefined)
  found.notes.sort()
  return found
}

async function readLog(request: LogRequest, controller: Controller, log: SpooledLog, notes: string[]): Promise<void> {
  const { fromMs } = request
  const name = nameOf(controller)
  const { before, createdMs, restarts, startedMs } = controller
  if (createdMs !== null && createdMs > fromMs)
    notes.push(`pod ${name} is there since ${timeText(createdMs)}: logs of pods before it are gone with them`)
  if (before !== null && before.finishedMs >= fromMs) {
    try {
      await append(request, controller, log, { previous: 'true' })
    } catch (error) {
      // Removed by the node meanwhile.
      if (!(error instanceof ApiError) || (error.status !== 400 && error.status !== 404)) throw error
      notes.push(`pod ${name} restarted at ${timeText(before.finishedMs)}, and its log before that is gone`)
    }
    if (restarts > 1 && before.startedMs > fromMs)
      notes.push(`pod ${name} restarted ${restarts} times: its log before ${timeText(before.startedMs)} is gone`)
  }
  const hasStarted = startedMs !== null
  try {
    await append(request, controller, log, {})
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 400 || hasStarted) throw error
    notes.push(`pod ${name} does not run, and has no log: ${error.said}`)
    return
  }
  if (startedMs === null || startedMs >= fromMs) return
  const oldestMs = await oldestLine(request, controller)
  if (oldestMs !== null && oldestMs > fromMs && oldestMs > startedMs + START_MS)
    notes.push(
      `the log of pod ${name} begins at ${timeText(oldestMs)}: the node has rotated it, and the API gives the newest file only`
    )
}

/** Of whole logs a cut one is asked for again only when nothing of it has come. */
async function append(
  request: LogRequest,
  controller: Controller,
  log: SpooledLog,
  parameters: Parameters
): Promise<void> {
  const { fromMs, connection, signal } = request
  const sinceTime = Number.isFinite(fromMs) ? `${new Date(fromMs).toISOString().slice(0, 19)}Z` : undefined
  const response = await patiently(() => ask(request, controller, { ...parameters, sinceTime }), request.wait)
  try {
    await log.append(response, request.heard)
  } catch (error) {
    const why = asApiError(error, connection, signal)
    throw why instanceof ApiError
      ? new ApiError(connection, `it was cut off: ${why.said}`, null, { cause: error })
      : why
  }
}

/** Unix ms of the oldest line that the API still has; null: it does not tell. */
async function oldestLine(request: LogRequest, controller: Controller): Promise<number | null> {
  const response = await ask(request, controller, { limitBytes: HEAD_BYTES })
  let head = ''
  for await (const chunk of response as AsyncIterable<Buffer>) {
    head += chunk.toString('latin1')
    if (head.length >= HEAD_BYTES) break
  }
  const ms = Date.parse(head.slice(0, head.indexOf(' ')))
  return Number.isNaN(ms) ? null : ms
}

function ask(
  { connection, signal }: LogRequest,
  { namespace, pod, container }: Controller,
  parameters: Parameters
): Promise<IncomingMessage> {
  const path = `${pathOf('Pod', namespace)}/${encodeURIComponent(pod)}/log`
  return get(connection, path, { container, timestamps: 'true', ...parameters }, { silentMs: SILENT_MS, signal })
}

function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
