/** Whether a process is still there. */
import { existsSync, readFileSync } from 'node:fs'

/**
 * One that is dead but not yet reaped is not alive. Its parent may be gone as well, and in a container the first process,
 * which inherits it, often reaps late or never.
 */
export function isAlive(pid: number): boolean {
  if (existsSync('/proc/self/stat')) {
    const state = stateOf(pid)
    return state !== null && state !== 'Z' && state !== 'X'
  }
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Field 3 of /proc/PID/stat; the command in field 2 may hold blanks and brackets. */
function stateOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text[text.lastIndexOf(')') + 2] ?? null
  } catch {
    return null // There is no such process.
  }
}
