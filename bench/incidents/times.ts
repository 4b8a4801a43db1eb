/** Spellings of one moment (Unix ms, with a fraction) in the three kinds of line. UTC, as in the controller's container. */

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `21/Nov/2026:10:02:11 +0000` */
export function timeLocal(ms: number): string {
  const iso = new Date(Math.floor(ms)).toISOString()
  return `${iso.slice(8, 10)}/${MONTHS[Number(iso.slice(5, 7)) - 1]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`
}

/** `2026/11/21 10:02:11` */
export function errorTime(ms: number): string {
  return new Date(Math.floor(ms)).toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ')
}

/** `1121 10:02:11.123456` */
export function klogTime(ms: number): string {
  const iso = new Date(Math.floor(ms)).toISOString()
  return `${iso.slice(5, 7)}${iso.slice(8, 10)} ${iso.slice(11, 19)}.${microseconds(ms)}`
}

function microseconds(ms: number): string {
  return String(Math.floor((ms - Math.floor(ms / 1000) * 1000) * 1000)).padStart(6, '0')
}

/** `2026-11-21T10:02:11.123456789Z`; container runtimes drop trailing zeros in their files, `kubectl logs` does not. */
export function stamp(ms: number, nanoseconds: number, trimmed: boolean): string {
  const seconds = new Date(ms).toISOString().slice(0, 19)
  const fraction = `${String(ms % 1000).padStart(3, '0')}${String(nanoseconds).padStart(6, '0')}`
  const shown = trimmed ? fraction.replace(/0+$/, '') : fraction
  return shown === '' ? `${seconds}Z` : `${seconds}.${shown}Z`
}

/** `0.123`, as nginx prints a duration. */
export function seconds(ms: number): string {
  return `${Math.floor(ms / 1000)}.${String(ms % 1000).padStart(3, '0')}`
}

export function at(clock: string): number {
  return Date.parse(`2026-11-21T${clock}Z`)
}
