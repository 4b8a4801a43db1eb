/** What each type of option accepts: as a zod schema, in words, and read from text. */

import { z } from 'zod'
import { parseListen } from './listenOption.ts'
import type { OptionInfo } from './optionTable.ts'
import { SECRET } from './secrets.ts'
import { parseSize, sizeText } from './sizeOption.ts'
import { clip } from './text.ts'
import { durationMs } from './timeOption.ts'
import { WEBHOOKS, webhooksProblem } from './webhookOption.ts'

export function schemaOf(option: OptionInfo): z.ZodType {
  switch (option.type) {
    case 'text':
      return option.path === 'timeZone' ? z.string().refine(isTimeZone) : z.string().min(1)
    case 'optionalText':
      return z
        .string()
        .min(1)
        .refine(text => unknownPlaceholder(option, text) === null, {
          error: issue => `${unknownPlaceholder(option, String(issue.input))} is not replaced`
        })
        .nullable()
    case 'password':
      return z.string().min(1).nullable()
    case 'integer':
      return z
        .number()
        .int()
        .min(option.min ?? 0)
    case 'boolean':
      return z.boolean()
    case 'choice':
      return z.enum(option.choices as [string, ...string[]])
    case 'choices':
      return z
        .array(z.enum(option.choices as [string, ...string[]]))
        .min(1)
        .nullable()
    case 'list':
      return z.array(z.string().refine(isRegExp))
    case 'texts':
      return z.array(z.string().min(1))
    case 'duration':
      return z.string().refine(text => works(() => durationMs(option.path, text) >= option.min!))
    case 'size':
      return z
        .string()
        .refine(text => works(() => parseSize(option.path, text) >= option.min!))
        .nullable()
    case 'listen':
      return z.string().refine(text => works(() => parseListen(option.path, text)))
    case 'secret':
      return z.string().regex(SECRET).nullable()
    case 'webhooks':
      return WEBHOOKS
  }
}

/** What is wrong, in words that end `is VALUE: …`. */
export function refusal(option: OptionInfo, error: z.ZodError): string {
  const problem = option.type === 'webhooks' ? webhooksProblem(error) : placeholderProblem(option, error)
  return problem ?? `expected ${expected(option)}`
}

function placeholderProblem({ placeholders }: OptionInfo, { issues }: z.ZodError): string | null {
  if (placeholders === undefined || issues[0]?.code !== 'custom') return null
  return `${issues[0].message}; what may stand in it: ${placeholders.map(name => `{${name}}`).join(', ')}`
}

/** `{name}` of a template that nothing would replace; null: there is none, or the option is no template. */
function unknownPlaceholder({ placeholders }: OptionInfo, text: string): string | null {
  if (placeholders === undefined) return null
  const found = [...text.matchAll(/\{([^{}]*)\}/g)].find(([, name]) => !placeholders.includes(name!))
  return found === undefined ? null : clip(found[0], 50)
}

/** The schema of an option in words, for who gave it something else. */
function expected(option: OptionInfo): string {
  switch (option.type) {
    case 'text':
      return option.path === 'timeZone' ? 'an IANA time zone such as Europe/Berlin' : 'a text that is not empty'
    case 'optionalText':
    case 'password':
      return 'a text, or nothing'
    case 'integer':
      return `a whole number${option.unit === null ? '' : ` of ${option.unit}`}, at least ${option.min ?? 0}`
    case 'boolean':
      return 'true or false'
    case 'choice':
      return `one of ${option.choices!.join(', ')}`
    case 'choices':
      return `a list of ${option.choices!.join(', ')}, or nothing`
    case 'list':
      return 'a list of regular expressions'
    case 'texts':
      return 'a list of texts that are not empty'
    case 'duration':
      return `a duration such as 36h, 30d or 1d12h, at least ${option.min! / 3_600_000}h`
    case 'size':
      return `a size with its unit such as 20GiB or 500MB, at least ${sizeText(option.min!)}, or nothing for no limit`
    case 'listen':
      return 'ADDRESS:PORT such as 127.0.0.1:8055, [::1]:8055, or :8055 for every address'
    case 'secret':
      return 'at least 16 printable ASCII characters without spaces, or nothing'
    case 'webhooks':
      return 'a list of webhooks, each { url: https://…, template: generic | slack | pagerduty | FILE.liquid }'
  }
}

/** A value of the environment or of --set. What does not fit is left for the schema to refuse. */
export function fromText(option: OptionInfo, text: string): unknown {
  switch (option.type) {
    case 'integer':
      return /^-?\d+$/.test(text) ? Number(text) : text
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text
    case 'list':
      return text === '' ? [] : text.split(',')
    case 'choices':
      return text === '' ? null : text.split(',')
    case 'texts':
      // Not the commas of {access,error}.log.
      return text === '' ? [] : text.split(/,(?![^{]*\})/)
    case 'optionalText':
    case 'size':
    case 'secret':
    case 'password':
      return text === '' ? null : text
    case 'webhooks':
      return jsonOf(text)
    default:
      return text
  }
}

/** Objects stand as JSON in the environment. What is none is left for the schema to refuse. */
function jsonOf(text: string): unknown {
  try {
    return text === '' ? [] : JSON.parse(text)
  } catch {
    return text
  }
}

function isTimeZone(name: string): boolean {
  return works(() => new Intl.DateTimeFormat('en', { timeZone: name }))
}

function isRegExp(source: string): boolean {
  return works(() => new RegExp(source))
}

/** False when it throws or says so itself. */
function works(attempt: () => unknown): boolean {
  try {
    return attempt() !== false
  } catch {
    return false
  }
}
