import { describe, expect, test } from 'vitest'
import type { Expectation } from './support/caseBuilder.ts'
import { mismatches, type Verdict } from './support/expectation.ts'

const OOM = 'Pod shop/a-1 status.containerStatuses[app].lastState.terminated.reason=OOMKilled'

function verdict(changes: Partial<Verdict> = {}, ...cites: string[]): Verdict {
  const evidence = (cites.length === 0 ? [OOM] : cites).map(cite => ({ cite }))
  return { root_cause: 'oom_killed', confidence: 0.9, evidence, alternatives: [], ...changes }
}

function wanted(changes: Partial<Expectation> = {}): Expectation {
  return { root_cause: 'oom_killed', ...changes }
}

describe('root cause', () => {
  test.each<[string, string, string[], boolean]>([
    ['the one', 'oom_killed', [], true],
    ['another', 'app_crash', [], false],
    ['an acceptable one', 'app_crash', ['crash_loop', 'app_crash'], true]
  ])('%s', (_name, slug, acceptable, isRight) => {
    expect(mismatches(wanted({ acceptable }), verdict({ root_cause: slug })).length === 0).toBe(isRight)
  })

  test('what must be cited is asked of an acceptable other too', () => {
    const expected = wanted({ acceptable: ['app_crash'], must_cite: ['Pod shop/b-1'] })
    expect(mismatches(expected, verdict({ root_cause: 'app_crash' }))).toHaveLength(1)
    expect(mismatches(expected, verdict())).toHaveLength(1)
  })
})

describe('must_cite', () => {
  test.each<[string, string, string, boolean]>([
    ['the whole path', OOM, OOM, true],
    ['the end of the path', 'Pod shop/a-1 lastState.terminated.reason=OOMKilled', OOM, true],
    ['the list key left out', 'Pod shop/a-1 status.containerStatuses.lastState.terminated.reason=OOMKilled', OOM, true],
    ['another list key', 'Pod shop/a-1 containerStatuses[proxy].lastState.terminated.reason=OOMKilled', OOM, false],
    ['no path', 'Pod shop/a-1', OOM, true],
    ['another name', 'Pod shop/a-2', OOM, false],
    ['another namespace', 'Pod store/a-1', OOM, false],
    ['another kind', 'ReplicaSet shop/a-1', OOM, false],
    ['a path in between', 'Pod shop/a-1 lastState.terminated', OOM, true],
    ['a path that is no whole field', 'Pod shop/a-1 State.terminated.reason', OOM, false],
    ['a path in between with a value', 'Pod shop/a-1 lastState.terminated=OOMKilled', OOM, false],
    ['another value', 'Pod shop/a-1 reason=Error', OOM, false],
    ['part of the value with =', 'Pod shop/a-1 reason=OOM', OOM, false],
    ['part of the value with ~', 'Pod shop/a-1 reason~OOM', OOM, true],
    ['not part of the value', 'Pod shop/a-1 reason~oom', OOM, false],
    ['an event', 'Event Pod shop/a-1 reason=Unhealthy', 'Event Pod shop/a-1 reason=Unhealthy', true],
    ['an event, not its pod', 'Pod shop/a-1', 'Event Pod shop/a-1 reason=Unhealthy', false],
    [
      'a value with blanks',
      'Event Pod shop/a-1 message~statuscode: 503',
      'Event Pod shop/a-1 message=failed with statuscode: 503',
      true
    ],
    ['absence', 'Service shop/x absent', 'Service shop/x absent', true],
    ['absence of another', 'Service shop/x absent', 'Service shop/y absent', false],
    ['a field of what is absent', 'Service shop/x', 'Service shop/x absent', false],
    [
      'an absent field',
      'Pod shop/a-1 readinessProbe=absent',
      'Pod shop/a-1 spec.containers[app].readinessProbe=absent',
      true
    ],
    [
      'cluster-scoped',
      'Node worker-1 conditions[Ready].status=Unknown',
      'Node worker-1 status.conditions[Ready].status=Unknown',
      true
    ],
    [
      'a condition of another type',
      'Node worker-1 conditions[Ready].status',
      'Node worker-1 status.conditions[DiskPressure].status=True',
      false
    ],
    [
      'a map key',
      'Ingress shop/a annotations[nginx.ingress.kubernetes.io/backend-protocol]=HTTPS',
      'Ingress shop/a metadata.annotations[nginx.ingress.kubernetes.io/backend-protocol]=HTTPS',
      true
    ],
    [
      'a map key left out',
      'Ingress shop/a metadata.annotations=HTTPS',
      'Ingress shop/a metadata.annotations[a.b/c]=HTTPS',
      false
    ],
    [
      'a key with an = in it',
      'Ingress shop/a pathType=Exact',
      'Ingress shop/a spec.rules[a.example.com].http.paths[/x=1].pathType=Exact',
      true
    ],
    [
      'derived facts',
      'Secret shop/tls tls.crt.notAfter',
      'Secret shop/tls tls.crt.notAfter=2025-08-15T00:00:00Z',
      true
    ],
    [
      'two list keys left out',
      'Ingress shop/a spec.rules.http.paths.backend',
      'Ingress shop/a spec.rules[h].http.paths[/].backend.service.name=x',
      true
    ],
    [
      'one list key of two',
      'Ingress shop/a rules[h].http.paths.backend',
      'Ingress shop/a spec.rules[h].http.paths[/].backend.service.name=x',
      true
    ]
  ])('%s', (_name, pattern, cite, isMet) => {
    expect(mismatches(wanted({ must_cite: [pattern] }), verdict({}, cite)).length === 0).toBe(isMet)
  })

  test.each([
    'Pod shop/a-1',
    'Pod shop/a-1 status.phase',
    'shop/a-1 status.phase=Failed',
    'Pod shop/a-1 status.message~disk',
    ''
  ])('is no citation: %s', cite => {
    expect(mismatches(wanted(), verdict({}, OOM, cite))).toEqual([`no citation: ${cite}`])
  })

  test('each is met by some item', () => {
    const must_cite = ['Pod shop/a-1 reason=OOMKilled', 'Service shop/a spec.clusterIP', 'Pod shop/a-1 exitCode=137']
    const problems = mismatches(wanted({ must_cite }), verdict({}, OOM, 'Service shop/a spec.clusterIP=10.96.0.9'))
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain('exitCode=137')
  })

  test("an author's slip is an error", () => {
    expect(() => mismatches(wanted({ must_cite: ['pod shop/a-1'] }), verdict())).toThrow('no pattern of a citation')
  })
})

