/** What would take a root cause away: commands to try it with, what they would change, and how to take it back. */

export interface Remediation {
  /** Each as it can be pasted; one that would change something is a dry run: without `--dry-run=server` it does. */
  commands: string[]
  /** What the commands would change; empty: they only show. */
  diff: Change[]
  /** How to take it back, dry runs as well. */
  undo: string[]
  /** What to apply after a review, as JSON, which kubectl takes for YAML; null: nothing. */
  manifest: string | null
  /** What to look at first, or why nothing can be proposed. */
  note: string | null
  /** A patch is proposed; else the commands show, and people decide. */
  isAutomatic: boolean
}

export interface Change {
  /** `Deployment shop/cart`. */
  object: string
  /** `spec.replicas`. */
  path: string
  /** As JSON; null: it is not set, or not known. */
  from: string | null
  /** As JSON; null: it would be taken away. */
  to: string | null
}

/** Why there is no patch, with what to look at instead. */
export function manual(commands: string[], note: string, manifest: string | null = null): Remediation {
  return { commands, diff: [], undo: [], manifest, note, isAutomatic: false }
}
