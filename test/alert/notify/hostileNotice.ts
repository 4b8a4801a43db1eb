/** Texts that would do something where they are not taken for text. */

import type { Notice } from '../../../src/alert/notice.ts'
import { sampleNotices } from '../../../src/alert/notify/sampleNotices.ts'

/** Each with a name. */
export const HOSTILE_TEXTS: [string, string][] = [
  ['JSON', '"}], "text": "<!channel>", "x": "'],
  ['Liquid and escapes', '\\"\\\\u0022}{{ routing_key }}{% include "/etc/passwd" %}'],
  ['mentions', '<!channel> <!here|here> <@U024BE7LH> <!subteam^S123> <#C123> @here @channel @everyone'],
  ['links', '<https://evil.example.com|click me> [a](https://evil.example.com)'],
  ['entities and marks', '&lt;!channel&gt; &amp;lt;!here&gt; ``` *bold* _it_ ~s~'],
  ['very long', '<&>@'.repeat(3_000)],
  ['halves of characters', '\ud800 lone \udfff halves \u{1f4a5}'.repeat(400)],
  ['names of prototypes', '__proto__ constructor toString'],
  ['nothing', '']
]

/** Every text of a notice replaced. */
export function hostileNotices(text: string): Notice[] {
  return sampleNotices().map(([, notice]) => replaced(notice, text))
}

/** What decides what a message is, and times, which are made by us. */
const OURS = new Set(['kind', 'severity', 'since', 'until', 'at', 'time'])

function replaced<T>(value: T, text: string): T {
  if (Array.isArray(value)) return value.map(item => replaced(item, text)) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      typeof inner === 'string' ? (OURS.has(key) ? inner : text) : replaced(inner, text)
    ])
  ) as T
}
