/** How flags of commands are taken from commander. */

import type { Command } from 'commander'
import { CommonOptions } from './options.ts'

export function common(command: Command): CommonOptions {
  return new CommonOptions(command.opts())
}

/** A flag that may be given several times. */
export function collect(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value]
}
