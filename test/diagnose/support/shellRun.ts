/** Commands as a real shell takes them: every program is a function that only writes down how it was called. */

import { spawnSync } from 'node:child_process'

const PROGRAMS = ['kubectl', 'openssl', 'curl', 'wc']

/** What commands ask for that do not know a name. */
const NAMES = 'NS POD CTR INIT WORKLOAD SVC ING NODE PORT ADDRESS HOST NAME HPA PVC DEPNS DEPSVC REF REFNS'
const UNKNOWN = Object.fromEntries(NAMES.split(' ').map(name => [name, `some-${name.toLowerCase()}`]))

export interface Call {
  program: string
  arguments: string[]
}

/** Calls of each command, in order. Throws when the shell complains, or would run anything else. */
export function callsOf(commands: readonly string[]): Call[][] {
  const functions = PROGRAMS.map(name => `${name}() { printf '%s\\0' ${name} "$@" >&3; printf '\\1\\0' >&3; }`)
  const script = [...functions, ...commands.flatMap(command => [command, `printf '\\2\\0' >&3`])].join('\n')
  // Not as an argument: Linux takes 128 KiB of one at most, and all cases together have more.
  const { status, stderr, output } = spawnSync('/bin/sh', ['-s'], {
    env: { PATH: '/nonexistent', ...UNKNOWN },
    input: script,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    timeout: 20_000,
    maxBuffer: 64 << 20
  })
  if (status !== 0 || stderr.length > 0)
    throw new Error(`sh ended with ${status}: ${stderr.toString().slice(0, 2_000)}`)
  const found: Call[][] = [[]]
  let words: string[] = []
  for (const word of output[3]!.toString().split('\0').slice(0, -1)) {
    if (word === '\u0002') found.push([])
    else if (word === '\u0001') {
      const [program = '', ...rest] = words
      found.at(-1)!.push({ program, arguments: rest })
      words = []
    } else words.push(word)
  }
  return found.slice(0, -1)
}
