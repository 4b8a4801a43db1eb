import { type Command, Option } from 'commander'
import { VERSION } from '../version.ts'
import { CAUSE, collect, NO_COLOR, SERVICE, TIME_ZONE } from './commandFlags.ts'
import { FORMATS } from './explain.ts'
import { type KubectlFlags, runKubectl } from './kubectl.ts'
import { CommonOptions } from './options.ts'
import { newProgram, runCommands } from './runCommands.ts'

/** `kubectl why5xx`: arguments → exit code. */
export async function runKubectlCli(argv: string[]): Promise<number> {
  let exitCode = 0
  const program = newProgram('kubectl why5xx', 'shows all flags')
    .description(
      'Says why requests through ingress-nginx failed: reads the logs of its controllers and the state of the cluster, and names\ncauses, pods and what was wrong with them. It changes nothing.'
    )
    .version(VERSION)
    .usage('[flags]')
    .option('--since <duration>', 'how far back: 90m, 2h, 1d (default: 1h, unless --from is given)')
    .option('--from <time>', 'only requests from this time on: RFC 3339, local time with a zone, or -2h')
    .option('--to <time>', 'only requests before this time')
    .option('-n, --namespace <namespace>', 'only failures of Services in this namespace (default: of all)')
    .option('-A, --all-namespaces', 'failures of all namespaces, and the whole state of the cluster; wins over -n')
    .option(...SERVICE)
    .option(...CAUSE)
    .addOption(new Option('-o, --output <format>', 'how to print').choices(FORMATS).default('text'))
    .option('-l, --selector <labels>', 'labels of the controller pods (default: those of its chart and its manifests)')
    .option('--controller-namespace <namespace>', 'namespace of the controller pods (default: all)')
    .option('-c, --container <name>', 'container of the controller in its pods (default: controller)')
    .option('--kubeconfig <file>', 'instead of $KUBECONFIG and ~/.kube/config')
    .option('--context <name>', 'context of the kubeconfig (default: its current one)')
    .option('--as <user>', 'ask as this user')
    .option('--as-group <group>', 'ask as a member of this group; several times', collect)
    .option('--request-timeout <duration>', 'how long a request may stay without an answer; 0 is without end', '60s')
    .option(...TIME_ZONE)
    .option('--config <file>', 'YAML file with options (default: ./why5xx.yaml if it is there)')
    .option('--set <path=value>', 'set one option, e.g. join.errorWaitMs=300000', collect)
    .option('--no-mask', 'show query strings, referrers and header values unmasked')
    .option(...NO_COLOR)
    .addHelpText(
      'after',
      `
Examples:
  kubectl why5xx                                      # the last hour, all Services
  kubectl why5xx -n shop --since 15m
  kubectl why5xx --service shop/cart --cause connection_refused -o json
  kubectl why5xx --from 2026-11-21T10:00Z --to 2026-11-21T10:30Z -o html > incident.html
  kubectl why5xx --context production --controller-namespace ingress -l app=edge

Needs get and list of pods and pods/log where the controllers are; what else may not be read is said, and costs root causes only.
Exit codes: 0 done, whatever was found; 1 some log could not be read; 2 wrong usage or configuration.`
    )
    .action(async (flags: KubectlFlags, command: Command) => {
      exitCode = await runKubectl(flags, new CommonOptions(command.opts()))
    })
  return (await runCommands(program, argv)) ?? exitCode
}
