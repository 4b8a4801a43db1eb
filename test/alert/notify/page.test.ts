/** The page on alerts says what is so: its configuration loads, its template renders, its check accepts, no field is missing. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sampleNotices } from '../../../src/alert/notify/sampleNotices.ts'
import { compileTemplate } from '../../../src/alert/notify/template.ts'
import { signatureOf } from '../../../src/alert/notify/webhook.ts'
import { loadConfig } from '../../../src/config.ts'
import { Folder } from '../../support/program.ts'

const PAGE = readFileSync(join(import.meta.dirname, '../../../deploy/alerts/README.md'), 'utf8')
const FULL = sampleNotices()[0]![1]

function block(language: string): string {
  return new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'm').exec(PAGE)![1]!
}

test('the configuration', () => {
  const folder = new Folder()
  try {
    const { config } = loadConfig({ file: folder.write('why5xx.yaml', block('yaml')), environment: {}, set: [] })
    expect(config.alerts.webhooks.map(({ template }) => template)).toEqual([
      'slack',
      'pagerduty',
      'generic',
      '/etc/why5xx/chat.liquid'
    ])
  } finally {
    folder.remove()
  }
})

test('the template', () => {
  const rendered = compileTemplate(block('liquid'), 'page').render(FULL, null) as { json: string }
  expect(JSON.parse(rendered.json)).toEqual({
    text: 'shop/cart: 41 failures since 2026-11-21T10:02:00.000Z',
    resolved: false
  })
})

test('the check of the signature', async () => {
  const source = block('javascript').replace('function isFrom', 'export function isFrom')
  const { isFromWhy5xx } = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as {
    isFromWhy5xx: (secret: string, header: string, body: string) => boolean
  }
  const seconds = Math.floor(Date.now() / 1_000)
  const header = signatureOf('{"a":1}', 'correct-horse', seconds)
  expect(isFromWhy5xx('correct-horse', header, '{"a":1}')).toBe(true)
  expect(isFromWhy5xx('correct-horse', header, '{"a":2}')).toBe(false)
  expect(isFromWhy5xx('other', header, '{"a":1}')).toBe(false)
  expect(isFromWhy5xx('correct-horse', signatureOf('{}', 'correct-horse', seconds - 301), '{}')).toBe(false)
})

test('every field', () => {
  const [, fields] = /## Fields([\s\S]*?)\n## /.exec(PAGE)!
  for (const key of Object.keys(FULL)) expect(fields, key).toMatch(new RegExp(`\`${key}(?:\\[\\])?\``))
})
