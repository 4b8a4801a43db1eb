/** Templates and policies in a real node, under names of this test's own. */
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type SetupOptions, type SetupStep, setUp } from '../../../src/store/elasticsearch/setup.ts'
import { nodeUrl, TestNamespace } from './node.ts'

const DAY_MS = 86_400_000

describe.skipIf(nodeUrl() === null)('setup on a real node', () => {
  let node: TestNamespace
  let options: SetupOptions & { prefix: string }

  beforeEach(() => {
    node = new TestNamespace()
    options = {
      lifecycle: { retentionMs: 30 * DAY_MS, rollupRetentionMs: 90 * DAY_MS },
      isDryRun: false,
      prefix: `why5xxes${randomUUID().slice(0, 8)}`
    }
  })

  afterEach(async () => {
    const { client } = node
    const { prefix } = options
    await client.indices.delete({ index: `${prefix}-*`, allow_no_indices: true, ignore_unavailable: true })
    await client.indices.deleteIndexTemplate({ name: `${prefix}*` }, { ignore: [404] })
    await client.cluster.deleteComponentTemplate({ name: `${prefix}*` }, { ignore: [404] })
    for (const name of [prefix, `${prefix}-rollup`]) await client.ilm.deleteLifecycle({ name }, { ignore: [404] })
    await node.remove()
  })

  const outcomes = (steps: SetupStep[]): string[] => [...new Set(steps.map(({ outcome }) => outcome))]
  const changed = (steps: SetupStep[]): string[] =>
    steps.filter(({ outcome }) => outcome !== 'unchanged').map(({ name, outcome }) => `${name} ${outcome}`)

  test('a dry run writes nothing, the first run everything, the second nothing', async () => {
    const dry = await setUp(node.client, { ...options, isDryRun: true })
    expect([dry.steps.length, outcomes(dry.steps)]).toEqual([11, ['created']])
    expect(outcomes((await setUp(node.client, options)).steps)).toEqual(['created'])
    expect(await setUp(node.client, options)).toMatchObject({
      notes: [],
      steps: dry.steps.map(step => ({ ...step, outcome: 'unchanged' }))
    })
  })

  test('an index of each kind takes the mapping and settings that are meant', async () => {
    await setUp(node.client, options)
    const index = `${options.prefix}-rollup-a-2026.11.21`
    await node.client.indices.create({ index })
    const { [index]: found } = await node.client.indices.get({ index })
    const rollup = (found!.mappings!.properties!.why5xx as { properties: Record<string, { properties: object }> })
      .properties.rollup!
    expect(rollup.properties).toMatchObject({ position: { type: 'long' }, duration_ms_sum: { type: 'double' } })
    expect(found!.mappings!.dynamic).toBe('false')
    expect(found!.settings!.index).toMatchObject({
      mode: 'logsdb',
      sort: { field: ['service.name', '@timestamp'] },
      lifecycle: { name: `${options.prefix}-rollup`, parse_origination_date: 'true' },
      mapping: { source: { mode: 'stored' } }
    })
    const state = `${options.prefix}-state-a`
    await node.client.indices.create({ index: state })
    expect((await node.client.indices.get({ index: state }))[state]!.settings!.index).not.toHaveProperty('mode')
  })

  test('another retention changes its policy, and leaves the tiers that somebody added', async () => {
    await setUp(node.client, options)
    const { prefix } = options
    const { policy } = (await node.client.ilm.getLifecycle({ name: prefix }))[prefix]!
    const phases = { ...policy.phases, warm: { min_age: '2d', actions: {} } }
    await node.client.ilm.putLifecycle({ name: prefix, policy: { ...policy, phases } as never })
    expect(changed((await setUp(node.client, options)).steps)).toEqual([])
    const shorter = { ...options, lifecycle: { retentionMs: 7 * DAY_MS, rollupRetentionMs: 90 * DAY_MS } }
    expect(changed((await setUp(node.client, shorter)).steps)).toEqual([`${prefix} updated`])
    expect((await node.client.ilm.getLifecycle({ name: prefix }))[prefix]!.policy.phases).toMatchObject({
      warm: { min_age: '2d' },
      delete: { min_age: '7d' }
    })
  })

  async function putSettings(meta: Record<string, unknown> | null): Promise<void> {
    await node.client.cluster.putComponentTemplate({
      name: `${options.prefix}-settings`,
      template: {},
      ...(meta !== null && { _meta: meta })
    })
  }

  test('an older template of ours is updated, and it is said from when that holds', async () => {
    await putSettings({ managed_by: 'why5xx', version: 0, content: 'x' })
    const { steps, notes } = await setUp(node.client, options)
    expect(steps.find(({ name }) => name.endsWith('-settings'))?.outcome).toBe('updated')
    expect(notes).toEqual([expect.stringContaining('next day')])
    expect(changed((await setUp(node.client, options)).steps)).toEqual([])
  })

  test.each([
    ['of somebody else', null, 'not made by why5xx'],
    ['of somebody else with notes of his own', { managed_by: 'terraform' }, 'not made by why5xx'],
    ['of a newer why5xx', { managed_by: 'why5xx', version: 99, content: 'x' }, 'made by a newer why5xx']
  ])('a template %s is named and left alone, and nothing else is written', async (_name, meta, text) => {
    await putSettings(meta)
    await expect(setUp(node.client, options)).rejects.toMatchObject({
      code: 'WHY5XX_STORE',
      message: expect.stringMatching(new RegExp(`${text}.*component template ${options.prefix}-settings`))
    })
    const { component_templates: found } = await node.client.cluster.getComponentTemplate({
      name: `${options.prefix}*`
    })
    expect(found.map(({ component_template: { template } }) => template)).toEqual([{}])
  })
})
