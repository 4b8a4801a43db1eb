/** What this process holds and has worked; other work on the machine does not count. */

/** Since `started`. */
export function cpuMs(started: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(started)
  return (user + system) / 1_000
}

/** Typed arrays lie outside of the heap. */
export function heldBytes(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

export function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error('needs node --expose-gc')
  globalThis.gc()
}
