/** What templates of people's own can do, and what is found at start. */
import { describe, expect, test } from 'vitest'
import { sampleNotices } from '../../../src/alert/notify/sampleNotices.ts'
import { compileTemplate } from '../../../src/alert/notify/template.ts'
import { HOSTILE_TEXTS, hostileNotices } from './hostileNotice.ts'

const FULL = sampleNotices()[0]![1]

function rendered(source: string, notice = FULL): unknown {
  const result = compileTemplate(source, 'mine.liquid').render(notice, null)
  if ('problem' in result) throw new Error(result.problem)
  return JSON.parse(result.json)
}

test.each([
  ['a text with its quotes', '{{ title }}', FULL.title],
  ['a number', '{{ failures }}', 41],
  ['nothing', '{{ until }}', null],
  ['a whole object', '{{ rootCause.evidence }}', FULL.rootCause!.evidence],
  ['the whole notice', '{"incident": {{ notice }}}', { incident: FULL }],
  ['text put together', '{% capture line %}{{ service }}: {{ failures }}{% endcapture %}{{ line }}', 'shop/cart: 41'],
  [
    'text in a loop in a capture in a capture',
    '{% capture outer %}a{% capture inner %}{% for c in changes %}{{ c.kind }}{% endfor %}{% endcapture %}{{ inner }}"{% endcapture %}[{{ outer }}, {{ cause }}]',
    ['arollout"', 'connection_refused']
  ],
  ['nothing of what is not known', '{{ rootCause.ref }}', FULL.rootCause!.ref],
  ['what echo and cycle print', '[{% echo service %}, {% cycle service, cause %}]', ['shop/cart', 'shop/cart']]
])('prints %s', (_name, source, want) => {
  expect(rendered(source)).toEqual(want)
})

describe.each([
  [
    'a filter that there is not',
    '{\n"a": {{ title | shout }}}',
    /template mine\.liquid: undefined filter: shout \(line 2, column \d+\)/
  ],
  [
    'a field that there is not',
    '\n\n{{ titel }}',
    /undefined variable: titel \(line 3, column \d+\) \(tried with a notice of kind open/
  ],
  ['a tag that is not closed', '{% if title %}1', /not closed/],
  ['raw', '{{ title | raw }}', /undefined filter: raw; .*capture/],
  ['a file of ours', '{% include "/etc/passwd" %}1', /tag "include" not found/],
  ['another template', '{% render "x" %}1', /tag "render" not found/],
  ['a value between quotes', '{\n  "text": "{{ title }}"\n}', /no JSON from line 2 on: "text"/],
  ['a comma too many', '{"a": 1,\n"b": 2,\n}', /no JSON from line 3 on: \}/],
  ['an end too early', '{"a": 1,', /it ends too early, in line 1/],
  ['nothing', ' ', /it ends too early/],
  ['a loop without end', '{% for i in (1..1000000000) %}{% endfor %}1', /limit exceeded/],
  [
    'a text that grows',
    '{% assign a = "aaaaaaaaaa" %}{% for i in (1..60) %}{% assign a = a | append: a %}{% endfor %}1',
    /limit exceeded/
  ],
  ['too long a template', ' '.repeat(200_000), /limit exceeded/]
])('%s', (_name, source, sentence) => {
  test('is an error of the configuration, with its line', () => {
    expect(() => compileTemplate(source, 'mine.liquid')).toThrow(
      expect.objectContaining({ code: 'WHY5XX_CONFIG', message: expect.stringMatching(sentence) as string }) as Error
    )
  })
})

test('a routing key is there only for whoever has one', () => {
  expect(() => compileTemplate('{{ routing_key }}', 'mine.liquid')).toThrow(/undefined variable: routing_key/)
  expect(compileTemplate('{{ routing_key }}', 'mine.liquid', true).render(FULL, 'abc')).toEqual({ json: '"abc"' })
})

test.each(HOSTILE_TEXTS)('no text adds to the JSON: %s', (_name, text) => {
  const template = compileTemplate('{"a": {{ title }}, "b": [{{ why }}], "c": {{ changes }}}', 'mine.liquid')
  for (const notice of hostileNotices(text)) {
    const result = template.render(notice, null)
    if ('problem' in result) throw new Error(result.problem)
    const parsed = JSON.parse(result.json) as { a: string; b: unknown[] }
    expect(Object.keys(parsed)).toEqual(['a', 'b', 'c'])
    expect(parsed.b).toHaveLength(1)
    expect(parsed.a).toBe(notice.title.replace(/\p{Cs}/gu, '\ufffd'))
  }
})

test('a template that works on samples and not on something real says so, and does not throw', () => {
  const template = compileTemplate('{% if title contains "\u0001" %}[{% else %}1{% endif %}', 'mine.liquid')
  expect(template.render({ ...FULL, title: '\u0001' }, null)).toEqual({
    problem: expect.stringContaining('no JSON') as string
  })
})
