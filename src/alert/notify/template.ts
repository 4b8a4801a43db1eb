/**
 * What a webhook is sent: a Liquid template that renders one JSON text.
 *
 * Every `{{ … }}` prints one JSON value: a text with its quotes, a number, a whole object. So no text of a log can break the
 * JSON or add to it, whatever the template does. Text is put together between `{% capture %}` and `{% endcapture %}`, where
 * values print plainly; what was captured is a text like any other. There is no `raw`, and a template reads no files.
 */

import { Liquid } from 'liquidjs'
import { Why5xxError } from '../../errors.ts'
import { clip, safeText } from '../../text.ts'
import type { Notice } from '../notice.ts'
import { isHttpUrl, limitText, slackLink, slackText } from './messageText.ts'
import { sampleNotices } from './sampleNotices.ts'

const TEMPLATE_CHARACTERS_MAX = 100_000
const RENDER_MS_MAX = 1_000
/** As the library counts them: characters and elements that filters make. */
const ALLOCATIONS_MAX = 5_000_000
/** PagerDuty takes half a MiB, others less. */
const JSON_CHARACTERS_MAX = 400_000

/** Read other files, write HTML, or print what was not made safe. */
const TAGS_LEFT_OUT = ['include', 'render', 'layout', 'block', 'tablerow']

export interface Template {
  /** Never throws: a problem is a sentence. */
  render(notice: Notice, routingKey: string | null): { json: string } | { problem: string }
}

/** `routingKey`: the template is given one. Throws Why5xxError `WHY5XX_CONFIG` with the line when it would ever fail. */
export function compileTemplate(source: string, name: string, hasRoutingKey = false): Template {
  const liquid = newEngine()
  const wrong = (sentence: string): Why5xxError =>
    new Why5xxError('WHY5XX_CONFIG', `alerts.webhooks: template ${name}: ${sentence}`)
  let parsed: ReturnType<Liquid['parse']>
  try {
    parsed = liquid.parse(source)
  } catch (error) {
    throw wrong(sentenceOf(error))
  }
  const template: Template = {
    render(notice, routingKey) {
      let text: string
      try {
        text = String(
          liquid.renderSync(parsed, { ...notice, notice, ...(routingKey === null ? {} : { routing_key: routingKey }) })
        ).trim()
      } catch (error) {
        return { problem: sentenceOf(error) }
      }
      if (text.length > JSON_CHARACTERS_MAX)
        return { problem: `renders ${text.length} characters; ${JSON_CHARACTERS_MAX} are allowed` }
      return isJson(text) ? { json: text } : { problem: brokenLine(text) }
    }
  }
  for (const [about, notice] of sampleNotices()) {
    const rendered = template.render(notice, hasRoutingKey ? 'R0UTINGKEY' : null)
    if ('problem' in rendered) throw wrong(`${rendered.problem} (tried with ${about})`)
  }
  return template
}

function newEngine(): Liquid {
  const liquid = new Liquid({
    strictFilters: true,
    strictVariables: true,
    lenientIf: true,
    ownPropertyOnly: true,
    outputEscape: asJson,
    // No file is ever looked for.
    templates: {},
    parseLimit: TEMPLATE_CHARACTERS_MAX,
    renderLimit: RENDER_MS_MAX,
    memoryLimit: ALLOCATIONS_MAX
  })
  for (const tag of TAGS_LEFT_OUT) delete liquid.tags[tag]
  liquid.unregisterFilter('raw')
  liquid.registerTag('capture', captureOf(liquid))
  liquid.registerFilter('slack', (value: unknown, max?: number) => slackText(plain(value), max))
  liquid.registerFilter('slack_link', (value: unknown, label: string) => slackLink(plain(value), plain(label)))
  liquid.registerFilter('limit', (value: unknown, max: number) => limitText(plain(value), max))
  liquid.registerFilter('is_url', (value: unknown) => isHttpUrl(plain(value)))
  return liquid
}

/** Renders in progress that are between `capture` and `endcapture`, and how deep. */
const captures = new WeakMap<object, number>()

/** The library calls it with the render as `this`. */
function asJson(this: unknown, value: unknown): string {
  const { context } = this as { context: object }
  if ((captures.get(context) ?? 0) > 0) return plain(value)
  const json = JSON.stringify(value ?? null, (_key, inner: unknown) =>
    typeof inner === 'string' ? inner.replace(/\p{Cs}/gu, '\ufffd') : inner
  ) as string | undefined
  // Nothing of a function, for one.
  return json ?? 'null'
}

function plain(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value as string | number | boolean)
}

type CaptureTag = new (...parts: never[]) => { render(context: object): Generator<unknown, unknown, unknown> }

function captureOf(liquid: Liquid): Liquid['tags'][string] {
  const Capture = liquid.tags.capture as unknown as CaptureTag
  class PlainCapture extends Capture {
    override *render(context: object): Generator<unknown, unknown, unknown> {
      const depth = captures.get(context) ?? 0
      captures.set(context, depth + 1)
      try {
        return yield* super.render(context)
      } finally {
        captures.set(context, depth)
      }
    }
  }
  return PlainCapture as unknown as Liquid['tags'][string]
}

function isJson(text: string): boolean {
  return jsonError(text) === null
}

function jsonError(text: string): string | null {
  try {
    JSON.parse(text)
    return null
  } catch (error) {
    return (error as Error).message
  }
}

/** The first line that cannot go on what stands before it: engines do not all tell where. */
function brokenLine(text: string): string {
  const lines = text.split('\n')
  let before = ''
  for (const [i, line] of lines.entries()) {
    before += `${line}\n`
    const message = jsonError(before)
    if (message === null || isUnfinished(message, before.length)) continue
    return `what it renders is no JSON from line ${i + 1} on: ${clip(safeText(line.trim()), 100)}`
  }
  return `what it renders is no JSON: it ends too early, in line ${lines.length}`
}

/** Nothing is wrong but that there should be more. */
function isUnfinished(message: string, length: number): boolean {
  const position = /at position (\d+)/.exec(message)
  return /end of JSON input/.test(message) || (position !== null && Number(position[1]) >= length)
}

/** The library's own sentences end with `, line:4, col:7`. */
function sentenceOf(error: unknown): string {
  const [sentence] = (error as Error).message.split('\n')
  return safeText(sentence!)
    .replace(/, (?:file:[^,]*, )?line:(\d+), col:(\d+)$/, ' (line $1, column $2)')
    .replace('filter: raw', 'filter: raw; every value prints as JSON, texts are put together with {% capture %}')
}
