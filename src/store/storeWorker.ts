/** The thread that builds documents and writes them: reading goes on meanwhile on another core. */

import { parentPort, workerData } from 'node:worker_threads'
import { Why5xxError } from '../errors.ts'
import { Masker } from '../mask.ts'
import { openEmbeddedWriter } from './embedded/open.ts'
import { DocumentSink } from './sink.ts'
import type { Answer, Failed, Request } from './workerMessages.ts'
import type { StoreSettings } from './workerStore.ts'

const LOOK_MS = 500

const settings = workerData as StoreSettings
const say = (answer: Answer): void => parentPort!.postMessage(answer)

try {
  const { path, embedded, documents, maskOptions } = settings
  const store = await openEmbeddedWriter(path, { ...embedded, notify: text => say({ kind: 'notify', text }) })
  const sink = new DocumentSink(store, { ...documents, masker: new Masker(maskOptions), nowMs: Date.now })
  let because: string | null = null
  const look = setInterval(() => {
    if (sink.pausedBecause === because) return
    because = sink.pausedBecause
    say({ kind: 'paused', because })
  }, LOOK_MS)
  parentPort!.on('message', (request: Request) => {
    const { id } = request
    void (async () => {
      try {
        if (request.kind === 'write') say({ kind: 'done', id, result: await sink.write(request.batch) })
        else if (request.kind === 'claim') say({ kind: 'done', id, result: await sink.claim(request.streams) })
        else if (request.kind === 'countedMinutes')
          say({ kind: 'done', id, result: await sink.countedMinutes(request.containers, request.stream) })
        else {
          clearInterval(look)
          await sink.close()
          say({ kind: 'done', id, result: null })
          parentPort!.close()
        }
      } catch (error) {
        say({ kind: 'failed', id, error: failed(error) })
      }
    })()
  })
  say({ kind: 'open', streams: store.streams, engine: store.engine })
} catch (error) {
  say({ kind: 'failed', id: null, error: failed(error) })
}

function failed(error: unknown): Failed {
  const code = error instanceof Why5xxError ? error.code : null
  return { code, message: error instanceof Error ? error.message : String(error) }
}
