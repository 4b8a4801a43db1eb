import { matchControllerMessage, printedCause } from './errorMessage.ts'
import { printable } from './escape.ts'
import type { ControllerRecord, Level } from './record.ts'
import { parseKlogTime } from './time.ts'

const HEAD = /^([IWEF])(\d{4} \d\d:\d\d:\d\d\.\d{1,6}) +(\d+) ([^\s:]+):(\d+)\] ?/
const LEVELS: Record<string, Level> = { I: 'info', W: 'warning', E: 'error', F: 'fatal' }

/**
 * A klog line of the controller → ControllerRecord; null when it is none (kubernetes/klog internal/buffer/buffer.go).
 * `text` holds all physical lines of the record, joined by a line feed. The source line changes with every release and
 * is never a key.
 */
export function parseControllerLine(text: string): ControllerRecord | null {
  const head = HEAD.exec(text)
  if (!head) return null
  const message = printable(text.slice(head[0].length))
  const level = LEVELS[head[1]!]!
  // Some blocks begin with an empty line and a rule of dashes.
  const match = matchControllerMessage(message.replace(/^(?:\\x0A|-)+/, ''), level)
  const isSevere = level === 'error' || level === 'fatal'
  const messageCause = match?.cause ?? (isSevere ? 'unclassified' : null)
  return {
    kind: 'controller',
    localTimeMs: parseKlogTime(head[2]!),
    level,
    pid: Number(head[3]),
    sourceFile: head[4]!,
    sourceLine: Number(head[5]),
    message,
    messageKind: match?.id ?? null,
    cause: printedCause(messageCause, level),
    messageCause,
    service: onlyService(message)
  }
}

/** `namespace/name` when the message names exactly one Service, in either klog style. */
function onlyService(message: string): string | null {
  const found = new Set<string>()
  for (const match of message.matchAll(/\b[Ss]ervice(?: |=)"([^"/\s]+\/[^"/\s]+)"/g)) found.add(match[1]!)
  return found.size === 1 ? [...found][0]! : null
}
