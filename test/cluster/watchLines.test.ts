import fc from 'fast-check'
import { expect, test } from 'vitest'
import '../support/seed.ts'
import { Agent } from 'node:http'
import { type WatchLine, watchLines } from '../../src/cluster/watchLines.ts'

const connection = {
  server: new URL('http://127.0.0.1:1'),
  context: 'test',
  namespace: 'default',
  credentials: async () => ({ headers: {}, agent: new Agent() })
}

async function read(chunks: Buffer[]): Promise<WatchLine[]> {
  const lines: WatchLine[] = []
  async function* body() {
    yield* chunks
  }
  for await (const some of watchLines(body(), connection)) lines.push(...some)
  return lines
}

const event = fc.record({
  type: fc.constantFrom('ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR'),
  object: fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue())
})

test('however the network cuts it, the same events', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event), fc.array(fc.nat(200)), fc.boolean(), async (events, cuts, isCut) => {
      const whole = Buffer.from(events.map(one => `${JSON.stringify(one)}\n`).join('') + (isCut ? '{"type":"ADD' : ''))
      const chunks: Buffer[] = []
      let at = 0
      for (const length of [...cuts, whole.length]) {
        chunks.push(whole.subarray(at, at + length))
        at = Math.min(whole.length, at + length)
      }
      expect(JSON.stringify(await read(chunks))).toBe(JSON.stringify(events))
    })
  )
})

test.each(['<html>', '[]', '7', 'null', '{"type":"ADDED"}', '{"type":"__proto__","object":{}}', '{"object":{}}'])(
  '%s is no event',
  async line => {
    await expect(read([Buffer.from(`${line}\n`)])).rejects.toMatchObject({ code: 'WHY5XX_KUBERNETES', status: 200 })
  }
)

test('a line without an end is given up before it fills the memory', async () => {
  const chunk = Buffer.alloc(1024 * 1024, 'x')
  await expect(read(Array(34).fill(chunk))).rejects.toThrow(/more than 33554432 bytes/)
})
