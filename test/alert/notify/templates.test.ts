/** The templates that come with the program, against what Slack and PagerDuty document that they take. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Notice } from '../../../src/alert/notice.ts'
import { sampleNotices, testNotice } from '../../../src/alert/notify/sampleNotices.ts'
import type { Template } from '../../../src/alert/notify/template.ts'
import { compileShipped, isShipped, shippedTemplate } from '../../../src/alert/notify/templates.ts'
import { HOSTILE_TEXTS, hostileNotices } from './hostileNotice.ts'

const NAMES = ['generic', 'slack', 'pagerduty'] as const
const FULL = sampleNotices()[0]![1]
const KEY = 'R'.repeat(32)

/** What they take of a block: `text` counted in characters as JavaScript does. */
interface Block {
  type: string
  text?: { type: string; text: string }
  fields?: { text: string }[]
  elements?: { text: string }[]
}

function jsonOf(template: Template, notice: Notice): unknown {
  const rendered = template.render(notice, KEY)
  if ('problem' in rendered) throw new Error(rendered.problem)
  return JSON.parse(rendered.json)
}

test.each(NAMES)('deploy/alerts/%s.liquid is the template that is built in', name => {
  expect(readFileSync(join(import.meta.dirname, `../../../deploy/alerts/${name}.liquid`), 'utf8')).toBe(
    shippedTemplate(name)
  )
})

test('nothing else is a template of ours', () => {
  expect(['slack', 'constructor', 'slack.liquid'].map(isShipped)).toEqual([true, false, false])
})

test('generic is the notice itself', () => {
  const template = compileShipped('generic')
  for (const [, notice] of sampleNotices()) expect(jsonOf(template, notice)).toEqual(notice)
})

