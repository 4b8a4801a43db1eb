/** What is said of root causes in a report: sentences, how many, and that the order of failures does not matter. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Diagnosis } from '../../src/diagnose/diagnosis.ts'
import { ClockText } from '../../src/explain/clockText.ts'
import { WhyTally } from '../../src/explain/whyTally.ts'
import { whyTexts } from '../../src/explain/whyText.ts'
import type { Failure } from '../../src/model.ts'
import { at } from '../support/lines.ts'
import '../support/seed.ts'

const CLOCK = new ClockText('UTC', at('10:00:00'), at('11:00:00'))

function diagnosis(more: Partial<Diagnosis> = {}): Diagnosis {
  return {
    rootCause: 'oom_killed',
    variant: null,
    ref: 'Pod shop/cart-1',
    atMs: at('10:02:11'),
    untilMs: at('10:02:29'),
    confidence: 0.93,
    terms: [],
    evidence: [
      {
        cite: 'Pod shop/cart-1 status.containerStatuses[cart].lastState.terminated.reason=OOMKilled',
        atMs: at('10:02:11'),
        text: 'container cart was OOM-killed (limit 256Mi)'
      },
      {
        cite: 'Pod shop/cart-1 spec.containers[cart].resources.limits.memory=256Mi',
        atMs: null,
        text: 'its memory limit is 256Mi'
      }
    ],
    chain: [],
    alternatives: [],
    excluded: [],
    wouldDecide: [],
    names: {
      namespace: 'shop',
      service: 'cart',
      ingress: null,
      pod: 'cart-1',
      podUid: 'uid-1',
      podIp: '10.0.0.7',
      container: 'cart',
      node: null,
      workload: null,
      controllerNamespace: null,
      controllerPod: null,
      certainty: 'certain',
      labels: {}
    },
    ...more
  }
}

/** All that a tally looks at. */
function failed(time: string, more: Partial<Diagnosis> = {}): Failure {
  return { timeMs: at(time), judgement: { isKnown: true, diagnosis: diagnosis(more) } } as Failure
}

function tallyOf(failures: readonly Failure[]): WhyTally {
  const tally = new WhyTally()
  for (const failure of failures) tally.add(failure)
  return tally
}

const pod = (number: number): Partial<Diagnosis> => ({ ref: `Pod shop/cart-${number}` })

describe('sentences', () => {
  const saysOf = (cause: Parameters<typeof whyTexts>[0], failures: readonly Failure[]): string[] =>
    whyTexts(cause, tallyOf(failures), CLOCK).shown.map(({ sentence }) => sentence)

  test('who, when, how many and until when', () => {
    const failures = ['10:02:12', '10:02:20', '10:02:13'].map(time => failed(time))
    expect(saysOf('connection_refused', failures)).toEqual([
      'shop/cart-1 was OOM-killed at 10:02:11 (limit 256Mi); 3 requests were refused until it answered again at 10:02:29 (confidence 0.93)'
    ])
  })

  test.each([
    ['one request', ['10:02:12'], null, '1 request was refused at 10:02:12 ('],
    ['no end is known', ['10:02:20', '10:02:12'], null, '2 requests were refused 10:02:12 - 10:02:20 ('],
    ['failures behind the end', ['10:02:12', '10:02:31'], at('10:02:29'), 'refused 10:02:12 - 10:02:31 (']
  ])('%s', (_name, times, untilMs, want) => {
    const [sentence] = saysOf(
      'connection_refused',
      times.map(time => failed(time, { untilMs }))
    )
    expect(sentence).toContain(want)
  })

  test('what became of requests goes by the cause', () => {
    const fates = (['premature_close', 'read_timeout', 'no_endpoints', 'header_too_big'] as const).map(
      cause => /were ([a-z ]+?) (?:until|10)/.exec(saysOf(cause, [failed('10:02:12'), failed('10:02:13')])[0]!)?.[1]
    )
    expect(fates).toEqual(['cut off', 'not answered in time', 'turned away', 'affected'])
  })

  test('where nothing tells a reason, what would', () => {
    const more = { rootCause: 'undetermined', ref: null, confidence: 0, wouldDecide: ['a trace', 'logs'] } as const
    const { shown } = whyTexts(
      'read_timeout',
      tallyOf([failed('10:02:12', { ...more, wouldDecide: [...more.wouldDecide] })]),
      CLOCK
    )
    expect(shown[0]!.sentence).toBe('the state of the cluster tells no reason for 1 failure')
    expect(shown[0]!.advice).toBe('would decide: a trace; logs')
  })

  test('nothing is said where nobody was asked', () => {
    const nobody = [null, { isKnown: false, diagnosis: null }].map(
      judgement => ({ timeMs: at('10:02:12'), judgement }) as Failure
    )
    expect(whyTexts('connection_refused', tallyOf(nobody), CLOCK)).toEqual({ shown: [], rest: '' })
  })
})

