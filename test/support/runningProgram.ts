/** The built program while it runs: what it says, where it listens, how it ends. */
import type { ChildProcess } from 'node:child_process'
import { vi } from 'vitest'
import { readExposition } from './exposition.ts'
import { start } from './program.ts'

/** Longer than anything takes on a slow machine that does something else as well. */
const DEADLINE_MS = 30_000
const LOOK_MS = 5

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

export class RunningProgram {
  readonly child: ChildProcess
  /** Resolves when it has ended and all it said is here. */
  readonly exit: Promise<Exit>
  stdout = ''
  stderr = ''
  #ended: Exit | null = null

  /** `why5xx ARGUMENTS…`; its stdin stays open until `child.stdin.end`. */
  constructor(args: string[], env: Record<string, string> = {}) {
    this.child = start(args, { env })
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    // It may end before it has read all of it.
    this.child.stdin!.on('error', () => {})
    this.exit = new Promise((resolve, reject) => {
      this.child.on('error', reject)
      this.child.on('close', (code, signal) => resolve((this.#ended = { code, signal })))
    })
  }

  /** Waits until stderr holds it. Throws when the program ends first. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    return this.until(() => pattern.exec(this.stderr) ?? undefined)
  }

  /** Waits until `look` gives something; throws when the program ends first, or after a deadline. */
  async until<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
    const seen = await vi.waitFor(
      async () => {
        const found = await look()
        if (found !== undefined) return { found }
        if (this.#ended !== null) return null
        throw new Error(`still waiting; it said:\n${this.stderr}`)
      },
      { timeout: DEADLINE_MS, interval: LOOK_MS }
    )
    if (seen === null) throw new Error(`it ended (${JSON.stringify(this.#ended)}), and had said:\n${this.stderr}`)
    return seen.found
  }

  /** `http://127.0.0.1:PORT`, once it listens. */
  async address(): Promise<string> {
    return (await this.said(/"address":"([^"]+)"/))[1]!
  }

  /** What it answers to `/healthz`, `/readyz`, `/metrics`. */
  async ask(path: string): Promise<{ status: number; text: string }> {
    const answer = await fetch(`${await this.address()}${path}`)
    return { status: answer.status, text: await answer.text() }
  }

  /** The value of a metric, or the sum of its series; NaN: there is none. */
  async metric(name: string, labels: Record<string, string> = {}): Promise<number> {
    const { samples } = readExposition((await this.ask('/metrics')).text)
    const wanted = samples.filter(
      sample => sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value)
    )
    return wanted.length === 0 ? Number.NaN : wanted.reduce((sum, { value }) => sum + value, 0)
  }

  async kill(signal: NodeJS.Signals): Promise<Exit> {
    this.child.kill(signal)
    return this.exit
  }
}
