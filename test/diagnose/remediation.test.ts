/** Remedies of every root cause, as a shell takes them. */

import { describe, expect, test } from 'vitest'
import { sentenceOf } from '../../src/diagnose/catalogue.ts'
import type { Diagnosis } from '../../src/diagnose/diagnosis.ts'
import { type Remediation, remediationOf } from '../../src/diagnose/remediation.ts'
import { ROOT_CAUSES, type RootCause } from '../../src/diagnose/rootCauses.ts'
import { runbookOf } from '../../src/diagnose/runbook.ts'
import type { DiagnosisCase } from './support/caseBuilder.ts'
import { bareDiagnosis, diagnosedCases, type Judged, judged } from './support/judged.ts'
import { type Call, callsOf } from './support/shellRun.ts'

const CASES = await diagnosedCases()
const JUDGED = CASES.map(judged)
const FIRST = new Map<RootCause, { one: DiagnosisCase; found: Judged }>()
for (const [i, one] of CASES.entries()) {
  const found = JUDGED[i]!
  if (!FIRST.has(found.diagnosis.rootCause)) FIRST.set(found.diagnosis.rootCause, { one, found })
}
/** Nobody may type it: everything of a shell, in a name. */
const EVIL = `';rm$IFS-rf$IFS*;$(reboot)\`reboot\`"\\&`
const CHANGING = new Set(['patch', 'scale', 'delete', 'apply', 'create', 'annotate', 'label', 'set', 'edit', 'drain'])

function commandsOf(diagnosis: Diagnosis, remediation: Remediation | null): string[] {
  return [...runbookOf(diagnosis), ...(remediation?.commands ?? []), ...(remediation?.undo ?? [])]
}

/** The verb of a call of kubectl, behind its namespace. */
function verbOf({ arguments: words }: Call): string {
  const [verb = '', next = ''] = words[0] === '-n' ? words.slice(2) : words
  return verb === 'rollout' ? `rollout ${next}` : verb
}

function expectHarmless(commands: readonly string[]): void {
  const calls = callsOf(commands).flat()
  expect(calls.length).toBeGreaterThanOrEqual(commands.length)
  for (const call of calls.filter(({ program }) => program === 'kubectl')) {
    const verb = verbOf(call)
    if (CHANGING.has(verb) || verb === 'rollout undo') expect(call.arguments).toContain('--dry-run=server')
    expect(verb).toMatch(
      /^(?:get|describe|logs|top|exec|port-forward|run|patch|scale|delete|rollout (?:undo|history|status))$/
    )
    const payload = call.arguments.indexOf('-p')
    if (payload !== -1) expect(JSON.parse(call.arguments[payload + 1]!)).toBeTypeOf('object')
  }
}

test('what is proposed for a case of each root cause', async () => {
  const proposed = ROOT_CAUSES.flatMap(cause => {
    const found = FIRST.get(cause)?.found
    if (found === undefined) return []
    const { id, diagnosis, state } = found
    const remediation = remediationOf(diagnosis, state)
    return [[cause, { case: id, sentence: sentenceOf(diagnosis), runbook: runbookOf(diagnosis), remediation }]]
  })
  await expect(`${JSON.stringify(Object.fromEntries(proposed), null, 2)}\n`).toMatchFileSnapshot(
    './remedies.expected.json'
  )
})

test('there is a case of nearly all root causes', () => {
  expect(FIRST.size).toBeGreaterThan(55)
})

describe('commands are safe to paste', () => {
  test('of every case', () => {
    const commands = JUDGED.flatMap(({ diagnosis, state }) => [
      ...commandsOf(diagnosis, remediationOf(diagnosis, state)),
      ...commandsOf(diagnosis, remediationOf(diagnosis, null))
    ])
    expectHarmless([...new Set(commands)])
  })

  test.each(ROOT_CAUSES)('%s, when nothing else is known', cause => {
    const diagnosis = bareDiagnosis({ rootCause: cause })
    expectHarmless(commandsOf(diagnosis, remediationOf(diagnosis, null)))
  })

  test('names that are a program for a shell stay one word', () => {
    const evil = [...FIRST].flatMap(([cause, { one, found }]) => {
      const { diagnosis, state } = judged(poisoned(one, found.diagnosis))
      return [{ cause, diagnosis, state }]
    })
    // Renaming everything can make another cause of a case: most must stay what they are.
    expect(evil.filter(({ cause, diagnosis }) => cause === diagnosis.rootCause).length).toBeGreaterThan(45)
    const commands = evil.flatMap(({ diagnosis, state }) => commandsOf(diagnosis, remediationOf(diagnosis, state)))
    expect(commands.filter(command => command.includes('reboot')).length).toBeGreaterThan(100)
    expectHarmless(commands)
    const words = callsOf(commands).flatMap(calls => calls.flatMap(call => call.arguments))
    const broken = words.filter(
      word => word.includes('reboot') && !word.includes(EVIL) && !word.includes(JSON.stringify(EVIL).slice(1, -1))
    )
    expect(broken).toEqual([])
  })
})

/** The same case with names that nobody would want to paste. */
function poisoned(one: DiagnosisCase, { names }: Diagnosis): DiagnosisCase {
  const { namespace, service, ingress, pod, container, node, workload, controllerNamespace } = names
  const known = [namespace, service, ingress, pod, container, node, workload?.name, controllerNamespace]
  let text = JSON.stringify(one)
  for (const name of new Set(known))
    if (name !== null && name !== undefined)
      text = text.replaceAll(JSON.stringify(name), () => JSON.stringify(`${name}${EVIL}`))
  return JSON.parse(text)
}

test('control characters are never pasted', () => {
  for (const cause of ROOT_CAUSES) {
    const { found } = FIRST.get(cause) ?? { found: { diagnosis: bareDiagnosis({ rootCause: cause }), state: null } }
    const text = JSON.stringify(found.diagnosis).replaceAll(/(?<=[a-z])-(?=[a-z0-9])/g, '\\u001b\\u202e\\u0085')
    const diagnosis = { ...JSON.parse(text), rootCause: cause, chain: found.diagnosis.chain } as Diagnosis
    const commands = commandsOf(diagnosis, remediationOf(diagnosis, null))
    expect(commands.filter(command => /[\p{Cc}\p{Cf}]/u.test(command))).toEqual([])
  }
})

test('policies, Secrets, quota, rights, nodes, volumes and images are never patched', () => {
  const kinds = new Set<string>()
  const commands = JUDGED.flatMap(({ diagnosis, state }) => remediationOf(diagnosis, state)?.commands ?? [])
  for (const call of callsOf([...new Set(commands)]).flat())
    if (CHANGING.has(verbOf(call))) kinds.add(call.arguments[call.arguments.indexOf(verbOf(call)) + 1]!)
  const allowed = [
    'configmap',
    'daemonset',
    'deployment',
    'horizontalpodautoscaler',
    'ingress',
    'pod',
    'service',
    'statefulset'
  ]
  expect([...kinds].sort()).toEqual(allowed)
})