describe('bounds', () => {
  test('four citations, and no control characters in them', () => {
    const evidence = Array.from({ length: 9 }, (_, i) => ({ cite: `Pod shop/\u001b[31m${i}`, atMs: null, text: '' }))
    const [one] = whyTexts('connection_refused', tallyOf([failed('10:02:12', { evidence })]), CLOCK).shown
    expect(one!.evidence).toHaveLength(4)
    expect(one!.evidence.join('')).not.toContain('\u001b')
  })

  test('three reasons; the others are counted: pods of the same reason are no other reason', () => {
    const sameReason = [1, 1, 1, 2, 2, 3, 4, 5].map(number => failed('10:02:12', pod(number)))
    const { shown, rest } = whyTexts('connection_refused', tallyOf(sameReason), CLOCK)
    expect(shown.map(({ sentence }) => /^shop\/cart-\d/.exec(sentence)?.[0])).toEqual([
      'shop/cart-1',
      'shop/cart-2',
      'shop/cart-3'
    ])
    expect(rest).toBe(
      '2 more failures for the same reason, of other pods or at other times: --format ndjson has them all'
    )
    const other = failed('10:03:00', { rootCause: 'app_crash', ref: 'Pod shop/cart-9' })
    expect(whyTexts('connection_refused', tallyOf([...sameReason, other]), CLOCK).rest).toBe(
      '3 more failures for other reasons: --format ndjson has them all'
    )
  })

  test('fifty are kept apart; none is lost', () => {
    const tally = tallyOf(Array.from({ length: 70 }, (_, i) => failed('10:02:12', pod(i))))
    expect(tally.sorted()).toHaveLength(50)
    expect(tally.others).toBe(20)
    expect(whyTexts('connection_refused', tally, CLOCK).rest).toMatch(/^67 more failures for other reasons/)
  })

  test('one end of a container is one reason, the next end another', () => {
    const ends = ['10:02:11', '10:05:40', '10:05:40'].map(time => failed('10:05:41', { atMs: at(time) }))
    expect(
      tallyOf(ends)
        .sorted()
        .map(({ count }) => count)
    ).toEqual([2, 1])
  })
})

test('the order of failures does not matter', () => {
  const failure = fc
    .record({
      second: fc.integer({ min: 10, max: 59 }),
      number: fc.integer({ min: 1, max: 4 }),
      confidence: fc.constantFrom(0.55, 0.75, 0.93),
      rootCause: fc.constantFrom('oom_killed' as const, 'app_crash' as const)
    })
    .map(({ second, number, confidence, rootCause }) =>
      failed(`10:02:${second}`, { ...pod(number), confidence, rootCause, untilMs: null })
    )
  const pairs = fc
    .array(failure, { minLength: 1, maxLength: 30 })
    .chain(failures => fc.tuple(fc.constant(failures), fc.shuffledSubarray(failures, { minLength: failures.length })))
  fc.assert(
    fc.property(pairs, ([one, other]) => {
      expect(whyTexts('connection_refused', tallyOf(other), CLOCK)).toEqual(
        whyTexts('connection_refused', tallyOf(one), CLOCK)
      )
    }),
    { numRuns: 200 }
  )
})
