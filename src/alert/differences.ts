/** What is different between two versions of an object, in a few words. */

import type { PodTemplate } from '../cluster/objects.ts'
import { clip } from '../text.ts'

const TOLD_MAX = 3
const VALUE_CHARS_MAX = 60
const DEPTH_MAX = 12

/** The same values, in whatever order their keys stand. */
export function sameValue(a: unknown, b: unknown): boolean {
  return a === b || textOf(a) === textOf(b)
}

/** `image cart:1 → cart:2`; '': no image changed. */
export function imageChanges(before: PodTemplate | undefined, now: PodTemplate | undefined): string {
  const old = imagesOf(before)
  const told: string[] = []
  for (const [container, image] of imagesOf(now)) {
    const was = old.get(container)
    if (was !== undefined && was !== image) told.push(`image ${valueText(was)} → ${valueText(image)}`)
  }
  return joined(told)
}

/** `proxy-read-timeout 60 → 5`; '': nothing changed. */
export function differences(before: Record<string, unknown>, now: Record<string, unknown>): string {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort()
  const told: string[] = []
  for (const key of keys) {
    const [old, value] = [own(before, key), own(now, key)]
    if (sameValue(old, value)) continue
    const name = clip(key.slice(key.lastIndexOf('/') + 1), VALUE_CHARS_MAX)
    told.push(`${name} ${valueText(old)} → ${valueText(value)}`)
  }
  return joined(told)
}

function joined(told: readonly string[]): string {
  const more = told.length - TOLD_MAX
  return `${told.slice(0, TOLD_MAX).join(', ')}${more > 0 ? `, and ${more} more` : ''}`
}

function imagesOf(template: PodTemplate | undefined): Map<string, string> {
  const containers = template?.spec?.containers
  const images = new Map<string, string>()
  if (!Array.isArray(containers)) return images
  for (const container of containers) if (container?.image !== undefined) images.set(container.name, container.image)
  return images
}

function own(record: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined
}

function valueText(value: unknown): string {
  if (value === undefined || value === null) return 'none'
  return clip(typeof value === 'string' ? value : textOf(value), VALUE_CHARS_MAX)
}

/** JSON with its keys in order. What lies deeper than any object of Kubernetes is not compared. */
function textOf(value: unknown, depth = 0): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'none'
  if (depth >= DEPTH_MAX) return '…'
  if (Array.isArray(value)) return `[${value.map(item => textOf(item, depth + 1)).join(',')}]`
  const entries = Object.entries(value as Record<string, unknown>).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${textOf(item, depth + 1)}`).join(',')}}`
}
