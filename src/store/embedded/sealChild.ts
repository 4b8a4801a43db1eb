/** Sealing in a child process: DuckDB's memory is not the writer's, and goes when it is done. */

import { spawn } from 'node:child_process'
import { constants, setPriority } from 'node:os'
import { Why5xxError } from '../../errors.ts'
import { Lock } from './lock.ts'
import { type SealJob, sealSegments } from './seal.ts'

const MESSAGE_CHARS_MAX = 2_000

/** Runs `program` (the built main.js) as `store-seal`; the job goes in by stdin, which also tells the child that we live. */
export function sealInChild(program: string, job: SealJob, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new Why5xxError('WHY5XX_STORE', 'sealing was stopped'))
    const child = spawn(process.execPath, [program, 'store-seal'], { stdio: ['pipe', 'ignore', 'pipe'] })
    let message = ''
    const stop = (): void => void child.kill('SIGKILL')
    signal.addEventListener('abort', stop, { once: true })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      message = (message + text).slice(-MESSAGE_CHARS_MAX)
    })
    // It may be dead before it has read the job; `close` tells.
    child.stdin.on('error', () => {})
    child.stdin.write(`${JSON.stringify(job)}\n`)
    child.on('error', reject)
    child.on('close', (code, killedBy) => {
      signal.removeEventListener('abort', stop)
      if (code === 0) resolve()
      else reject(new Why5xxError('WHY5XX_STORE', message.trim() || `the child ended with ${code ?? killedBy}`))
    })
  })
}

/** The child. Ends when the job is done or has failed, and at once when the writer is gone. Throws Why5xxError. */
export async function runSealChild(input: NodeJS.ReadableStream): Promise<number> {
  // It has time: reading and writing go first. DuckDB's threads inherit it.
  setPriority(constants.priority.PRIORITY_LOW)
  try {
    await sealAlone(await readJob(input))
    return 0
  } catch (error) {
    if (error instanceof Why5xxError) throw error
    // DuckDB's messages have several lines; what happened stands in the first. It goes to the writer's log.
    throw new Why5xxError('WHY5XX_STORE', (error as Error).message.split('\n')[0]!, { cause: error })
  } finally {
    // Open it would keep the process alive, and the writer waiting.
    input.removeAllListeners()
    ;(input as NodeJS.ReadStream).destroy()
  }
}

/** A child of a writer that was killed may still be at work: two would overwrite each other's day files. */
async function sealAlone(job: SealJob): Promise<void> {
  const lock = await Lock.take(job.folder, 'sealing')
  try {
    await sealSegments(job)
  } finally {
    await lock.release()
  }
}

function readJob(input: NodeJS.ReadableStream): Promise<SealJob> {
  return new Promise((resolve, reject) => {
    let text = ''
    input.setEncoding('utf8')
    input.on('data', (part: string) => {
      text += part
      if (text.endsWith('\n')) resolve(JSON.parse(text) as SealJob)
    })
    input.on('end', () => {
      if (!text.endsWith('\n')) reject(new Why5xxError('WHY5XX_USAGE', 'store-seal is for why5xx itself'))
      // The writer is gone. What is unfinished has another name; DuckDB cannot be asked to stop.
      else process.kill(process.pid, 'SIGKILL')
    })
  })
}
