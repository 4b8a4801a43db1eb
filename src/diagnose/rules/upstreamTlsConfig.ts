import { alertOf, hintsOf, spoken } from '../backendProtocol.ts'
import { nameOf } from '../fact.ts'
import type { Rule } from '../rule.ts'
import { annotationFact } from '../setting.ts'

/** Alerts that speak of the handshake's parameters, and which annotations decide them. */
const ALERTS: ReadonlyMap<number, readonly string[]> = new Map([
  [40, ['proxy-ssl-server-name', 'proxy-ssl-protocols', 'proxy-ssl-ciphers', 'proxy-ssl-secret']],
  [70, ['proxy-ssl-protocols', 'proxy-ssl-server-name']],
  [71, ['proxy-ssl-ciphers', 'proxy-ssl-protocols', 'proxy-ssl-server-name']],
  [80, ['proxy-ssl-server-name', 'proxy-ssl-secret']],
  [112, ['proxy-ssl-server-name', 'proxy-ssl-name']],
  [116, ['proxy-ssl-secret', 'proxy-ssl-server-name']]
])

/** The backend speaks TLS and refuses the handshake: no server name, no protocol or cipher in common, no client certificate. */
export const upstreamTlsConfig: Rule = {
  cause: 'upstream_tls_config',
  judge(scene) {
    const { ingress, input } = scene
    const alert = alertOf(input.detail.error)
    const names = alert === null ? undefined : ALERTS.get(alert)
    const { protocol, setting } = spoken(scene)
    if (names === undefined || ingress === null || setting.fact === null) return null
    if (protocol !== 'HTTPS' && protocol !== 'GRPCS') return null
    const facts = names.map(name => {
      const value = scene.annotation(name)
      const text = value === null ? `${name} is not set` : `${name} is ${value}`
      return annotationFact(scene, name, `${text}; the backend answered with TLS alert ${alert}`)!
    })
    return {
      tier: 'B',
      ref: nameOf(ingress.history),
      atMs: null,
      needs: [setting.fact, ...facts],
      supports: hintsOf(scene)
        .filter(({ speech }) => speech === 'tls')
        .map(({ fact }) => fact)
    }
  }
}
