import { Engine } from '../../src/engine.ts'
import type { JoinOptions } from '../../src/join/joiner.ts'
import type { Failure } from '../../src/model.ts'
import { defaultConfig } from '../../src/optionTable.ts'

export interface EngineRun {
  engine: Engine
  failures: Failure[]
}

/** Log lines through the engine in one piece, as one file. */
export function runEngine(lines: string[], join: Partial<JoinOptions> = {}): EngineRun {
  const failures: Failure[] = []
  const engine = new Engine(
    {
      join: { ...defaultConfig().join, ...join },
      timeZone: 'UTC',
      logFormat: null,
      fromMs: Number.NEGATIVE_INFINITY,
      toMs: Number.POSITIVE_INFINITY,
      isWantedName: null
    },
    { failure: failure => failures.push(failure), alone() {}, controller() {}, stream() {}, reject() {} }
  )
  const source = engine.open({ name: 'test.log', modifiedMs: null })
  source.push(Buffer.from(`${lines.join('\n')}\n`, 'latin1'))
  source.end()
  engine.finish()
  return { engine, failures }
}

/** The failure of the access line with this `$req_id`. */
export function failureOf(failures: Failure[], id: string): Failure | undefined {
  return failures.find(failure => failure.access?.record.requestId === id)
}

/** What a reader sees of a failure: cause, what decided, which lines it cites. */
export function verdictOf(failure: Failure | undefined) {
  if (failure === undefined) return null
  return {
    cause: failure.cause,
    join: failure.join,
    deciding: failure.deciding < 0 ? null : failure.errors[failure.deciding]!.line.number,
    errors: failure.errors.map(error => error.line.number),
    alternatives: failure.alternatives
  }
}
