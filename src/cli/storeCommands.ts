/** The commands that read a store: each with its flags and examples; its code is loaded when it runs. */

import type { Command } from 'commander'
import {
  CAUSE,
  CAUSE_OF_INCIDENT,
  collect,
  common,
  NO_COLOR,
  READ_STORE,
  SERVICE,
  SINCE,
  TIME_ZONE
} from './commandFlags.ts'

/** `done` is told the exit code. */
export function addStoreCommands(program: Command, done: (exitCode: number) => void): void {
  program
    .command('timeline')
    .description('says from the store how causes came and went: onset, peak, recovery, evidence; for a postmortem')
    .option('--format <format>', 'markdown, html (one page with pictures) or json', 'markdown')
    .option('--from <time>', 'from this time on: RFC 3339, local time with a zone, or -2h (default: 24 h before --to)')
    .option('--to <time>', 'before this time (default: now)')
    .option(...SINCE)
    .option(...SERVICE)
    .option(...CAUSE)
    .option('--output <file>', 'write to this file instead of stdout')
    .option(...READ_STORE)
    .option(...TIME_ZONE)
    .addHelpText(
      'after',
      `
Examples:
  why5xx timeline --service shop/cart --since 2h
  why5xx timeline --service shop-cart-80 --from 2026-11-21T10:00Z --to 2026-11-21T11:00Z --format html --output cart.html
  why5xx timeline --since 1d --format json | jq '.course'
  why5xx timeline --since 1d --set sink.kind=elasticsearch --set sink.elasticsearch.nodes=https://elasticsearch:9200`
    )
    .action(async (flags: Record<string, unknown>, command: Command) => {
      const { runTimeline } = await import('./timeline.ts')
      done(await runTimeline(flags, common(command)))
    })

  program
    .command('failures')
    .description('prints stored failures, newest first')
    .option('--format <format>', 'table, or ndjson: the failure document a line', 'table')
    .option('--from <time>', 'from this time on: RFC 3339, local time with a zone, or -2h')
    .option('--to <time>', 'before this time')
    .option(...SINCE)
    .option(...SERVICE)
    .option(...CAUSE)
    .option('--pod <name>', 'only this blamed pod, or its address', collect)
    .option('--status <code>', 'only this status: 502, or 5xx', collect)
    .option('--limit <count>', 'at most this many; 0 is all (default: 50 in a table, all as ndjson)')
    .option('--order <order>', 'newest or oldest first', 'newest')
    .option(...READ_STORE)
    .option(...TIME_ZONE)
    .option(...NO_COLOR)
    .addHelpText(
      'after',
      `
Examples:
  why5xx failures --since 1h --service shop/cart
  why5xx failures --cause connection_refused --status 502 --limit 200
  why5xx failures --since 1d --format ndjson | jq -r '.url.path' | sort | uniq -c`
    )
    .action(async (flags: Record<string, unknown>, command: Command) => {
      const { runFailures } = await import('./failures.ts')
      done(await runFailures(flags, common(command)))
    })

  program
    .command('incidents')
    .description(
      'prints incidents, open ones first: failures of one cause at one service, far more than were to be expected'
    )
    .argument('[id]', 'one incident in full: numbers, root cause, example, what changed before, who was told')
    .option('--format <format>', 'table, ndjson (an incident a line) or json', 'table')
    .option(
      '--from <time>',
      'going on at or after this time: RFC 3339, local time with a zone, or -2h (default: 24 h before --to)'
    )
    .option('--to <time>', 'begun before this time (default: now)')
    .option(...SINCE)
    .option(...SERVICE)
    .option(...CAUSE_OF_INCIDENT, collect)
    .option('--state <state>', 'only these: open or resolved')
    .option('--limit <count>', 'at most this many; 0 is all (default: 50 in a table, else all)')
    .option(...READ_STORE)
    .option(...TIME_ZONE)
    .option(...NO_COLOR)
    .addHelpText(
      'after',
      `
Examples:
  why5xx incidents
  why5xx incidents --since 7d --service shop/cart --state resolved
  why5xx incidents inc-20261121-1005-hTz0Zy4a
  why5xx incidents --since 30d --format ndjson | jq -r '[.id, .cause, .rootCause, .failures] | @tsv'

An incident that is told under another one is indented below it.`
    )
    .action(async (id: string | undefined, flags: Record<string, unknown>, command: Command) => {
      const { runIncidents } = await import('./incidents.ts')
      done(await runIncidents(id, flags, common(command)))
    })

  program
    .command('dashboard')
    .description(
      'prints the panels of a dashboard as tables: what Kibana shows, without Kibana; without a name: which there are'
    )
    .argument('[name]', 'overview, service, …')
    .option('--format <format>', 'text, json, or esql: the query of each panel, to paste into Discover', 'text')
    .option('--from <time>', 'from this time on: RFC 3339, local time with a zone, or -2h (default: 3 h before --to)')
    .option('--to <time>', 'before this time (default: now)')
    .option(...SINCE)
    .option(...SERVICE)
    .option(...CAUSE_OF_INCIDENT)
    .option('--incident <id>', 'this incident; where nothing else is said, with its service, its cause and its time')
    .option(...READ_STORE)
    .option(...TIME_ZONE)
    .option(...NO_COLOR)
    .addHelpText(
      'after',
      `
Examples:
  why5xx dashboard
  why5xx dashboard overview --since 1h
  why5xx dashboard service --service shop/cart
  why5xx dashboard overview --format json | jq '.panels[] | {title, rows}'
  why5xx dashboard overview --format esql

ES|QL is made of the same questions; it was checked by its grammar, and never run where why5xx is tested.`
    )
    .action(async (name: string | undefined, flags: Record<string, unknown>, command: Command) => {
      const { runDashboard } = await import('./dashboard.ts')
      done(await runDashboard(name, flags, common(command)))
    })
}
