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

/** Flags that several commands have, for `option(...)`: what it is called, what it does. */
export const SINCE = ['--since <duration>', 'the same as --from -DURATION, e.g. 90m'] as const
export const SERVICE = ['--service <name>', 'only this upstream name, or namespace/service', collect] as const
export const CAUSE = ['--cause <slug>', 'only this cause', collect] as const
export const CAUSE_OF_INCIDENT = ['--cause <slug>', 'only this cause, or no_requests'] as const
export const READ_STORE = ['--store <path>', 'folder of an embedded store (default: the store of sink.kind)'] as const
export const TIME_ZONE = [
  '--time-zone <zone>',
  'print times in this zone, and read --from and --to in it (default: UTC)'
] as const
export const NO_COLOR = ['--no-color', 'plain text also on a terminal'] as const
