/** Remedies for the controller, and for its handshake with the backends. */

import { kubectl, type Named, show } from './kubectl.ts'
import type { Remediation } from './remedy.ts'
import { annotate, oneMore } from './serving.ts'
import type { Target } from './target.ts'

const LABEL = 'app.kubernetes.io/component'

export function anotherController(target: Target): Remediation {
  const { controllerNamespace } = target.diagnosis.names
  const found = controllerOf(target, controllerNamespace)
  if (found !== null) return oneMore(target, found)
  if (controllerNamespace === null) return target.manual('where the controller runs is not known')
  const any: Named = { kind: 'Deployment', namespace: controllerNamespace, name: 'ingress-nginx-controller' }
  return target.unknown('how many controllers run is not known: look, then add one', show(any, 'spec.replicas'))
}

function controllerOf({ state }: Target, namespace: string | null): Named | null {
  if (namespace === null) return null
  for (const { name, versions, deletedMs } of state?.all('Deployment', namespace) ?? []) {
    const labels = versions.at(-1)!.object.spec?.template?.metadata?.labels
    if (deletedMs === null && labels?.[LABEL] === 'controller') return { kind: 'Deployment', namespace, name }
  }
  return null
}

export function sendServerName(target: Target): Remediation {
  const { ingress } = target
  const from = target.annotation('proxy-ssl-server-name')
  if (ingress === null || from === undefined)
    return target.manual('the proxy-ssl-* annotations of the Ingress are not known: look at them')
  if (from?.trim().toLowerCase() === 'on')
    return target.manual('the server name is sent already: look at protocols, ciphers and the client certificate')
  const secret = target.annotation('proxy-ssl-secret')
  if (secret === null)
    return {
      ...target.manual(
        'without proxy-ssl-secret the controller ignores all other proxy-ssl-* annotations: set it first, to namespace/name of a Secret'
      ),
      commands: [kubectl(ingress, 'get', '-o yaml')]
    }
  return annotate(
    ingress,
    'proxy-ssl-server-name',
    [from, 'on'],
    'it works together with proxy-ssl-secret only; set proxy-ssl-name too when the backend is known by another name'
  )
}
