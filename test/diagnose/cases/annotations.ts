/** A location that a bad annotation disables, `ingress_annotation_denied`, and empty backends that have other reasons. */

import { type DiagnosisCase, ref, type Shop, shopCase } from '../support/caseBuilder.ts'
import { addSecret, allSay503, annotate, annotation } from '../support/edgeObjects.ts'
import { metadata } from '../support/objectMaker.ts'
import type { AnyObject } from '../support/objectTypes.ts'

const PARSING_FAILED = 'AnnotationParsingFailed'
const BY = { by: 'nginx-ingress-controller' }

function cites(shop: Shop, name: string, value: string): string {
  return `${ref(shop.ingress)} annotations[${annotation(name)}]=${value}`
}

function wantsPassword(shop: Shop, secret = 'users'): void {
  annotate(shop.ingress, { 'auth-type': 'basic', 'auth-secret': secret })
}

export const CASES: DiagnosisCase[] = [
  shopCase('annotation-no-secret', 'pods are ready; the Secret of the users is absent', shop => {
    wantsPassword(shop)
    shop.fails('no_endpoints', null)
    return {
      root_cause: 'ingress_annotation_denied',
      must_cite: [cites(shop, 'auth-secret', 'users'), `Secret ${shop.namespace}/users absent`],
      must_not: ['stale_endpoints', 'named_port_missing', 'selector_mismatch', 'controller_config_error']
    }
  }),

  shopCase('annotation-event', 'the controller said that it cannot read an annotation', shop => {
    annotate(shop.ingress, { 'whitelist-source-range': '10.0.0.0/33' })
    const message = 'annotation nginx.ingress.kubernetes.io/whitelist-source-range does not contain a valid value'
    shop.addEvent(shop.ingress, PARSING_FAILED, message, { first: -2400, last: -20, ...BY })
    shop.fails('auth_failure', null, { status: 503 })
    return {
      root_cause: 'ingress_annotation_denied',
      must_cite: [`Event ${ref(shop.ingress)} reason=${PARSING_FAILED}`],
      must_not: ['request_denied', 'auth_backend_failing', 'stale_endpoints']
    }
  }),

  shopCase('annotation-secret-abroad', 'the Secret of the users is in another namespace', shop => {
    wantsPassword(shop, 'identity/users')
    addSecret(shop, 'users', 'auth', 'identity')
    shop.fails('no_endpoints', null)
    return {
      root_cause: 'ingress_annotation_denied',
      must_cite: [cites(shop, 'auth-secret', 'identity/users')],
      must_not: ['stale_endpoints', 'controller_config_error', 'cite:Secret identity/users absent']
    }
  }),

  shopCase('annotation-headers', 'the ConfigMap with headers for who gives permission is absent', shop => {
    annotate(shop.ingress, {
      'auth-url': 'http://198.51.100.9/verify',
      'auth-proxy-set-headers': `${shop.namespace}/headers`
    })
    shop.fails('no_endpoints', null)
    return {
      root_cause: 'ingress_annotation_denied',
      must_cite: [
        cites(shop, 'auth-proxy-set-headers', `${shop.namespace}/headers`),
        `ConfigMap ${shop.namespace}/headers absent`
      ],
      must_not: ['stale_endpoints', 'auth_backend_failing']
    }
  }),

  shopCase(
    'annotation-but-unready',
    'the Secret is absent, but no pod is ready either',
    shop => {
      wantsPassword(shop)
      allSay503(shop)
      shop.fails('no_endpoints', null)
      return {
        root_cause: 'readiness_failing',
        must_cite: [`${ref(shop.pods[0])} conditions[Ready].status=False`],
        must_not: ['ingress_annotation_denied']
      }
    },
    { replicas: 1 }
  ),

  // "else stale_endpoints (C)": the table's last word for pods that are ready.
  shopCase('annotation-event-later', 'the annotation was spoilt a minute after the failure', shop => {
    const message = 'annotation nginx.ingress.kubernetes.io/limit-rps does not contain a valid value'
    shop.addEvent(shop.ingress, PARSING_FAILED, message, { first: 60, last: 100, ...BY })
    shop.fails('no_endpoints', null)
    return {
      root_cause: 'stale_endpoints',
      acceptable: ['undetermined'],
      must_not: ['ingress_annotation_denied', 'selector_mismatch']
    }
  }),

  shopCase('annotation-of-other', 'an annotation of another Ingress cannot be read', shop => {
    const other = shop.addIngress('admin', 'admin.example.com', shop.app)
    annotate(other, { 'auth-type': 'basic', 'auth-secret': 'nobody' })
    shop.addEvent(other, PARSING_FAILED, 'error reading auth secret', { first: -900, last: -10, ...BY })
    shop.fails('no_endpoints', null)
    return {
      root_cause: 'stale_endpoints',
      acceptable: ['undetermined'],
      must_not: ['ingress_annotation_denied', `cite:${ref(other)}`]
    }
  }),

  shopCase('annotation-secret-unreadable', 'Secrets cannot be read: none is absent', shop => {
    wantsPassword(shop)
    addSecret(shop, 'users', 'auth')
    shop.unreadable = ['Secret']
    shop.fails('no_endpoints', null)
    return {
      root_cause: 'stale_endpoints',
      acceptable: ['undetermined'],
      must_not: ['ingress_annotation_denied', `cite:Secret ${shop.namespace}/users absent`]
    }
  }),

  shopCase('annotation-secret-created-later', 'the Secret came two minutes after the failure', shop => {
    wantsPassword(shop)
    const secret: AnyObject = addSecret(shop, 'users', 'auth')
    Object.assign(secret.metadata, metadata('Secret', shop.namespace, 'users', shop.at(110)))
    shop.fails('no_endpoints', null)
    return {
      root_cause: 'ingress_annotation_denied',
      must_cite: [cites(shop, 'auth-secret', 'users')],
      must_not: ['stale_endpoints', 'undetermined']
    }
  })
]
