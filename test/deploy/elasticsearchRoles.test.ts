/** Roles as files: what they name is one namespace's own, and keys give what roles give. Tried on a real node in test/integration/. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DAILY_KINDS, IndexNames } from '../../src/store/elasticsearch/names.ts'
import { ROLE_NAMES, type RoleBody, shippedFile, shippedRole } from '../services/shippedRoles.ts'

const FOLDER = join(import.meta.dirname, '../../deploy/elasticsearch')
const readme = readFileSync(join(FOLDER, 'README.md'), 'utf8')
/** Names that begin or end alike, are kinds, or look like a day. */
const NAMESPACES = ['shop', 'shop2', 'shop_2', 'xshop', 'default', 'failure', 'state', 'incident', '2026', 'a', '_']

function matches(pattern: string, index: string): boolean {
  const parts = pattern.split('*').map(text => text.replace(/[^\w]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`).test(index)
}

function indicesOf(names: IndexNames): string[] {
  return [names.state, names.incident, ...DAILY_KINDS.map(kind => names.daily(kind, Date.UTC(2026, 10, 21)))]
}

test('patterns of a namespace take all of its indices and none of another', () => {
  for (const own of NAMESPACES)
    for (const other of NAMESPACES) {
      const { patterns } = new IndexNames(own)
      for (const index of indicesOf(new IndexNames(other)))
        expect([index, patterns.some(pattern => matches(pattern, index))]).toEqual([index, own === other])
    }
})

test.each(ROLE_NAMES)('%s names nothing but its namespace', name => {
  const { patterns, state, incident } = new IndexNames('shop')
  for (const { names } of shippedRole(name, 'shop').indices ?? [])
    for (const pattern of names) expect([...patterns, state, incident]).toContain(pattern)
})

test.each(['setup', 'writer', 'alert', 'reader'] as const)('a key of %s may do what the role may', name => {
  const { role_descriptors: descriptors } = shippedFile<{ role_descriptors: object }>(`api-key-${name}.json`)
  expect(Object.values(descriptors)).toEqual([shippedRole(name)])
})

test('in Kibana one may read what a reader may', () => {
  const { elasticsearch } = shippedFile<{ elasticsearch: RoleBody }>('why5xx-kibana.json')
  expect(elasticsearch.indices).toEqual(shippedRole('reader').indices)
})

test('the page names every file and the line that makes another namespace', () => {
  for (const name of ROLE_NAMES) expect(readme).toContain(`why5xx-${name}.json`)
  for (const name of ['writer', 'alert', 'reader']) expect(readme).toContain(`why5xx-${name}-default`)
  expect(readme).toContain("sed 's/-default/-shop/g'")
})
