/** Sealing in this process, when a test wants it. */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type EmbeddedOptions, openEmbeddedWriter } from '../../../src/store/embedded/open.ts'
import { sealSegments } from '../../../src/store/embedded/seal.ts'
import { segmentsOf } from '../../../src/store/embedded/segment.ts'

export function sealHere(folder: string): NonNullable<EmbeddedOptions['seal']> {
  return (segments, fromDay) => sealSegments({ folder, segments, fromDay })
}

export async function segmentNames(folder: string): Promise<string[]> {
  return segmentsOf((await readdir(folder)).map(name => ({ name }))).map(({ name }) => name)
}

/**
 * Seals every row there is. What stays is one segment with positions alone: a writer for which every segment is too old
 * makes it.
 */
export async function sealAll(folder: string): Promise<void> {
  const before = await segmentNames(folder)
  if (before.length === 0) return
  const writer = await openEmbeddedWriter(folder, {
    retention: null,
    segmentAgeMsMax: 0,
    seal: () => Promise.reject(new Error('later'))
  })
  await writer.write({ failures: [], controllers: [], rejects: [], gaps: [], totals: [], streams: [], engine: null })
  await writer.close()
  const closed = (await segmentNames(folder)).slice(0, -1)
  await sealSegments({ folder, segments: closed, fromDay: '' })
  for (const name of closed) await rm(join(folder, name))
}
