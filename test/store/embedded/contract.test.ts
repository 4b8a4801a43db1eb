import { existsSync, rmSync } from 'node:fs'
import { mkdtemp, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedWriter } from '../../../src/store/embedded/open.ts'
import { openEmbeddedIncidents } from '../../../src/store/embedded/openIncidents.ts'
import { openEmbeddedReader } from '../../../src/store/embedded/reader.ts'
import { type StoreUnderTest, testStore } from '../contract.ts'
import { sealAll, sealHere } from './sealing.ts'

/** `sealedSteps`: how many of the steps a test writes are sealed before it reads. */
function store(sealedSteps: number): () => Promise<StoreUnderTest> {
  return async () => {
    // A name that means something to SQL, to patterns and to shells.
    const parent = await mkdtemp(join(tmpdir(), 'why5xx-test-'))
    const path = join(parent, `it's [a] "store" *?`)
    let steps = 0
    return {
      openWriter: () => openEmbeddedWriter(path, { retention: null, seal: sealHere(path) }),
      openReader: () => openEmbeddedReader(path),
      openIncidents: () => openEmbeddedIncidents(path, { retention: null, notify: () => {} }),
      async settle() {
        if (steps++ < sealedSteps) await sealAll(path)
      },
      async remove() {
        // One writer at a time, and none is left. A test that is skipped has made nothing.
        const left = existsSync(path) ? await readdir(path) : []
        rmSync(parent, { recursive: true })
        if (left.includes('lock')) throw new Error('a writer was not closed')
      }
    }
  }
}

testStore('embedded, in segments', store(0), { hasOwnTables: false })
testStore('embedded, partly sealed', store(1), { stepsMin: 2 })
testStore('embedded, sealed', store(Number.POSITIVE_INFINITY), { hasOwnTables: false })
