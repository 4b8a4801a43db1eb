/**
 * What diagnosis is asked of a failure: from its records when it is judged at once, from its document when it is judged again.
 * Both must give the same, so everything is read as it is stored: masked.
 */

import type { Cause } from '../parsers/causes.ts'
import type { DiagnosisInput } from './diagnose/input.ts'
import type { Masker } from './mask.ts'
import type { Failure } from './model.ts'
import type { FailureDocument } from './store/document.ts'

export function inputOfFailure(failure: Failure, masker: Masker): DiagnosisInput {
  const access = failure.access?.record ?? null
  const error = failure.errors[failure.deciding]?.record ?? null
  const blamed = access?.attempts?.[failure.blamedAttempt] ?? null
  const { line } = failure.access ?? failure.errors[0]!
  const host = access?.host ?? failure.errors.find(({ record }) => record.host !== null)?.record.host ?? null
  return {
    symptom: failure.cause,
    timeMs: Math.trunc(failure.timeMs),
    namespace: present(access?.namespace),
    service: present(access?.service),
    port: null,
    upstreamAddress: blamed?.address ?? error?.upstreamAddress ?? null,
    status: access?.status ?? null,
    ingress: present(access?.ingress),
    host: withoutPort(masker.host(host)),
    path: masker.path(access?.path ?? error?.path ?? null),
    controllerNamespace: line.namespace,
    controllerPod: line.pod,
    detail: {
      error: error === null ? null : masker.message(error.message),
      method: access?.method ?? error?.method ?? null,
      requestTimeMs: access?.requestTimeMs ?? null,
      upstreamResponseTimeMs: blamed?.responseTimeMs ?? null,
      upstreamStatus: blamed?.status ?? null,
      upstreamName: present(access?.upstreamName),
      alternativeUpstreamName: present(access?.alternativeUpstreamName),
      client: masker.client(access?.client ?? error?.client ?? null),
      agent: masker.userAgent(access?.userAgent ?? null),
      bodyHint: null
    }
  }
}

/** The same, of a document that `inputOfFailure`'s failure was made into. */
export function inputOfDocument(document: FailureDocument): DiagnosisInput {
  const text = (path: string): string | null => (valueAt(document, path) as string | undefined) ?? null
  const number = (path: string): number | null => (valueAt(document, path) as number | undefined) ?? null
  const nanoseconds = number('event.duration')
  return {
    symptom: text('why5xx.cause') as Cause,
    timeMs: Date.parse(text('@timestamp')!),
    namespace: text('why5xx.logged.namespace'),
    service: text('why5xx.logged.service'),
    port: null,
    upstreamAddress: text('why5xx.upstream.address'),
    status: number('http.response.status_code'),
    ingress: text('why5xx.logged.ingress'),
    host: text('url.domain'),
    path: text('url.path'),
    controllerNamespace: text('why5xx.controller.namespace'),
    controllerPod: text('why5xx.controller.pod.name'),
    detail: {
      error: text('error.message'),
      method: text('http.request.method'),
      requestTimeMs: nanoseconds === null ? null : nanoseconds / 1_000_000,
      upstreamResponseTimeMs: number('why5xx.upstream.response_ms'),
      upstreamStatus: number('why5xx.upstream.status'),
      upstreamName: present(text('nginx_ingress_controller.access.upstream.name')),
      alternativeUpstreamName: present(text('nginx_ingress_controller.access.upstream.alternative_name')),
      client: text('source.address'),
      agent: text('user_agent.original'),
      bodyHint: null
    }
  }
}

/** A field of nested JSON by its path; undefined: not there. */
export function valueAt(document: object, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], document)
}

/** The document keeps no empty text apart from none. */
function present(text: string | null | undefined): string | null {
  return text === undefined || text === null || text === '' || text === '-' ? null : text
}

function withoutPort(host: string | null): string | null {
  return host?.replace(/:(\d{1,5})$/, '') ?? null
}
