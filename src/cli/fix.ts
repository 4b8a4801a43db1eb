import { existsSync } from 'node:fs'
import { remediationOf } from '../diagnose/remediation.ts'
import { Why5xxError } from '../errors.ts'
import { openInput } from '../source/input.ts'
import { diagnosisOfDocument } from '../store/diagnosisOfDocument.ts'
import { openReader } from '../store/open.ts'
import type { StoreFilter } from '../store/store.ts'
import { styleFor } from '../terminal.ts'
import { jsonText } from '../text.ts'
import { checkFormat } from './filters.ts'
import { type Fixed, fixJson, fixText } from './fixReport.ts'
import { CASE_BYTES_MAX, isJson, judgedCase } from './judgedCase.ts'
import type { CommonOptions } from './options.ts'
import { writeOut } from './output.ts'
import { checkStoreFlag, storeName } from './storeFlag.ts'

interface FixFlags {
  format?: string
  store?: string
  color?: boolean
}

const EVERYTHING: StoreFilter = {
  fromMs: Number.NEGATIVE_INFINITY,
  toMs: Number.POSITIVE_INFINITY,
  services: [],
  causes: [],
  pods: [],
  statuses: []
}

/** Prints what would mend a failure of the store, or the one of a case file. Returns the exit code; changes nothing. */
export async function runFix(wanted: string, flags: FixFlags, options: CommonOptions): Promise<number> {
  const format = flags.format ?? 'text'
  checkFormat(format, ['text', 'json'])
  const fixed = isFile(wanted) ? await ofCase(wanted) : await ofStore(wanted, flags, options)
  const text =
    format === 'json'
      ? `${jsonText(fixJson(fixed), 2)}\n`
      : fixText(fixed, styleFor(process.stdout, flags.color ?? true))
  await writeOut(text)
  return 0
}

/** Ids hold neither a dot nor a slash. */
function isFile(wanted: string): boolean {
  return wanted === '-' || /[./]/.test(wanted) || existsSync(wanted)
}

async function ofStore(id: string, flags: FixFlags, options: CommonOptions): Promise<Fixed> {
  const { config } = await options.load()
  checkStoreFlag(config, flags.store)
  const reader = await openReader(config, flags.store)
  try {
    const [document] = await reader.documents([id], EVERYTHING)
    if (document === undefined)
      throw new Why5xxError(
        'WHY5XX_USAGE',
        `there is no failure ${id} in ${flags.store ?? storeName(config)}; why5xx failures --format ndjson prints ids (event.id)`
      )
    const diagnosis = diagnosisOfDocument(document)
    if (diagnosis === null) throw new Why5xxError('WHY5XX_INPUT_UNREADABLE', `failure ${id}: ${whyNone(document)}`)
    return { id, diagnosis, remediation: remediationOf(diagnosis, null) }
  } finally {
    await reader.close()
  }
}

/** Why a failure has no root cause: nobody knew the cluster, or another program judged it. */
function whyNone(document: Record<string, unknown>): string {
  const stored = document.why5xx as
    | { cause?: unknown; cluster?: { known?: unknown }; root_cause?: { kind?: unknown } }
    | undefined
  const cause = typeof stored?.cause === 'string' ? stored.cause : 'its cause'
  const then = `; why5xx causes ${cause} says what to check by hand`
  const kind = stored?.root_cause?.kind
  if (kind !== undefined)
    return `its root cause ${typeof kind === 'string' ? kind : jsonText(kind)} is none that this version knows${then}`
  return stored?.cluster?.known === true
    ? `it has no root cause: nothing of the cluster could be read when it was judged${then}`
    : `it has no root cause: the state of the cluster at that moment was not known (kubernetes.api, kubernetes.snapshots)${then}`
}

async function ofCase(path: string): Promise<Fixed> {
  const input = openInput(path)
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of input.chunks()) {
    // A copy: the input reads over its buffer.
    chunks.push(Buffer.from(chunk))
    bytes += chunk.length
    if (bytes > CASE_BYTES_MAX)
      throw new Why5xxError('WHY5XX_INPUT_UNREADABLE', `${input.name}: it is longer than a case may be (256 MiB)`)
  }
  const { id, diagnosis, state } = judgedCase(oneCase(Buffer.concat(chunks).toString(), input.name))
  if (diagnosis === null)
    throw new Why5xxError(
      'WHY5XX_INPUT_UNREADABLE',
      `case ${id}: no root cause, for nothing of the cluster is known: no kind of its objects could be read`
    )
  return { id, diagnosis, remediation: remediationOf(diagnosis, state) }
}

function oneCase(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const several = text.trim().split('\n').length
    const why = several > 1 && isJson(text.trim().split('\n')[0]!) ? `it holds ${several} lines` : 'it is no JSON'
    throw new Why5xxError(
      'WHY5XX_INPUT_UNREADABLE',
      `${name}: ${why}; fix takes one case: {"id", "now", "failure", "objects"}`,
      { cause: error }
    )
  }
}
