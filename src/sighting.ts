/** A judged failure as the alerts see it: masked, and with nothing of it that they do not need. */

import type { Cause } from '../parsers/causes.ts'
import { controllerPodName, type SightedRootCause, type Sighting } from './alert/sighting.ts'
import { rootCauseInfo, sentenceOf } from './diagnose/catalogue.ts'
import type { Diagnosis } from './diagnose/diagnosis.ts'
import type { Failure } from './model.ts'
import { ingressOf, namespaceOf, serviceName } from './store/diagnosisFields.ts'
import { type DocumentOptions, judgedFacts, PORT, requestFacts } from './store/documentFacts.ts'
import { lineId, sourceOf } from './store/identity.ts'
import type { RawFailure } from './store/sink.ts'
import { clip, safeText } from './text.ts'

/** As long as a field that can be searched. */
const TEXT_MAX = 1_024
const EVIDENCE_MAX = 5
/** A text that is cut out of a line keeps the whole line in memory: of longer ones it is copied. */
const LINE_KEPT_MAX = 4_096

type IdParts = Pick<Parameters<typeof lineId>[1], 'stream' | 'written' | 'byteOffset' | 'raw'>

export type SightingOptions = Pick<DocumentOptions, 'clusterName' | 'masker'>

/** Failures of one incident share their diagnosis: it is put into words once. */
const worded = new WeakMap<Diagnosis, SightedRootCause>()

export function sightingOf({ failure, source }: RawFailure, options: SightingOptions): Sighting {
  return new FailureSighting(failure, source, options)
}

class FailureSighting implements Sighting {
  readonly timeMs: number
  readonly upstream: string
  readonly service: string
  readonly namespace: string | null
  readonly ingress: string | null
  readonly cause: Cause
  readonly status: number | null
  readonly masked: boolean
  readonly counted: boolean
  readonly method: string | null
  readonly host: string | null
  readonly path: string | null
  readonly address: string | null
  readonly pod: string | null
  readonly node: string | null
  readonly controllerPod: string | null
  readonly rootCause: SightedRootCause | null
  #id: string | null = null
  /** What the id is made of, until somebody has asked for it. */
  #parts: { source: string; line: IdParts } | null

  constructor(failure: Failure, fallback: string, { clusterName, masker }: SightingOptions) {
    const { access, error, where, path, host } = requestFacts(failure, masker)
    const judged = judgedFacts(failure)
    const { line } = failure.access ?? failure.errors[0]!
    const own = line.raw.length > LINE_KEPT_MAX ? copied : cut
    const { diagnosis } = judged
    this.timeMs = Math.floor(failure.timeMs)
    this.upstream = own(failure.upstreamName) ?? ''
    this.service = own(serviceName(judged)) ?? ''
    this.namespace = own(namespaceOf(judged))
    this.ingress = own(ingressOf(judged))
    this.cause = failure.cause
    this.status = access?.status ?? null
    this.masked = failure.masked
    this.counted = failure.counted
    this.method = own(access?.method ?? error?.method ?? null)
    this.host = own(host?.replace(PORT, '') ?? null)
    this.path = own(path)
    this.address = own(where)
    this.pod = diagnosis?.names.pod ?? null
    this.node = diagnosis?.names.node ?? null
    this.controllerPod = line.pod === null ? null : own(controllerPodName(line.namespace, line.pod))
    this.rootCause = diagnosis && wordsOf(diagnosis)
    const { stream, written, byteOffset, raw } = line
    this.#parts = { source: sourceOf(clusterName, line, fallback), line: { stream, written, byteOffset, raw } }
  }

  id(): string {
    if (this.#parts !== null) {
      this.#id = lineId(this.#parts.source, this.#parts.line)
      this.#parts = null
    }
    return this.#id!
  }
}

/** Put into words once for all failures that share it. */
export function wordsOf(diagnosis: Diagnosis): SightedRootCause {
  let words = worded.get(diagnosis)
  if (words === undefined) {
    const { rootCause, variant, ref, atMs, confidence, evidence } = diagnosis
    words = {
      kind: rootCause,
      variant,
      ref,
      atMs,
      confidence,
      sentence: sentenceOf(diagnosis),
      evidence: evidence.slice(0, EVIDENCE_MAX).map(({ cite, text }) => ({ cite: safe(cite), text: safe(text) })),
      advice: rootCauseInfo(rootCause).advice
    }
    worded.set(diagnosis, words)
  }
  return words
}

function safe(text: string): string {
  return clip(safeText(text), TEXT_MAX)
}

function cut(text: string | null): string | null {
  return text === null ? null : clip(text, TEXT_MAX)
}

function copied(text: string | null): string | null {
  return text === null ? null : Buffer.from(clip(text, TEXT_MAX)).toString()
}
