/** What of the chart is generated is what the program says; test/integration/kubernetes/chart*.test.ts render and apply it. */
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { watchRules } from '../../src/check/rbac.ts'
import { CLUSTER_KINDS } from '../../src/cluster/objects.ts'
import { DEFAULT_KINDS, resourceOf } from '../../src/cluster/resources.ts'
import { KIND_NEEDS } from '../../src/diagnose/kindNeeds.ts'
import { VERSION } from '../../src/version.ts'
import { CHART, chartText, rbacFile, readmeWithValues, schemaWithOptions } from '../support/chartFiles.ts'
import { rulesText } from '../support/prometheusRule.ts'

test.each([
  ['files/rbac.yaml', () => rbacFile()],
  ['files/why5xx.rules.yaml', () => rulesText()],
  ['values.schema.json', () => schemaWithOptions(chartText('values.schema.json'))],
  ['README.md', () => readmeWithValues(chartText('README.md'), chartText('values.yaml'))]
])('%s is what it is made from', async (file, text) => {
  await expect(text()).toMatchFileSnapshot(`${CHART}/${file}`)
})

test('the chart installs the version that this is', () => {
  expect(parse(chartText('Chart.yaml'))).toMatchObject({ appVersion: VERSION })
})

test('full rights are every kind the watch lists, and nothing that writes or lists Secrets', () => {
  const { full, smallest, podMetrics, certificates, controller } = watchRules()
  const granted = [full.namespaced, full.cluster, podMetrics, certificates].flat()
  const named = granted.flatMap(({ apiGroups, resources }) => resources.map(name => `${apiGroups.join()}/${name}`))
  const listed = DEFAULT_KINDS.map(kind => `${resourceOf(kind).group}/${resourceOf(kind).plural}`)
  expect(named.sort()).toEqual(listed.sort())
  expect(full.cluster.flatMap(({ resources }) => resources)).toHaveLength(CLUSTER_KINDS.size)
  const all = [...granted, ...controller]
  expect([...new Set(all.flatMap(({ verbs }) => verbs))].sort()).toEqual(['get', 'list', 'watch'])
  expect(all.flatMap(({ resources }) => resources)).not.toContain('secrets')
  expect(smallest.cluster).toEqual([])
  expect(smallest.namespaced.flatMap(({ resources }) => resources).sort()).toEqual([
    'endpointslices',
    'events',
    'ingresses',
    'pods',
    'services'
  ])
})

test('what its README says is told with a kind are root causes that there are', () => {
  const section = chartText('README.md').split('## What it may read')[1]!.split('\n## ')[0]!
  const rows = section.split('\n').filter(line => line.startsWith('|'))
  const named = rows.flatMap(row => [...row.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)].map(([, name]) => name!))
  const known = new Set<string>(Object.values(KIND_NEEDS).flatMap(({ causes }) => (causes === 'all' ? [] : causes)))
  expect(named.length).toBeGreaterThan(10)
  expect(named.filter(name => !known.has(name))).toEqual([])
})
