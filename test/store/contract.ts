/** What every store must do, whatever is behind it. */
import { afterEach, beforeEach, describe } from 'vitest'
import type { Incident } from '../../src/alert/incident.ts'
import type { IncidentWriter, StoreReader, StoreWriter } from '../../src/store/store.ts'
import { testFailures } from './contractFailures.ts'
import { testIncidents } from './contractIncidents.ts'
import { testSettled } from './contractSettled.ts'
import { testState } from './contractState.ts'
import { testRandomTables, testTableKinds } from './contractTableKinds.ts'
import { testTables } from './contractTables.ts'

export interface StoreUnderTest {
  /** Opens the same store each time it is called; at most one writer at a time. */
  openWriter(): Promise<StoreWriter>
  openReader(): Promise<StoreReader>
  openIncidents(): Promise<IncidentWriter>
  /**
   * Called between what a test writes in two steps, with the writer closed: an embedded store moves what is there to
   * another form. The test goes on with a new writer.
   */
  settle(): Promise<void>
  remove(): Promise<void>
}

/** What the tests of a store do with it. */
export interface Contract {
  /** Steps, each with a writer of its own; between them the store settles. */
  write: (...steps: ((writer: StoreWriter) => Promise<unknown>)[]) => Promise<void>
  /** Steps, each with a writer of its own. */
  putIncidents: (...steps: Incident[][]) => Promise<void>
  openWriter: () => Promise<StoreWriter>
  /** Closed when the test is over. */
  open: () => Promise<StoreReader>
}

interface StoreTraits {
  /** Tests that write fewer steps are skipped: what settles in between is then as in another store. */
  stepsMin?: number
  /** Its tables are made as those of another store of the suite, of which they are all tried: here those at random alone. */
  hasOwnTables?: boolean
}

export function testStore(
  name: string,
  make: () => Promise<StoreUnderTest>,
  { stepsMin = 0, hasOwnTables = true }: StoreTraits = {}
): void {
  describe(name, () => {
    let store: StoreUnderTest
    let skip: (why: string) => void
    let readers: StoreReader[] = []

    beforeEach(async context => {
      skip = context.skip
      store = await make()
    })

    afterEach(async () => {
      for (const reader of readers) await reader.close()
      readers = []
      await store.remove()
    })

    const contract: Contract = {
      async write(...steps) {
        if (steps.length < stepsMin) skip(`it writes fewer than ${stepsMin} steps`)
        for (const step of steps) {
          const writer = await store.openWriter()
          try {
            await step(writer)
          } finally {
            await writer.close()
          }
          await store.settle()
        }
      },
      async putIncidents(...steps) {
        for (const incidents of steps) {
          const writer = await store.openIncidents()
          try {
            await writer.put(incidents)
          } finally {
            await writer.close()
          }
        }
      },
      openWriter: () => store.openWriter(),
      async open() {
        const reader = await store.openReader()
        readers.push(reader)
        return reader
      }
    }

    testFailures(contract)
    testSettled(contract)
    testState(contract)
    testIncidents(contract)
    if (hasOwnTables) testTables(contract)
    if (hasOwnTables) testTableKinds(contract)
    testRandomTables(contract)
  })
}
