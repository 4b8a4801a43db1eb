import { nameOf } from '../fact.ts'
import { readyFacts } from '../readyFacts.ts'
import type { Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'

const SLOW_MS = 5_000

/** The client left before the answer, and nothing was wrong with the pod. */
export const clientAbort: Rule = {
  cause: 'client_abort',
  judge(scene) {
    const { pod, container, input, symptom, ingress } = scene
    const isTimeout = symptom === 'client_timeout'
    if (!isTimeout && input.status !== null && input.status !== 499) return null
    if (isTimeout || pod === null) {
      const timeout = scene.setting('client-body-timeout').fact
      const waits = (isTimeout && timeout) || scene.setting('proxy-read-timeout').fact
      const owner = ingress ?? scene.configMap
      if (owner === null || waits === null) return null
      const needs = [{ ...waits, text: `${waits.text}${waited(scene)}` }]
      return { tier: 'B', ref: nameOf(owner.history), atMs: null, needs, isUnobserved: !isTimeout }
    }
    const { ready } = pod
    if (ready.status !== 'True') return { because: `${pod.ref} was not Ready` }
    if (pod.isBeingDeleted) return { because: `${pod.ref} had been asked to go` }
    const isDown = container !== null && pod.down(container.name) !== null
    if (isDown) return { because: `a container of ${pod.ref} had ended` }
    const facts = readyFacts(pod, `${pod.ref} was Ready${waited(scene)}`).slice(0, 1)
    const isSlow = (input.detail.requestTimeMs ?? 0) > SLOW_MS
    return {
      tier: 'B',
      ref: ingress === null ? pod.ref : nameOf(ingress.history),
      atMs: null,
      needs: facts,
      alternatives: isSlow ? [{ cause: 'app_slow', tier: 'C', facts }] : [],
      isInferred: ready.isInferred
    }
  }
}

/** A round time is a timeout of the client. */
function waited({ input }: Scene): string {
  const ms = input.detail.requestTimeMs
  if (ms === null) return ''
  const isRound = ms >= 1000 && Math.min(ms % 1000, 1000 - (ms % 1000)) <= 20
  const what = isRound ? ', which looks like its timeout' : ms > SLOW_MS ? ', so the app may be slow' : ''
  return `, and the client left after ${ms / 1000} s${what}`
}
