import type { Command } from 'commander'
import { VERSION } from '../version.ts'
import { CAUSE, collect, common, NO_COLOR, READ_STORE, SERVICE, SINCE, TIME_ZONE } from './commandFlags.ts'
import type { DemoFlags } from './demo.ts'
import type { ReplayFlags } from './replay.ts'
import { newProgram, runCommands } from './runCommands.ts'
import { addStoreCommands } from './storeCommands.ts'

/** Arguments → command → exit code. Each command's code is loaded when it runs. */
export async function runCli(argv: string[]): Promise<number> {
  let exitCode = 0
  const program = newProgram('why5xx', 'shows all commands')
    .description(
      'Says why requests through ingress-nginx failed: which cause, which upstream, on what evidence, and what to do.'
    )
    .version(VERSION)
    .addHelpText(
      'after',
      `
Examples:
  kubectl logs -n ingress-nginx -l app.kubernetes.io/component=controller --tail=-1 --prefix --timestamps --since=1h | why5xx explain -
  why5xx explain /var/log/containers/*ingress-nginx*controller*.log
  why5xx causes no_endpoints

Exit codes: 0 done, whatever was found; 1 some input could not be read; 2 wrong usage or configuration.`
    )

  program
    .command('explain')
    .description('reads logs and says what failed and why: causes, upstreams, examples, next steps')
    .argument('[file...]', 'log files, also gzip; - is stdin (default: -)')
    .option('--format <format>', 'text, json, ndjson (one failure document a line), markdown or html', 'text')
    .option('--from <time>', 'only requests from this time on: RFC 3339, local time with a zone, or -2h')
    .option('--to <time>', 'only requests before this time')
    .option(...SINCE)
    .option(...SERVICE)
    .option(...CAUSE)
    .option(
      '--cluster <file...>',
      'state of the cluster, from kubectl get -o json: says which pod it was and what was wrong with it'
    )
    .option('--source <name>', 'cluster/namespace/pod/container of the lines, for ids, where no envelope tells')
    .option(...TIME_ZONE)
    .option(...NO_COLOR)
    .addHelpText(
      'after',
      `
Examples:
  kubectl logs -n ingress-nginx deploy/ingress-nginx-controller --timestamps -f | why5xx explain -
  why5xx explain access.log error.log --from 2026-11-21T10:00:00Z --to 2026-11-21T11:00:00Z
  why5xx explain controller.log.gz --cause connection_refused --format markdown
  why5xx explain controller.log --format ndjson | jq -r '.why5xx.cause' | sort | uniq -c
  kubectl get pods,services,endpointslices,ingresses,deployments,replicasets,events -A -o json > cluster.json
  why5xx explain controller.log --cluster cluster.json`
    )
    .action(async (files: string[], flags: Record<string, unknown>, command: Command) => {
      const { runExplain } = await import('./explain.ts')
      exitCode = await runExplain(files, flags, common(command))
    })

  program
    .command('run')
    .description(
      'reads log files as they grow, or a Kafka topic, says why requests fail, and keeps it in a store on this machine or in Elasticsearch'
    )
    .argument('[pattern...]', 'files to read instead of source.files.paths; - is stdin')
    .option('--store <folder>', 'sink.embedded.path: where failures and totals are kept')
    .option('--no-follow', 'read the files to their end, write everything, and end')
    .option('--listen <address>', 'web.listen: /healthz, /readyz and /metrics')
    .addHelpText(
      'after',
      `
Examples:
  why5xx run
  why5xx run /var/log/nginx/access.log /var/log/nginx/error.log --store /var/lib/why5xx
  kubectl logs -n ingress-nginx deploy/ingress-nginx-controller --timestamps -f | why5xx run -
  why5xx run --config /etc/why5xx.yaml --set log.format=json
  why5xx run --set source.kind=kafka --set source.kafka.brokers=kafka:9092 --set sink.kind=elasticsearch   # after why5xx setup

While it runs: why5xx failures, why5xx timeline. SIGTERM ends it within 30 seconds; a crash loses nothing.`
    )
    .action(async (patterns: string[], flags: Record<string, unknown>, command: Command) => {
      const { runRun } = await import('./run.ts')
      exitCode = await runRun(patterns, flags, common(command))
    })

  program
    .command('replay')
    .description('reads old files into the store; what is there already is neither stored nor counted twice')
    .argument('[file...]', 'log files, also gzip')
    .option('--rejects', 'instead of files: what could not be read or stored before, from source.kafka.rejectTopic')
    .option('--store <folder>', 'sink.embedded.path: where failures and totals are kept')
    .option('--format <format>', 'text or json', 'text')
    .addHelpText(
      'after',
      `
Examples:
  why5xx replay /var/log/nginx/access.log.2.gz /var/log/nginx/error.log.2.gz
  why5xx replay controller.log --store ./incident && why5xx timeline --store ./incident --since 7d
  why5xx replay --rejects --config why5xx.yaml`
    )
    .action(async (files: string[], flags: ReplayFlags, command: Command) => {
      if (flags.rejects) {
        const { runReplayRejects } = await import('./replayRejects.ts')
        exitCode = await runReplayRejects(files, flags, common(command))
        return
      }
      const { runReplay } = await import('./replay.ts')
      exitCode = await runReplay(files, flags, common(command))
    })

  program
    .command('demo')
    .description(
      'explains a log, keeps it in a store on this machine, and says what to ask that; without a file, of a bundled incident'
    )
    .argument('[file...]', 'log files, also gzip (default: a wave of OOM kills during a sale)')
    .option('--store <folder>', 'where it is kept (default: ./why5xx-demo)')
    .option(...NO_COLOR)
    .addHelpText(
      'after',
      `\nExamples:\n  why5xx demo\n  why5xx demo /var/log/nginx/access.log /var/log/nginx/error.log`
    )
    .action(async (files: string[], flags: DemoFlags) => {
      const { runDemo } = await import('./demo.ts')
      exitCode = await runDemo(files, flags)
    })

  program
    .command('parse')
    .description('prints one JSON object per line: the record, or why there is none')
    .argument('[file...]', 'log files, also gzip; - is stdin', ['-'])
    .addHelpText(
      'after',
      `\nExamples:\n  why5xx parse access.log | jq -c 'select(.reject != null)'\n  kubectl logs -n ingress-nginx deploy/ingress-nginx-controller | why5xx parse -`
    )
    .action(async (files: string[], _flags: unknown, command: Command) => {
      const { runParse } = await import('./parse.ts')
      exitCode = await runParse(files, common(command))
    })

  program
    .command('diagnose')
    .description(
      'says of cases (a failure and the objects of the cluster as JSON) what was wrong: one verdict per line'
    )
    .argument('[file...]', 'cases, one JSON object a line, also gzip; - is stdin', ['-'])
    .addHelpText(
      'after',
      `
Examples:
  why5xx diagnose samples/diagnosis/visible.jsonl | jq -r '[.id, .root_cause, .confidence] | @tsv'
  why5xx diagnose case.json | jq '.evidence[].cite'

A case: {"id", "now", "failure": {"symptom", "time", "namespace", "service", "upstream_addr", …}, "objects": [of kubectl get -o json]}`
    )
    .action(async (files: string[]) => {
      const { runDiagnose } = await import('./diagnose.ts')
      exitCode = await runDiagnose(files)
    })

  program
    .command('fix')
    .description(
      'says what would mend a failure: commands with its names in them, what they would change, how to take it back'
    )
    .argument('<failure>', 'id of a stored failure (event.id), or a file with one case; - is stdin')
    .option('--format <format>', 'text or json', 'text')
    .option(...READ_STORE)
    .option(...NO_COLOR)
    .addHelpText(
      'after',
      `
Examples:
  why5xx failures --since 1h --format ndjson | jq -r 'select(.why5xx.root_cause) | .event.id' | tail -1
  why5xx fix 0123456789abcdef0123456789abcdef
  why5xx fix case.json --format json | jq -r '.remediation.commands[]'

It never changes a cluster. Commands that would change something are dry runs of the API server: run without
--dry-run=server they do it, and those under "Take it back" undo it. Network policies, Secrets, quota, rights, nodes, volumes
and images are left to people: for these it says what to look at.

Exit codes: 0 printed; 1 the failure has no root cause, or the store or file could not be read; 2 unknown id, wrong usage.`
    )
    .action(async (failure: string, flags: Record<string, unknown>, command: Command) => {
      const { runFix } = await import('./fix.ts')
      exitCode = await runFix(failure, flags, common(command))
    })

  program
    .command('check')
    .description(
      'says which formats files hold, what share can be read, and the first lines that cannot; without files: whether run would work'
    )
    .argument('[file...]', 'log files, also gzip; - is stdin')
    .option('--format <format>', 'text or json', 'text')
    .option('--store [path]', 'verify the embedded store instead (default: sink.embedded.path)')
    .option(
      '--cluster [file...]',
      'instead: what the API server lets us see, controllers, log format, recorded state; of files: what they can answer'
    )
    .option(
      '--print-rbac [scope]',
      'with --cluster: print the roles that the watch needs, full or smallest, for kubectl apply (default: full)'
    )
    .option(
      '--namespaces <names>',
      'with --print-rbac: roles for these namespaces alone, A,B (default: kubernetes.namespaces)'
    )
    .option(
      '--account <namespace/name>',
      'with --print-rbac: the service account that gets them',
      'why5xx/why5xx-watch'
    )
    .option('--alerts', 'instead: sends a marked test alert to each receiver, resolves it, and says what came back')
    .addHelpText(
      'after',
      `\nExamples:\n  why5xx check controller.log\n  why5xx check --store ./why5xx-data\n  why5xx check --config why5xx.yaml\n  why5xx check --cluster\n  why5xx check --cluster cluster.json\n  why5xx check --cluster --print-rbac --namespaces shop,pay | kubectl apply -f -\n  why5xx check --alerts --set alerts.alertmanager.urls=http://alertmanager:9093\n\nExit code 1 if anything must be mended, less than 95 % can be read, or a receiver of alerts refuses the test or is away.`
    )
    .action(async (files: string[], flags: Record<string, unknown>, command: Command) => {
      const { runCheck } = await import('./check.ts')
      exitCode = await runCheck(files, flags, common(command))
    })

  addStoreCommands(program, code => {
    exitCode = code
  })

  program
    .command('setup')
    .description(
      'puts index templates and lifecycle policies into Elasticsearch, and dashboards into Kibana; can be repeated, changes only what is ours'
    )
    .option('--kibana', 'also data views, saved queries, dashboards (from 9.5 on) and rules into kibana.url')
    .option('--no-elasticsearch', 'with --kibana: Kibana alone')
    .option('--dry-run', 'only say what would change')
    .option('--format <format>', 'text or json', 'text')
    .addHelpText(
      'after',
      `
Examples:
  why5xx setup --dry-run
  why5xx setup --set sink.elasticsearch.nodes=https://elasticsearch:9200 --set sink.elasticsearch.apiKeyFile=/run/secrets/key
  why5xx setup --kibana --no-elasticsearch --set kibana.url=https://kibana:5601 --set kibana.apiKeyFile=/run/secrets/kibana-key

Needs the cluster privileges manage_index_templates and manage_ilm; run itself needs neither. With --kibana: All of Discover,
Dashboard, Data View Management, Saved Objects Management and Stack Rules in the space kibana.space. Everything is looked at
before anything is written to Kibana. The rules ask with the rights of who ran setup, and tell nobody until connectors are added.`
    )
    .action(async (flags: Record<string, unknown>, command: Command) => {
      const { runSetup } = await import('./setup.ts')
      exitCode = await runSetup(flags, common(command))
    })

  program
    .command('causes')
    .description('the catalogue: every cause and root cause, what it means, what to check, what to do')
    .argument('[slug]', 'one cause in full')
    .option('--format <format>', 'text or json', 'text')
    .addHelpText('after', `\nExamples:\n  why5xx causes\n  why5xx causes no_endpoints\n  why5xx causes oom_killed`)
    .action(async (slug: string | undefined, flags: Record<string, unknown>) => {
      const { runCauses } = await import('./causes.ts')
      exitCode = await runCauses(slug, flags)
    })

  program
    .command('config')
    .description('prints every option with default, unit and what it does')
    .option('--format <format>', 'text or json', 'text')
    .addHelpText('after', `\nExamples:\n  why5xx config\n  WHY5XX_JOIN_ERROR_WAIT_MS=300000 why5xx config`)
    .action(async (flags: Record<string, unknown>, command: Command) => {
      const { runConfig } = await import('./configCommand.ts')
      exitCode = await runConfig(flags, common(command))
    })

  program.command('store-seal', { hidden: true }).action(async () => {
    const { runSealChild } = await import('../store/embedded/sealChild.ts')
    exitCode = await runSealChild(process.stdin)
  })

  for (const command of program.commands) {
    command.exitOverride()
    if (['causes', 'demo'].includes(command.name())) continue
    command
      .option('--config <file>', 'YAML file with options (default: ./why5xx.yaml if it is there)')
      .option('--set <path=value>', 'set one option, e.g. join.errorWaitMs=300000', collect)
      .option('--no-mask', 'show query strings, referrers and header values unmasked')
  }

  if (argv.length <= 2) {
    program.outputHelp()
    return 2
  }
  return (await runCommands(program, argv)) ?? exitCode
}
