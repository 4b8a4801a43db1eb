/** The schema of `alerts.webhooks`, and what is wrong with a value of it, in words that do not repeat it: it holds secrets. */

import { z } from 'zod'
import { nearest } from './nearest.ts'
import { clip, safeText } from './text.ts'

/** What is missing or one too many in it is for combinations.ts to say. */
const WEBHOOK = z.strictObject({
  name: z.string().min(1).optional(),
  url: z.string().min(1).optional(),
  urlFile: z.string().min(1).optional(),
  template: z.string().min(1).default('generic'),
  secret: z.string().min(1).optional(),
  secretFile: z.string().min(1).optional(),
  routingKey: z.string().min(1).optional(),
  routingKeyFile: z.string().min(1).optional(),
  headers: z.record(z.string(), z.string()).default({}),
  severities: z
    .array(z.enum(['page', 'ticket']))
    .min(1)
    .default(['page', 'ticket'])
})

export const WEBHOOKS = z.array(WEBHOOK)

const PROBLEMS_MAX = 10

/** `webhook 1: unknown key tempate, did you mean template?`; null: it is not even a list. */
export function webhooksProblem({ issues }: z.ZodError): string | null {
  if (issues.some(({ path }) => path.length === 0)) return null
  return issues.flatMap(problemsOf).slice(0, PROBLEMS_MAX).join('; ')
}

function problemsOf(issue: z.core.$ZodIssue): string[] {
  const [index, ...keys] = issue.path
  const about = `webhook ${Number(index) + 1}`
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map(key => `${about}: unknown key ${shown(key)}, did you mean ${nearest(key, KEYS)}?`)
  // Such as `Invalid input: expected string, received number`: zod names types and what is allowed, never the value.
  const sentence = issue.message.replace(/^[^:]*: /, '')
  return [keys.length === 0 ? `${about}: ${sentence}` : `${about}: ${keys.map(shown).join('.')}: ${sentence}`]
}

const KEYS = Object.keys(WEBHOOK.shape)

function shown(key: PropertyKey): string {
  return clip(safeText(String(key)), 40)
}
