/** The state of the cluster as files: a recording of its watch, or what `kubectl get -o json` prints. */

import type { KubeObject } from '../../../src/cluster/objects.ts'
import { apiOf } from '../../../src/cluster/resources.ts'
import type { Shop } from './shop.ts'

/** One event a line, as the record holds them. */
export function recordingText(shop: Shop, toMs: number): string {
  return shop.api
    .recording(shop.beginMs, toMs)
    .map(event => `${JSON.stringify(event)}\n`)
    .join('')
}

/** `kubectl get pods,services,… -A -o json` after everything. */
export function snapshotText(shop: Shop): string {
  const items = shop.api.objects().map(withVersion)
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 1)}\n`
}

/** `/apis/apps/v1` → `apps/v1`, `/api/v1` → `v1`. */
function withVersion(object: KubeObject): object {
  return { apiVersion: apiOf(object.kind).replace(/^\/apis?\//, ''), ...object }
}
