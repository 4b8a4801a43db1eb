/** Which names are rotations of which, and in what order. */
import { describe, expect, test } from 'vitest'
import { compareGenerations, generationOf } from '../../src/source/generation.ts'

const POD = '/var/log/pods/ingress_controller-q4wnd_0f1e2d3c-1111-2222-3333-444455556666/controller'

test.each([
  // folder, names from old to new
  ['/var/log/nginx', ['access.log.3.gz', 'access.log.2.gz', 'access.log.1', 'access.log']],
  ['/var/log/nginx', ['access.log-20261119.gz', 'access.log-20261120', 'access.log']],
  ['/var/log/nginx', ['access.log.2026-11-21_09', 'access.log.2026-11-21_10', 'access.log']],
  ['/var/log/nginx', ['access.log-20261121-1732184400', 'access.log-20261121-1732188000', 'access.log']],
  [POD, ['0.log.20261121-093012.gz', '0.log.20261121-101010', '0.log', '1.log']]
])('%s: %j', (folder, names) => {
  const files = names.map((name, i) => ({ name, generation: generationOf(folder, name), modifiedMs: i }))
  expect(new Set(files.map(({ generation }) => generation.family)).size).toBe(1)
  const shuffled = [...files].reverse().sort(compareGenerations)
  expect(shuffled.map(({ name }) => name)).toEqual(names)
})

test('an address is no rotation', () => {
  expect(generationOf('/var/log', '10.42.1.7')).toMatchObject({ kind: 'base', isBase: true })
})

describe('names that are long runs of digits', () => {
  // A container's id is hexadecimal: one of digits alone is rare, and a cluster has many containers.
  test.each([
    ['of kubelet', `pod_ns_controller-${'2'.repeat(64)}.log`],
    ['without an end', `access.log.${'20261121'.repeat(30)}x`],
    ['with dots', `access.log.2026${'.1'.repeat(100)}x`]
  ])('%s', (_name, name) => {
    expect(generationOf('/var/log/containers', name)).toMatchObject({ kind: 'base', isBase: true })
  })
})
