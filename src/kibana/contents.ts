/** Everything that a Kibana of some version gets, in the order in which it is put there. Pure but for hashes. */

import { DASHBOARDS } from '../dashboards/dashboards.ts'
import { dashboardObject } from './dashboardBody.ts'
import type { KibanaObject } from './object.ts'
import { RULES, ruleObject } from './ruleBody.ts'
import { dataViews, savedQueries } from './savedObjects.ts'

export interface KibanaVersion {
  number: string
  /** The API of dashboards in its lasting form: 9.5 and later. */
  hasDashboards: boolean
  /** An alert for each row of ES|QL: 9.1 and later. */
  hasRows: boolean
}

export function kibanaObjects(
  space: string,
  { hasDashboards, hasRows }: Pick<KibanaVersion, 'hasDashboards' | 'hasRows'>
): KibanaObject[] {
  return [
    ...dataViews(space),
    ...savedQueries(space),
    ...(hasDashboards ? DASHBOARDS.map(dashboard => dashboardObject(dashboard, space)) : []),
    ...RULES.map(rule => ruleObject(rule, space, hasRows))
  ]
}
