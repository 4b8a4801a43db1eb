/** Runs cases of a test file, one test each. */

import { describe, expect, test } from 'vitest'
import type { DiagnosisCase, Shop } from './caseBuilder.ts'
import { caseVerdict } from './caseVerdict.ts'
import { mismatches } from './expectation.ts'
import type { AnyObject } from './objectTypes.ts'

export function testCases(name: string, cases: readonly DiagnosisCase[]): void {
  describe(name, () => {
    test.each(cases.map(one => [one.title, one] as const))('%s', (_title, one) => {
      expect(mismatches(one.expect, caseVerdict(one))).toEqual([])
    })
  })
}

const PREFIX = 'nginx.ingress.kubernetes.io/'

/** Annotations of the shop's Ingress, without their prefix. */
export function annotate(shop: Shop, annotations: Record<string, string>): void {
  for (const [name, value] of Object.entries(annotations)) shop.ingress.metadata.annotations[`${PREFIX}${name}`] = value
}

/** Any object of a kind that the builder does not know, made ten days before. */
export function addObject(
  shop: Shop,
  kind: string,
  namespace: string | null,
  name: string,
  fields: object,
  created = -864_000
): AnyObject {
  const object = {
    kind,
    metadata: {
      name,
      ...(namespace === null ? {} : { namespace }),
      uid: `${kind}-${namespace}-${name}`,
      creationTimestamp: shop.at(created)
    },
    ...fields
  }
  return shop.add(object as unknown as AnyObject)
}

/** `Ingress shop/cart metadata.annotations[nginx.ingress.kubernetes.io/auth-url]`. */
export function annotationCite(shop: Shop, name: string): string {
  return `Ingress ${shop.namespace}/${shop.ingress.metadata.name} metadata.annotations[${PREFIX}${name}]`
}

/** The pod of the ingress controller. */
export function controllerPod(shop: Shop): AnyObject {
  const found = shop.objects.find(object => object.kind === 'Pod' && object.metadata.namespace === 'ingress-nginx')
  if (found === undefined) throw new Error('the shop has no controller')
  return found
}
