import '../support/seed.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { objectOf, parseCitation } from '../../src/diagnose/citation.ts'

const POD = { kind: 'Pod', namespace: 'shop', name: 'a-1', isEvent: false }

describe('citations are taken apart', () => {
  test.each([
    [
      'a list member by its name',
      'Pod shop/a-1 status.containerStatuses[app].restartCount=3',
      { ...POD, fields: 'status.containerStatuses.restartCount', keys: ['app'], value: '3' }
    ],
    [
      'a key of a map that holds an equals sign and a colon',
      'Pod shop/a-1 metadata.annotations[nginx.ingress.kubernetes.io/auth-url]=http://a/?b=c',
      {
        ...POD,
        fields: 'metadata.annotations',
        keys: ['nginx.ingress.kubernetes.io/auth-url'],
        value: 'http://a/?b=c'
      }
    ],
    [
      'a path of an Ingress that is a regular expression',
      'Pod shop/a-1 spec.rules[*].http.paths[/v[0-9]+=x].backend=b',
      { ...POD, fields: 'spec.rules.http.paths.backend', keys: ['*', '/v[0-9]+=x'], value: 'b' }
    ],
    [
      'an absent field',
      'Pod shop/a-1 spec.lifecycle=absent',
      { ...POD, fields: 'spec.lifecycle', keys: [], value: null }
    ],
    ['an absent object', 'Pod shop/a-1 absent', { ...POD, path: '', fields: '', keys: [], value: null }],
    ['an event', 'Event Pod shop/a-1 reason=Killing', { ...POD, isEvent: true, fields: 'reason', value: 'Killing' }],
    [
      'a cluster kind',
      'Node worker-1 spec.unschedulable=true',
      { kind: 'Node', namespace: '', name: 'worker-1', isEvent: false, fields: 'spec.unschedulable', value: 'true' }
    ]
  ])('%s', (_name, cite, wanted) => {
    expect(parseCitation(cite)).toMatchObject(wanted)
  })

  test.each([
    '',
    'Pod',
    'Pod shop/a-1',
    'Pod shop/a-1 ',
    'pod shop/a x=1',
    'Pod shop/a-1 =1',
    'Pod a/b/c x=1',
    'Pod a b[c=1'
  ])('%j is none', text => {
    expect(parseCitation(text)).toBeNull()
  })
})

const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,8}$/)
const listKey = fc.string({ maxLength: 12 }).map(text => text.replace(/[[\]]/g, ''))

test('whatever is cited comes back', () => {
  const path = fc.array(fc.tuple(word, fc.option(listKey, { nil: null })), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(
      word,
      word,
      path,
      fc.string({ unit: 'binary' }),
      fc.boolean(),
      (namespace, name, steps, value, isEvent) => {
        const text = steps.map(([field, key]) => (key === null ? field : `${field}[${key}]`)).join('.')
        const citation = parseCitation(`${isEvent ? 'Event ' : ''}Pod ${namespace}/${name} ${text}=${value}`)
        expect(citation).toEqual({
          kind: 'Pod',
          namespace,
          name,
          isEvent,
          path: text,
          fields: steps.map(([field]) => field).join('.'),
          keys: steps.flatMap(([, key]) => (key === null ? [] : [key])),
          value: value === 'absent' ? null : value
        })
        expect(objectOf(citation!)).toBe(`Pod ${namespace}/${name}`)
      }
    )
  )
})

test('no text makes it throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      const citation = parseCitation(`Pod shop/a-1 ${text}`)
      expect(citation === null || citation.name === 'a-1').toBe(true)
    })
  )
})
