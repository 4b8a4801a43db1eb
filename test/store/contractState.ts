/** What a store does beside documents: totals, positions, controller lines; with a writer beside; with any text. */
import { expect, test } from 'vitest'
import type { FailureRow } from '../../src/store/store.ts'
import type { Contract } from './contract.ts'
import { pagesOf } from './contractFailures.ts'
import {
  all,
  batch,
  controller,
  DAY_MS,
  EVERYTHING,
  failure,
  MINUTE_MS,
  NOON,
  reject,
  stream,
  totals
} from './failures.ts'

const HOSTILE = [
  `'; DROP TABLE x --`,
  `"quoted" 'twice'`,
  '100 %_$1 \\ \\\\',
  'two\nlines\r\n\t',
  'Grüße 😀 \u202e',
  '\u0000\u0001\u007f',
  '\ud800',
  '$1',
  '*?[a]{b}',
  '<script>'
]

/** Half of a surrogate pair is no text; it becomes the replacement character. */
function wellFormed(text: string): string {
  return text.replace(/\p{Cs}/gu, '\ufffd')
}

export function testState({ write, open, openWriter }: Contract): void {
  test('totals add up, also after reopening', async () => {
    const first = [
      totals({ minuteMs: NOON }),
      totals({ minuteMs: NOON + MINUTE_MS, requests: 7 }),
      totals({ minuteMs: NOON, upstream: '' })
    ]
    const second = [
      totals({ minuteMs: NOON, requests: 11 }),
      totals({ minuteMs: NOON, container: 'other', requests: 5 }),
      totals({ minuteMs: NOON + DAY_MS })
    ]
    await write(
      async writer => {
        await writer.write(batch({ totals: first }))
        await writer.write(batch({ totals: second }))
      },
      writer => writer.write(batch({ totals: first }))
    )
    const reader = await open()
    const sums = (await reader.totals(EVERYTHING, MINUTE_MS)).map(row => [
      (row.timeMs - NOON) / MINUTE_MS,
      row.upstream,
      row.requests
    ])
    expect(sums).toEqual([
      [0, '', 200],
      [0, 'shop-cart-80', 216],
      [1, 'shop-cart-80', 14],
      [1440, 'shop-cart-80', 100]
    ])
    const [whole] = await reader.totals(
      { ...EVERYTHING, fromMs: NOON, toMs: NOON + DAY_MS, services: ['shop/cart'] },
      Number.POSITIVE_INFINITY
    )
    expect(whole).toEqual({
      timeMs: NOON,
      upstream: 'shop-cart-80',
      requests: 230,
      failures: 18,
      masked: 12,
      clientClosed: 6,
      status500: 0,
      status502: 12,
      status503: 6,
      status504: 0,
      durationMsSum: 6 * 1234.5
    })
  })

  test('which minutes other streams have counted is known', async () => {
    await write(
      writer =>
        writer.write(
          batch({ totals: [totals({ minuteMs: NOON, container: 'a' }), totals({ minuteMs: NOON, container: 'b' })] })
        ),
      writer =>
        writer.write(batch({ totals: [totals({ minuteMs: NOON + MINUTE_MS, container: 'a', stream: 'stream-2' })] }))
    )
    const writer = await openWriter()
    try {
      const minutes = [`a\n${NOON}`, `a\n${NOON + MINUTE_MS}`]
      expect(await writer.countedMinutes(['a'], 'stream-3')).toEqual(new Set(minutes))
      expect(await writer.countedMinutes(['a', 'c'], 'stream-1')).toEqual(new Set(minutes.slice(1)))
      expect(await writer.countedMinutes([], 'stream-1')).toEqual(new Set())
    } finally {
      await writer.close()
    }
  })

  test('streams and engine come back as the last durable batch said', async () => {
    await write(
      async writer => {
        expect([writer.streams, writer.engine]).toEqual([[], null])
        await writer.write(
          batch({ streams: [stream('a', 10), stream('b', 5)], engine: { windows: [1, { deep: null }] } })
        )
        await writer.write(batch({ streams: [stream('a', 20)] }))
        expect([...writer.streams].sort((x, y) => (x.stream < y.stream ? -1 : 1))).toEqual([
          stream('a', 20),
          stream('b', 5)
        ])
      },
      async writer => {
        expect([...writer.streams].sort((x, y) => (x.stream < y.stream ? -1 : 1))).toEqual([
          stream('a', 20),
          stream('b', 5)
        ])
        expect(writer.engine).toEqual({ windows: [1, { deep: null }] })
        await writer.write(batch({ streams: [stream('b', 9, true)], engine: { next: 2 } }))
      }
    )
    const writer = await openWriter()
    expect([...writer.streams].sort((x, y) => (x.stream < y.stream ? -1 : 1))).toEqual([
      stream('a', 20),
      stream('b', 9, true)
    ])
    expect(writer.engine).toEqual({ next: 2 })
    await writer.close()
  })

  test('streams that are claimed come with what was written of them before', async () => {
    const engine = { windows: [1, { deep: null }] }
    await write(async writer => {
      expect(await writer.claim(['a'])).toEqual({ streams: [], engines: [] })
      await writer.write(batch({ streams: [stream('a', 10), stream('b', 5)], engine }))
    })
    const writer = await openWriter()
    try {
      const known = await writer.claim(['a', 'c'])
      expect(known).toEqual({ streams: [stream('a', 10)], engines: [engine] })
      // On its way when it is claimed again.
      const writing = writer.write(batch({ streams: [stream('a', 20), stream('c', 1)] }))
      const { streams } = await writer.claim(['c', 'a'])
      expect(streams.sort((x, y) => (x.stream < y.stream ? -1 : 1))).toEqual([stream('a', 20), stream('c', 1)])
      expect((await writing).lost ?? []).toEqual([])
      const result = await writer.write(batch({ streams: [stream('a', 30)] }))
      expect(result.lost ?? []).toEqual([])
    } finally {
      await writer.close()
    }
  })

  test('a reader sees what is durable while more is written', async () => {
    const writer = await openWriter()
    try {
      await writer.write(batch({ failures: [failure({ id: '0' })], totals: [totals({ minuteMs: NOON, requests: 1 })] }))
      const reader = await open()
      let isDone = false
      const writing = (async () => {
        for (let i = 1; i < 60; i++)
          await writer.write(
            batch({ failures: [failure({ id: String(i) })], totals: [totals({ minuteMs: NOON, requests: 1 })] })
          )
        isDone = true
      })()
      let before = 0
      while (!isDone) {
        const ids = (await all(reader.scan(EVERYTHING))).map(({ id }) => id)
        expect(new Set(ids).size).toBe(ids.length)
        expect(ids.length).toBeGreaterThanOrEqual(before)
        before = ids.length
        const [sum] = await reader.totals(EVERYTHING, MINUTE_MS)
        expect(sum!.requests).toBeGreaterThanOrEqual(ids.length - 1)
      }
      await writing
      expect(await all(reader.scan(EVERYTHING))).toHaveLength(60)
      expect((await reader.totals(EVERYTHING, MINUTE_MS))[0]!.requests).toBe(60)
    } finally {
      await writer.close()
    }
  })

  test('controller lines, gaps and rejects come in order and by time', async () => {
    const gap = (name: string, atMs: number, bytes: number | null) => ({
      name,
      atMs,
      bytes,
      reason: 'rotated_away' as const,
      text: `${name} is gone`
    })
    await write(
      writer =>
        writer.write(
          batch({
            controllers: [controller('b', NOON + 5), controller('a', NOON + 5, 'leader', 'I am the new leader')],
            gaps: [gap('/var/log/x', NOON + 9, 100)],
            rejects: [reject('r1', NOON, 'bad_time'), reject('r2', NOON + DAY_MS, 'bad_time')]
          })
        ),
      writer =>
        writer.write(
          batch({
            controllers: [controller('c', NOON)],
            gaps: [gap('/var/log/y', NOON + 3, null)],
            rejects: [reject('r1', NOON, 'bad_time'), reject('r3', NOON, 'no_quote')]
          })
        )
    )
    const reader = await open()
    expect((await all(reader.controllers(EVERYTHING))).map(({ id }) => id)).toEqual(['c', 'a', 'b'])
    expect(
      await all(reader.controllers({ ...EVERYTHING, fromMs: NOON + 5, toMs: NOON + 6, services: ['other'] }))
    ).toEqual([
      {
        id: 'a',
        timeMs: NOON + 5,
        kind: 'leader',
        service: null,
        pod: 'ingress-1',
        level: 'info',
        cause: null,
        message: 'I am the new leader'
      },
      {
        id: 'b',
        timeMs: NOON + 5,
        kind: 'reload',
        service: null,
        pod: 'ingress-1',
        level: 'info',
        cause: null,
        message: 'Backend successfully reloaded'
      }
    ])
    expect(await reader.gaps(EVERYTHING)).toEqual([gap('/var/log/y', NOON + 3, null), gap('/var/log/x', NOON + 9, 100)])
    expect(await reader.gaps({ ...EVERYTHING, fromMs: NOON + 4 })).toEqual([gap('/var/log/x', NOON + 9, 100)])
    expect(await reader.rejects(EVERYTHING)).toEqual(
      new Map([
        ['bad_time', 2],
        ['no_quote', 1]
      ])
    )
    expect(await reader.rejects({ ...EVERYTHING, toMs: NOON + 1 })).toEqual(
      new Map([
        ['bad_time', 1],
        ['no_quote', 1]
      ])
    )
  })

  test('the span is that of documents and totals', async () => {
    await write(
      writer => writer.write(batch({ failures: [failure({ id: 'a', timeMs: NOON + 17 })] })),
      writer => writer.write(batch({ totals: [totals({ minuteMs: NOON + 2 * DAY_MS })] })),
      writer => writer.write(batch({ controllers: [controller('c', NOON - DAY_MS)] }))
    )
    expect(await (await open()).span()).toEqual({ fromMs: NOON - DAY_MS, toMs: NOON + 2 * DAY_MS })
  })

  test('text is data in every field', async () => {
    const given = HOSTILE.map((text, i) =>
      failure({
        id: `${i}${text}`,
        upstream: text,
        service: text,
        pod: text,
        address: text,
        path: text,
        message: text,
        timeMs: NOON + i
      })
    )
    await write(writer =>
      writer.write(
        batch({
          failures: given,
          controllers: HOSTILE.map((text, i) => controller(`c${text}`, NOON + i, text, text)),
          rejects: HOSTILE.map(text => reject(`r${text}`, NOON, text)),
          gaps: HOSTILE.map((text, i) => ({
            name: text,
            atMs: NOON + i,
            bytes: i,
            reason: 'truncated' as const,
            text
          })),
          totals: HOSTILE.map(text => totals({ minuteMs: NOON, upstream: text, container: text })),
          streams: HOSTILE.map(text => stream(text, 1))
        })
      )
    )
    const reader = await open()
    const clean = HOSTILE.map(wellFormed)
    const rows: FailureRow[] = (await all(reader.scan(EVERYTHING))).sort((a, b) => a.timeMs - b.timeMs)
    expect(rows.map(({ upstream, service, pod, address, path }) => [upstream, service, pod, address, path])).toEqual(
      clean.map(text => [text, text, text, text, text])
    )
    for (const [i, text] of clean.entries()) {
      if (text !== HOSTILE[i]) continue
      expect((await all(reader.scan({ ...EVERYTHING, services: [text] }))).map(({ id }) => id)).toEqual([`${i}${text}`])
      expect(
        (await all(reader.scan({ ...EVERYTHING, pods: [text], causes: ['connection_refused'] }))).map(({ id }) => id)
      ).toEqual([`${i}${text}`])
      expect(await reader.documents([`${i}${text}`], EVERYTHING)).toEqual([given[i]!.document])
      expect(await reader.totals({ ...EVERYTHING, services: [text] }, MINUTE_MS)).toHaveLength(1)
    }
    expect((await all(reader.controllers(EVERYTHING))).map(({ message }) => message)).toEqual(clean)
    expect((await reader.gaps(EVERYTHING)).map(({ name }) => name)).toEqual(clean)
    expect(new Set((await reader.rejects(EVERYTHING)).keys())).toEqual(new Set(clean))
    expect(await pagesOf(reader, { limit: 3, order: 'newest' })).toHaveLength(HOSTILE.length)
    const writer = await openWriter()
    expect(new Set(writer.streams.map(({ stream: name }) => wellFormed(name)))).toEqual(new Set(clean))
    expect((await writer.countedMinutes(clean, '')).size).toBe(HOSTILE.length)
    await writer.close()
  })
}
