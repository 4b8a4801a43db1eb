import { writeFileSync } from 'node:fs'
import { systemErrorText, Why5xxError } from '../errors.ts'
import { openReader } from '../store/open.ts'
import { jsonText } from '../text.ts'
import type { Timeline } from '../timeline/model.ts'
import { readTimeline, wholeMinutes } from '../timeline/readTimeline.ts'
import { checkFormat, checkZone, type TimeFlags, timeRange, wantedCauses } from './filters.ts'
import type { CommonOptions } from './options.ts'
import { writeOut } from './output.ts'
import { checkStoreFlag } from './storeFlag.ts'
import { warn } from './warn.ts'

interface TimelineFlags extends TimeFlags {
  format?: string
  service?: string[]
  cause?: string[]
  output?: string
  store?: string
}

const FORMATS = ['markdown', 'html', 'json']
const DAY_MS = 86_400_000

/** Prints the timeline of a window of the store. Returns the exit code. */
export async function runTimeline(flags: TimelineFlags, options: CommonOptions): Promise<number> {
  const format = flags.format ?? 'markdown'
  checkFormat(format, FORMATS)
  const zone = flags.timeZone ?? 'UTC'
  checkZone(zone)
  const causes = await wantedCauses(flags.cause)
  const { config } = await options.load()
  const nowMs = Date.now()
  const { fromMs, toMs } = timeRange(flags, nowMs)
  // Without a begin: the day before the end, which is now if it was not said either.
  const endMs = Number.isFinite(toMs) ? toMs : nowMs
  const window = { fromMs: Number.isFinite(fromMs) ? fromMs : endMs - DAY_MS, toMs: endMs }
  if (window.fromMs >= window.toMs) throw new Why5xxError('WHY5XX_USAGE', '--from must be before --to')
  checkStoreFlag(config, flags.store)
  const reader = await openReader(config, flags.store)
  try {
    const filter = { ...wholeMinutes(window), services: flags.service ?? [], causes: [...(causes ?? [])] }
    const text = await rendered(await readTimeline(reader, filter, warn), format, zone)
    if (flags.output === undefined) await writeOut(text)
    else writeFile(flags.output, text)
  } finally {
    await reader.close()
  }
  return 0
}

async function rendered(timeline: Timeline, format: string, zone: string): Promise<string> {
  if (format === 'json') return `${jsonText(timeline, 2)}\n`
  if (format === 'html') return (await import('../timeline/html.ts')).timelinePage(timeline, zone)
  return (await import('../timeline/markdown.ts')).timelineMarkdown(timeline, zone)
}

function writeFile(path: string, text: string): void {
  try {
    writeFileSync(path, text)
  } catch (error) {
    throw new Why5xxError('WHY5XX_USAGE', `--output ${path}: ${systemErrorText(error)}`, { cause: error })
  }
}