describe('must_not', () => {
  const alternative = (confidence: number) => verdict({ alternatives: [{ root_cause: 'app_crash', confidence }] })
  test.each<[string, string, Verdict, boolean]>([
    ['the top', 'oom_killed', verdict(), false],
    ['a strong alternative', 'app_crash', alternative(0.6), false],
    ['a weak alternative', 'app_crash', alternative(0.59), true],
    ['neither', 'crash_loop', alternative(0.9), true],
    ['a cited object', 'cite:Pod shop/a-1', verdict(), false],
    ['an object that is not cited', 'cite:Pod shop/a-2', verdict(), true],
    ['an object cited through its event', 'cite:Pod shop/a-1', verdict({}, 'Event Pod shop/a-1 reason=Killing'), false],
    ['an event that is not cited', 'cite:Event Pod shop/a-1', verdict(), true],
    ['a cited field', 'cite:Pod shop/a-1 terminated.reason=OOMKilled', verdict(), false],
    ['another value of it', 'cite:Pod shop/a-1 terminated.reason=Error', verdict(), true]
  ])('%s', (_name, text, given, isFine) => {
    expect(mismatches({ root_cause: given.root_cause, must_not: [text] }, given).length === 0).toBe(isFine)
  })
})

test.each<[string, Partial<Expectation>, Partial<Verdict>, boolean]>([
  ['variant', { variant: 'drain' }, { variant: 'drain' }, true],
  ['another variant', { variant: 'drain' }, { variant: null }, false],
  ['ref', { ref: 'Pod shop/a-1' }, { ref: 'Pod shop/a-2' }, false],
  ['chain', { chain: ['no_endpoints'] }, { chain: ['no_endpoints', 'oom_killed'] }, true],
  ['not in the chain', { chain: ['no_endpoints'] }, { chain: ['oom_killed'] }, false],
  ['confidence too high', { confidence_max: 0.45 }, { confidence: 0.46 }, false],
  ['confidence at its bounds', { confidence_min: 0.75, confidence_max: 0.75 }, { confidence: 0.9 - 0.15 }, true],
  ['details of another cause', { acceptable: ['app_crash'], variant: 'x' }, { root_cause: 'app_crash' }, true]
])('details: %s', (_name, expected, given, isFine) => {
  expect(mismatches(wanted(expected), verdict(given)).length === 0).toBe(isFine)
})
