/**
 * Named one-time events between a client and a server of the same test: "the backend has read request X", "let X go on".
 * Instead of sleeping for long enough, each side waits for what the other has done.
 */
export class Latch {
  readonly #entries = new Map<string, { promise: Promise<void>; open: () => void }>()

  #entry(name: string) {
    let entry = this.#entries.get(name)
    if (entry === undefined) {
      let open = () => {}
      const promise = new Promise<void>(resolve => {
        open = resolve
      })
      entry = { promise, open }
      this.#entries.set(name, entry)
    }
    return entry
  }

  open(name: string): void {
    this.#entry(name).open()
  }

  /** Bounded, so that a fault that did not happen fails its test by name instead of hanging it. */
  wait(name: string, timeoutMs = 15_000): Promise<void> {
    return within(this.#entry(name).promise, timeoutMs, `"${name}" did not happen`)
  }
}

export async function within<T>(promise: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} within ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Polls until `condition` gives something other than undefined. */
export async function eventually<T>(
  condition: () => T | undefined | Promise<T | undefined>,
  what: string,
  timeoutMs = 10_000
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const value = await condition()
    if (value !== undefined) return value
    if (performance.now() > deadline) throw new Error(`${what} within ${timeoutMs} ms`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
