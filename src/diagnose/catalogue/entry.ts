/** One root cause in the catalogue. */

import type { Told } from '../told.ts'

export type Severity = 'S1' | 'S2' | 'S3' | 'S4'

export interface Entry {
  title: string
  meaning: string
  severity: Severity
  advice: string
  /** One clause, no full stop; whatever it would name may be missing. */
  say: (told: Told) => string
  /**
   * Commands for a shell: `$NS`, `$POD`, … are filled in where they are known (`runbook.ts`). None stands within quotes.
   */
  check: readonly string[]
  fix: readonly string[]
}