describe('slack', () => {
  const template = compileShipped('slack')
  const messageOf = (notice: Notice) => {
    const { attachments } = jsonOf(template, notice) as {
      attachments: { color: string; fallback: string; blocks: Block[] }[]
    }
    expect(attachments).toHaveLength(1)
    return attachments[0]!
  }
  const textsOf = (blocks: Block[]): string[] =>
    blocks.flatMap(({ text, fields = [], elements = [] }) =>
      [...(text ? [text] : []), ...fields, ...elements].map(part => part.text)
    )

  test('says what, how bad, why, what changed, an example, and where to read on', () => {
    const { color, fallback, blocks } = messageOf(FULL)
    expect(color).toBe('#d72b3f')
    expect(fallback).toBe(`Failing: ${FULL.title}`)
    expect(blocks[0]!.text!.text).toBe('Failing: shop/cart, connection refused')
    expect(blocks[2]!.fields!.map(({ text }) => text)).toEqual([
      `*Numbers*\n${FULL.numbers}`,
      '*Since*\n2026-11-21T10:02:00.000Z',
      '*Cause*\nconnection_refused, status 502',
      '*Cluster*\nprod'
    ])
    expect(blocks.slice(3, -1).map(({ text }) => text!.text)).toEqual([
      `*Why*\n${FULL.why}\n${FULL.rootCause!.advice}`,
      `*Also, by service shop/cart*\n${FULL.grouped!.members[0]!.title}`,
      '*Changed before*\n2026-11-21T09:59:00.000Z Deployment shop/cart rolled out revision 12',
      '*Example*\nGET shop.example.com/cart 502, 2026-11-21T09:59:00.000Z'
    ])
    expect(blocks.at(-1)!.elements!.map(({ text }) => text)).toEqual([
      '<https://why5xx.example.com/incidents/inc-20261121-1002-hTz0Zy4a?a=1&amp;b=2|Incident>',
      '<https://runbooks.example.com/connection_refused|Runbook>',
      FULL.key
    ])
  })

  test('colour and first word tell a page, a ticket, an end and a test apart', () => {
    const looks = [
      FULL,
      { ...FULL, severity: 'ticket' as const },
      { ...FULL, kind: 'update' as const },
      { ...FULL, kind: 'resolved' as const, until: '2026-11-21T10:22:00.000Z' },
      testNotice('test', 'test-1', 0, 'prod')
    ].map(notice => messageOf(notice))
    expect(looks.map(({ color, fallback }) => [color, fallback.split(':')[0]])).toEqual([
      ['#d72b3f', 'Failing'],
      ['#e8a33d', 'Failing'],
      ['#d72b3f', 'Still failing'],
      ['#2eb67d', 'Resolved'],
      ['#4a7bd0', 'Test']
    ])
    expect(textsOf(looks[3]!.blocks)).toContain('*Since*\n2026-11-21T10:02:00.000Z to 2026-11-21T10:22:00.000Z')
  })

  test('where a link is a command it is shown as one', () => {
    const { blocks } = messageOf({ ...FULL, link: 'why5xx incidents `x`' })
    expect(blocks.at(-1)!.elements![0]!.text).toBe("`why5xx incidents 'x'`")
  })

  test.each(HOSTILE_TEXTS)('takes no orders from %s and stays within its limits', (_name, text) => {
    for (const notice of hostileNotices(text)) {
      const { fallback, blocks } = messageOf(notice)
      expect(blocks.length).toBeLessThanOrEqual(50)
      expect(blocks[0]!.text!.text.length).toBeLessThanOrEqual(150)
      for (const { text: part, fields = [], elements = [] } of blocks) {
        if (part) expect(part.text.length).toBeLessThanOrEqual(3_000)
        expect(fields.length).toBeLessThanOrEqual(10)
        for (const field of fields) expect(field.text.length).toBeLessThanOrEqual(2_000)
        for (const element of elements) expect(element.text.length).toBeLessThanOrEqual(2_000)
      }
      for (const part of [fallback, ...textsOf(blocks)]) {
        expect(part).not.toMatch(/<[!@#]|@(?:here|channel|everyone)/)
        expect(part).not.toMatch(/<https?:\/\/[^>]*evil[^>]*\|click me>/)
        expect(part).not.toMatch(/\p{Cs}/u)
      }
    }
  })
})

describe('pagerduty', () => {
  const template = compileShipped('pagerduty')
  const eventOf = (notice: Notice) =>
    jsonOf(template, notice) as {
      routing_key: string
      event_action: string
      dedup_key: string
      client_url?: string
      payload: Record<string, string> & { custom_details: Record<string, unknown> }
      links: { href: string; text: string }[]
    }

  test('an alert is triggered, told again and resolved under the id of its incident', () => {
    const kinds = ['open', 'update', 'resolved', 'test'] as const
    expect(kinds.map(kind => eventOf({ ...FULL, kind })).map(event => [event.event_action, event.dedup_key])).toEqual([
      ['trigger', FULL.key],
      ['trigger', FULL.key],
      ['resolve', FULL.key],
      ['trigger', FULL.key]
    ])
    expect(eventOf(FULL)).toMatchObject({
      routing_key: KEY,
      client_url: FULL.link,
      payload: {
        summary: FULL.title,
        source: 'shop/cart',
        severity: 'critical',
        timestamp: FULL.since,
        component: 'shop-cart-80',
        group: 'shop',
        class: 'connection_refused',
        custom_details: {
          why: FULL.why,
          evidence: ['app was OOMKilled at 10:01:58'],
          changes: ['2026-11-21T09:59:00.000Z Deployment shop/cart rolled out revision 12'],
          grouped: [FULL.grouped!.members[0]!.title],
          failures: 41,
          until: null
        }
      },
      links: [
        { href: FULL.link, text: 'Incident' },
        { href: FULL.runbook, text: 'Runbook' }
      ]
    })
  })

  test('a ticket is a warning; commands are no links; the cluster stands in for an unknown namespace', () => {
    const event = eventOf({ ...sampleNotices()[1]![1], severity: 'ticket' })
    expect(event).toMatchObject({ payload: { severity: 'warning', group: 'prod' }, links: [] })
    expect(event).not.toHaveProperty('client_url')
  })

  test.each(HOSTILE_TEXTS)('%s: text and nothing else, within the limits', (_name, text) => {
    for (const notice of hostileNotices(text)) {
      const event = eventOf(notice)
      expect(Object.keys(event).filter(key => key !== 'client_url')).toEqual([
        'routing_key',
        'event_action',
        'dedup_key',
        'client',
        'payload',
        'links'
      ])
      expect(event.routing_key).toBe(KEY)
      expect(event.dedup_key.length).toBeLessThanOrEqual(255)
      expect(event.payload.summary!.length).toBeLessThanOrEqual(1_024)
      expect(['critical', 'warning']).toContain(event.payload.severity)
      expect(JSON.stringify(event).length).toBeLessThan(512 * 1024)
    }
  })
})
