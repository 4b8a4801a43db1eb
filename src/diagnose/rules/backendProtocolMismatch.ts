import { alertOf, type Hint, hintsOf, sayingOf, spoken } from '../backendProtocol.ts'
import { nameOf } from '../fact.ts'
import type { Rule } from '../rule.ts'

const TLS = ['HTTPS', 'GRPCS']
const PLAIN = ['HTTP', 'AUTO_HTTP']

/** The controller speaks another protocol than the backend. */
export const backendProtocolMismatch: Rule = {
  cause: 'backend_protocol_mismatch',
  judge(scene) {
    const { input, symptom, ingress } = scene
    const { error, bodyHint, upstreamStatus } = input.detail
    const owner = ingress ?? scene.service
    if (owner === null) return null
    const { protocol, setting } = spoken(scene)
    const hints = hintsOf(scene)
    if (alertOf(error) !== null) return { because: 'the backend answered with a TLS alert: it speaks TLS' }
    const is400 = input.status === 400 || upstreamStatus === 400
    const saying = sayingOf(error, bodyHint)
    const isSaid = saying?.asked.includes(protocol) === true
    if (symptom === 'upstream_error' && !is400 && !isSaid) return null
    const against = contradicting(protocol, hints)
    const different = isSaid ? hints.filter(({ speech }) => !agrees(protocol, speech)) : against
    if (!isSaid && against.length === 0) return null
    const facts = different.map(({ fact }) => fact)
    const own =
      setting.fact === null ? [] : [{ ...setting.fact, text: textOf(protocol, setting.fact.text, saying?.text) }]
    return {
      tier: 'A',
      ref: nameOf(owner.history),
      atMs: null,
      // Without a text the hint is half of the contradiction.
      needs: isSaid ? own : [...own, ...facts],
      supports: isSaid ? facts : [],
      isUnobserved: setting.fact === null
    }
  }
}

/** Hints at another protocol, where none hints at the one that is spoken. */
function contradicting(protocol: string, hints: readonly Hint[]): Hint[] {
  const against = hints.filter(({ speech }) => !agrees(protocol, speech))
  return against.length === hints.length ? against : []
}

function agrees(protocol: string, speech: Hint['speech']): boolean {
  if (TLS.includes(protocol)) return speech === 'tls' || (speech === 'grpc' && protocol === 'GRPCS')
  if (protocol === 'GRPC') return speech === 'grpc'
  // FastCGI and what else there may be: nothing hints at it.
  return PLAIN.includes(protocol) ? speech === 'plain' : true
}

function textOf(protocol: string, text: string, saying: string | undefined): string {
  return `${text}: the controller speaks ${protocol}${saying === undefined ? '' : `, and ${saying}`}`
}
