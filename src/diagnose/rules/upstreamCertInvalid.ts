import type { Secret } from '../../cluster/objects.ts'
import { certificatesOf, covers, type Dated, endOf, namesFact } from '../certificates.ts'
import { listOf } from '../conditions.ts'
import type { Current } from '../current.ts'
import { type Fact, field, nameOf } from '../fact.ts'
import type { Rule } from '../rule.ts'
import type { Scene } from '../scene.ts'
import { annotationFact } from '../setting.ts'

/** OpenSSL's verify errors: 10 expired; 18 to 21 an issuer that nobody knows. */
const EXPIRED = 10
const ISSUER = new Set([18, 19, 20, 21])

/** The backend's certificate does not pass the verification that the Ingress asks for. */
export const upstreamCertInvalid: Rule = {
  cause: 'upstream_cert_invalid',
  judge(scene) {
    const { ingress, input } = scene
    const error = input.detail.error ?? ''
    const verify = scene.setting('proxy-ssl-verify')
    if (ingress === null || verify.fact === null || verify.value !== 'on') return null
    const number = Number(/verify error: ?\((\d{1,3}):/i.exec(error)?.[1] ?? /\berror:? (\d{1,3})\b/i.exec(error)?.[1])
    const isName = /does not match/i.test(error)
    if (!isName && number !== EXPIRED && !ISSUER.has(number)) return null
    const name = annotationFact(scene, 'proxy-ssl-name', nameText(scene))!
    const trusted = annotationFact(scene, 'proxy-ssl-secret', 'the certificates that it trusts are in this Secret')!
    const data: { facts: Fact[]; end: Dated | null } = { facts: [], end: null }
    for (const { secretName, fact } of servingSecrets(scene)) {
      const { namespace } = scene.pod!.history
      const secret = scene.get('Secret', namespace, secretName)
      const shown = isName
        ? ofName(scene, secret)
        : number === EXPIRED
          ? ofEnd(scene, secret, secretName)
          : ofIssuer(secret)
      if (shown === null) continue
      data.facts.push(...shown.facts, fact)
      data.end = shown.end
      break
    }
    return {
      tier: data.facts.length > 0 ? 'A' : 'B',
      ref: scene.pod?.ref ?? nameOf(ingress.history),
      atMs: data.end?.atMs ?? null,
      needs: [verify.fact, ...(isName ? [name] : ISSUER.has(number) ? [trusted] : []), ...data.facts]
    }
  }
}

interface Shown {
  facts: Fact[]
  end: Dated | null
}

/** Secrets in volumes of CTR: one of them holds what it serves with. */
function servingSecrets({ pod, container }: Scene): { secretName: string; fact: Fact }[] {
  if (pod === null || container === null) return []
  const mounted = new Set(listOf(container.volumeMounts).map(({ name }) => name))
  return listOf(pod.object.spec?.volumes).flatMap(({ name, secret }) => {
    const secretName = secret?.secretName
    if (secretName === undefined || (!mounted.has(name) && pod.containers.length > 1)) return []
    const path = `spec.volumes[${name}].secret.secretName`
    return [{ secretName, fact: field(pod.history, path, secretName, `the backend mounts Secret ${secretName}`) }]
  })
}

function ofEnd(scene: Scene, secret: Current<Secret> | null, secretName: string): Shown | null {
  const end = endOf(secret, certificatesOf(scene, scene.pod!.history.namespace, secretName))
  return end !== null && scene.moment.isAfter(end.atMs) ? { facts: [end.fact], end } : null
}

function ofName(scene: Scene, secret: Current<Secret> | null): Shown | null {
  const names = namesFact(secret)
  const asked = scene.annotation('proxy-ssl-name')
  if (names === null || (asked !== null && covers(names.names, asked))) return null
  return { facts: [names.fact], end: null }
}

function ofIssuer(secret: Current<Secret> | null): Shown | null {
  const issuer = secret?.object.certificate?.issuer
  if (secret === null || issuer === undefined) return null
  return {
    facts: [field(secret.history, 'tls.crt.issuer', issuer, `its certificate was issued by ${issuer}`)],
    end: null
  }
}

function nameText(scene: Scene): string {
  const asked = scene.annotation('proxy-ssl-name')
  return asked === null
    ? 'without proxy-ssl-name the name of the upstream is compared'
    : `the name ${asked} is compared`
}
