/** Whether our templates and lifecycle policies are in a cluster, ours, and current: what `setup` would do there. */

import type { Client } from '@elastic/elasticsearch'
import type { ElasticsearchConfig } from '../clusterOptions.ts'
import { Why5xxError } from '../errors.ts'
import { statusOf } from '../store/elasticsearch/connection.ts'
import { lifecycleOf } from '../store/elasticsearch/open.ts'
import { type SetupResult, type SetupStep, setUp } from '../store/elasticsearch/setup.ts'
import { plural } from '../text.ts'
import { type Finding, hint, ok, problem } from './finding.ts'

const TEMPLATES = 'sink.elasticsearch'
const LIFECYCLE = 'sink.elasticsearch.lifecycle'

export async function checkTemplates(client: Client, config: ElasticsearchConfig): Promise<Finding[]> {
  const lifecycle = config.lifecycle === 'ilm' ? lifecycleOf(config) : null
  let result: SetupResult
  try {
    result = await setUp(client, { lifecycle, isDryRun: true })
  } catch (error) {
    if (!(error instanceof Why5xxError)) throw error
    // Who may write need not be allowed to look at templates.
    if (statusOf(error.cause) === 403)
      return [hint(TEMPLATES, 'our user may not see the templates', 'ask somebody who may: why5xx setup --dry-run')]
    return [problem(TEMPLATES, error.message, 'then run why5xx setup: without our templates types are guessed')]
  }
  const [policies, templates] = [true, false].map(isPolicy =>
    result.steps.filter(({ type }) => (type === 'lifecycle policy') === isPolicy)
  ) as [SetupStep[], SetupStep[]]
  const findings = [stepsFinding(TEMPLATES, templates, 'template', 'templates', problem)]
  if (policies.length > 0)
    findings.push(stepsFinding(LIFECYCLE, policies, 'lifecycle policy', 'lifecycle policies', hint))
  else if (lifecycle !== null)
    findings.push(
      hint(
        LIFECYCLE,
        'the cluster has no index lifecycle management: nothing deletes old indices',
        'set sink.elasticsearch.lifecycle to own: run deletes them'
      )
    )
  return findings
}

/** `missing`: how bad it is that one is not there. */
function stepsFinding(
  about: string,
  steps: SetupStep[],
  word: string,
  words: string,
  missing: typeof problem
): Finding {
  const namesOf = (outcome: SetupStep['outcome']): string[] =>
    steps.filter(step => step.outcome === outcome).map(({ name }) => name)
  const mend = 'run why5xx setup, with the rights to manage index templates'
  const [absent, other] = [namesOf('created'), namesOf('updated')]
  if (absent.length > 0)
    return missing(about, `${plural(absent.length, word, words)} missing: ${absent.join(', ')}`, mend)
  if (other.length > 0)
    return hint(about, `${plural(other.length, word, words)} of another version: ${other.join(', ')}`, mend)
  return ok(about, `${plural(steps.length, word, words)}, ours and current`)
}
