/** What clients do to the controllers of a lab, in an order drawn from a seed: every fault several times, among ordinary visits. */
import type { Fault, Lab } from './fault.ts'
import { quietVisit } from './quietTraffic.ts'

export type Task = () => Promise<unknown>

/** A controller and what can be done to it. Of all controllers of a lab the faults are the same ones. */
export interface LabController {
  lab: Lab
  faults: readonly Fault[]
}

export interface TrafficOptions {
  /** Of ten requests each. */
  visits: number
  /** Requests of a kind that says no number. */
  count: number
  random: () => number
}

/** Requests go to the controllers in turn; those that only make a fault together go to one of them. */
export function tasksOf(controllers: readonly LabController[], { visits, count, random }: TrafficOptions): Task[] {
  const turn = (index: number): LabController => controllers[index % controllers.length]!
  const tasks: Task[] = Array.from({ length: visits }, (_, i) => quietVisit(turn(i).lab, random))
  for (const [index, { kind }] of controllers[0]!.faults.entries()) {
    const one = ({ lab, faults }: LabController) => {
      const fault = faults[index]!
      const { causes, status, errorText, form } = fault
      return named(kind, () => fault.act(lab, lab.requests.next(kind, { causes, status, errorText }, form)))
    }
    const first = turn(index)
    const { arrange, form, count: own = count } = first.faults[index]!
    if (arrange !== undefined) {
      tasks.push(async () => {
        const undo = await named(kind, () => arrange(first.lab))
        for (let done = 0; done < own; done++) await one(first)
        await undo()
      })
    } else if (form === 'equal') tasks.push(() => Promise.all(Array.from({ length: own }, () => one(first))))
    else for (let made = 0; made < own; made++) tasks.push(() => one(turn(index + made)))
  }
  return tasks
}

export function shuffle(tasks: Task[], random: () => number): Task[] {
  for (let last = tasks.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    ;[tasks[last], tasks[other]] = [tasks[other]!, tasks[last]!]
  }
  return tasks
}

/** Says which kind it was that could not be made. */
export async function named<T>(kind: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw new Error(`nginx lab, ${kind}: ${(error as Error).message}`, { cause: error })
  }
}

/** So many at a time; `done` is told how many are over, after each. */
export async function runAll(
  tasks: readonly Task[],
  concurrency: number,
  done?: (count: number) => void
): Promise<void> {
  let next = 0
  let over = 0
  const lane = async () => {
    for (let task = tasks[next++]; task !== undefined; task = tasks[next++]) {
      await task()
      done?.(++over)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, lane))
}

/** A small generator of the same numbers for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
