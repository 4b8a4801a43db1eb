import { describe, expect, test } from 'vitest'
import { rootCauseInfo, sentenceOf } from '../../src/diagnose/catalogue.ts'
import type { Fact } from '../../src/diagnose/fact.ts'
import { ROOT_CAUSES } from '../../src/diagnose/rootCauses.ts'
import { bareDiagnosis, judged, NO_NAMES, sampleCases } from './support/judged.ts'

const AT = Date.UTC(2026, 10, 21, 10, 2, 11)

function facts(...cites: string[]): Fact[] {
  return cites.map(cite => ({ cite, atMs: null, text: 'a fact' }))
}

describe('sentences name the facts at hand', () => {
  test.each([
    ['VD-001', 'bookshop/basket-7016f59da-tq5vd was OOM-killed at 14:20:03 (limit 192Mi)'],
    [
      'VD-002',
      'container app of bookshop/invoices-0126068f5-k2k2k keeps dying, restarted 7 times (exit code 1: config: unknown key "smtp.hots")'
    ],
    [
      'VD-003',
      'bookshop/recommend-c513b7a02-r3r3r was not Ready since 19:28:45 (Readiness probe failed: HTTP probe failed with statuscode: 503)'
    ],
    ['VD-004', 'Service bookshop/authors selects app=author, but the pods are labelled app=authors'],
    ['VD-005', 'Service bookshop/images sends requests to port 8080, but the container opens 8000'],
    ['VD-007', 'NetworkPolicy treasury/only-internal keeps ingress-nginx from treasury/audit-46c5e935e-p1p1p'],
    ['VD-008', 'nginx speaks HTTPS to the backend of Ingress bookshop/press, which speaks something else'],
    ['VD-009', 'Ingress bookshop/events sends requests to Service bookshop/events-web, which is not there'],
    ['VD-010', 'bookshop/royalties-5b9669e98-a1a1a was Ready and did not answer within the timeout of 20 s'],
    [
      'VD-011',
      'the image of container app of bookshop/labels-eed616bc3-i1i1i could not be pulled (registry.example.com/bookshop/labels:latets)'
    ],
    [
      'VD-012',
      'bookshop/reviews-fffe18ece-k1k1k closes idle connections before nginx does (nginx keeps them for 60 s)'
    ],
    [
      'VD-006',
      'bookshop/gift-5d5d5d5d5-o1o1o was shutting down since 12:00:08 when the request came (a rollout replaced it)'
    ],
    ['VD-013', 'node pool-a-7 was not Ready since 02:59:46'],
    ['VD-014', 'the certificate in Secret bookshop/www-tls had expired (2025-08-15T00:00:00Z)']
  ])('of %s', (id, sentence) => {
    const one = sampleCases().find(other => other.id === id)!
    expect(sentenceOf(judged(one).diagnosis)).toBe(sentence)
  })

  test.each([
    [
      'a time in the zone of the reader',
      bareDiagnosis({ rootCause: 'oom_killed', ref: 'Pod shop/a-1', atMs: AT }),
      'shop/a-1 was OOM-killed at 11:02'
    ],
    [
      'a label that the pods do not have',
      bareDiagnosis({
        rootCause: 'selector_mismatch',
        ref: 'Service shop/a',
        evidence: facts(
          'Service shop/a spec.selector[app.kubernetes.io/name]=a',
          'Pod shop/a-1 metadata.labels[app.kubernetes.io/name]=absent'
        )
      }),
      'Service shop/a selects app.kubernetes.io/name=a, but the pods have no label app.kubernetes.io/name'
    ],
    [
      'what is wrong with a default backend',
      bareDiagnosis({
        rootCause: 'default_backend_unhealthy',
        ref: 'Pod shop/errors-1',
        chain: ['connection_refused', 'default_backend_unhealthy', 'oom_killed'],
        evidence: facts('Pod shop/errors-1 spec.containers[app].resources.limits.memory=64Mi')
      }),
      'the default backend did not answer: shop/errors-1 was OOM-killed (limit 64Mi)'
    ],
    [
      'a limit of the Ingress',
      bareDiagnosis({
        rootCause: 'rate_limit_hit',
        ref: 'Ingress shop/a',
        evidence: facts('Ingress shop/a metadata.annotations[nginx.ingress.kubernetes.io/limit-rps]=5')
      }),
      'a client was over the limit of Ingress shop/a (limit-rps 5)'
    ]
  ])('%s', (_name, diagnosis, wanted) => {
    expect(sentenceOf(diagnosis, ms => new Date(ms + 3_600_000).toISOString().slice(11, 16))).toBe(wanted)
  })
})

describe.each(ROOT_CAUSES)('%s', cause => {
  test('has a page', () => {
    const { title, meaning, advice, check, fix } = rootCauseInfo(cause)
    expect([title, advice, ...check, ...fix].filter(text => text === '' || /[\n.]$/.test(text))).toEqual([])
    expect(title.length).toBeLessThan(70)
    expect(meaning.split(/\. |\.$/).length).toBeGreaterThanOrEqual(2)
    expect(check.length * fix.length).toBeGreaterThan(0)
  })

  test('has a sentence also when nothing is known', () => {
    expect(sentenceOf(bareDiagnosis({ rootCause: cause }))).toMatch(/^[^\n]{12,}[^.]$/)
    expect(sentenceOf(bareDiagnosis({ rootCause: cause }))).not.toMatch(/null|undefined|NaN/)
  })

  test('a sentence holds no control character of an object', () => {
    const evil = `a\u001b[31m\u202e${'x'.repeat(5_000)}\n`
    const diagnosis = bareDiagnosis({
      rootCause: cause,
      variant: evil,
      ref: `Pod shop/${evil}`,
      wouldDecide: [evil],
      names: { ...NO_NAMES, namespace: evil, pod: evil, service: evil, ingress: evil, node: evil, container: evil },
      evidence: facts(
        `Pod shop/a status.message=${evil}`,
        `Pod shop/a status.containerStatuses[${evil}].state.terminated.message=${evil}`,
        `Event Pod shop/a message=${evil}`,
        `Ingress shop/a metadata.annotations[nginx.ingress.kubernetes.io/${evil}]=${evil}`,
        `Service shop/a spec.selector[${evil}.]=${evil}`,
        `Secret shop/\u202ea absent`
      )
    })
    const sentence = sentenceOf(diagnosis)
    expect(sentence).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(sentence.length).toBeLessThan(1_500)
  })
})
