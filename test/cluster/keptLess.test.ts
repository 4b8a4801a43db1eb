/** Of settings, last words and durations less is kept than the API tells. */
import { expect, test } from 'vitest'
import { keptObject } from '../../src/cluster/keptFields.ts'

function object(kind: string, rest: object): object {
  return { kind, metadata: { name: 'a', namespace: 'shop' }, ...rest }
}

test("of the controller's ConfigMap what rules read, of other entries the name", () => {
  const data = {
    'ssl-session-ticket-key': 'dGlja2V0LWtleQ==',
    'jaeger-password': 'hunter',
    'datadog-collector-host': 'agent.shop',
    'use-gzip': 'true',
    'upstream-keepalive-timeout': '30',
    'http-snippet': 'proxy_set_header Authorization "Basic eA==";',
    'global-auth-url': 'http://u:p@auth.idp/check?token=1',
    constructor: 'x'
  }
  for (const metadata of [
    { name: 'ingress-nginx-controller' },
    { name: 'x', labels: { 'app.kubernetes.io/name': 'ingress-nginx' } }
  ])
    expect(keptObject({ kind: 'ConfigMap', metadata, data })).toMatchObject({
      data: {
        'ssl-session-ticket-key': '***',
        'jaeger-password': '***',
        'datadog-collector-host': '***',
        'use-gzip': 'true',
        'upstream-keepalive-timeout': '30',
        'http-snippet': 'proxy_set_header',
        'global-auth-url': 'http://auth.idp/check?***',
        constructor: '***'
      }
    })
})

test('of the last words of a program two hundred characters, without what may be a secret', () => {
  const said = (message: string): unknown =>
    (
      keptObject(
        object('Pod', { status: { containerStatuses: [{ name: 'app', lastState: { terminated: { message } } }] } })
      ) as { status?: { containerStatuses: { lastState: { terminated: { message?: string } } }[] } }
    ).status!.containerStatuses[0]!.lastState.terminated.message
  expect(said('bind: address already in use')).toBe('bind: address already in use')
  expect(said('call failed, Authorization: Bearer eyJhbGciOi, password=hunter2 token: abc')).toBe(
    'call failed, Authorization: *** ***, password=*** token: ***'
  )
  expect(said('GET http://u:p@idp/check?code=1 failed')).toBe('GET http://idp/check?*** failed')
  expect(said('x'.repeat(10_000_000))).toHaveLength(200)
  const long = said(`${'x'.repeat(190)} password=hunter2 and more`) as string
  expect([long.length, said(long)]).toEqual([200, long])
})

test('durations that no date can hold are left out', () => {
  const kept = (seconds: number): unknown =>
    keptObject({
      kind: 'Pod',
      metadata: { name: 'a', deletionGracePeriodSeconds: seconds },
      spec: { terminationGracePeriodSeconds: seconds }
    })
  expect(kept(1e9)).toMatchObject({ metadata: { deletionGracePeriodSeconds: 1e9 } })
  expect(kept(1e15)).toEqual({ kind: 'Pod', metadata: { name: 'a' }, spec: {} })
})
