/** A disk that is really full: a tmpfs of two megabytes. Mounting one needs root. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { openEmbeddedWriter } from '../../src/store/embedded/open.ts'
import { openEmbeddedReader } from '../../src/store/embedded/reader.ts'
import { sealSegments } from '../../src/store/embedded/seal.ts'
import { verifyStore } from '../../src/store/embedded/verify.ts'
import { all, batch, EVERYTHING, failure, MINUTE_MS, NOON, totals } from '../store/failures.ts'

const folder = mkdtempSync(join(tmpdir(), 'why5xx-full-'))
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder], { encoding: 'utf8' })
if (mounted.status !== 0) {
  const missing = `no tmpfs can be mounted (${mounted.stderr?.trim() || mounted.error?.message}): this needs root`
  console.warn(`SKIPPED, nothing of it was tested: ${missing}`)
}

afterAll(() => {
  if (mounted.status === 0) spawnSync('umount', [folder])
  rmdirSync(folder)
})

describe.runIf(mounted.status === 0)('a full disk', () => {
  test('pauses the writing; when there is room all is there, once', async () => {
    const path = join(folder, 'store')
    const ballast = join(folder, 'ballast')
    const said: string[] = []
    const writer = await openEmbeddedWriter(path, {
      retention: null,
      // A sealing has no room either; it leaves the segments.
      segmentBytesMax: 200_000,
      seal: (segments, fromDay) => sealSegments({ folder: path, segments, fromDay }),
      notify: text => said.push(text)
    })
    const given = (i: number) =>
      batch({
        failures: Array.from({ length: 20 }, (_, j) => failure({ id: `${i}-${j}`, message: 'x'.repeat(500) })),
        totals: [totals({ minuteMs: NOON, requests: 1 })]
      })
    await writer.write(given(0))
    const { bavail, bsize } = statfsSync(folder)
    writeFileSync(ballast, Buffer.alloc(bavail * bsize - 64 * 1024))
    const writes = Array.from({ length: 60 }, (_, i) => writer.write(given(i + 1)))
    await vi.waitFor(() => expect(writer.pausedBecause).toMatch(/^no space left on .*: waiting$/), 10_000)
    const reader = await openEmbeddedReader(path)
    expect((await all(reader.scan(EVERYTHING))).length % 20).toBe(0)
    await reader.close()
    rmSync(ballast)
    const results = await Promise.all(writes)
    expect(results).toEqual(results.map(() => ({ written: 20, known: 0 })))
    expect(writer.pausedBecause).toBeNull()
    await writer.close()
    expect(said.filter(text => /waiting|writing again/.test(text)).length).toBeGreaterThanOrEqual(2)
    const after = await openEmbeddedReader(path)
    expect(await all(after.scan(EVERYTHING))).toHaveLength(61 * 20)
    expect((await after.totals(EVERYTHING, MINUTE_MS))[0]!.requests).toBe(61)
    await after.close()
    expect((await verifyStore(path)).problems).toEqual([])
  })
})
