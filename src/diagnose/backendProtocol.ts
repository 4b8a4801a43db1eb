/** The protocol that the controller speaks to a backend, what hints at the one it expects, and what error texts say. */

import { listOf } from './conditions.ts'
import { type Fact, field } from './fact.ts'
import { servicePortPath } from './ports.ts'
import { probesOf } from './probes.ts'
import type { Scene } from './scene.ts'
import type { Setting } from './setting.ts'

export type Speech = 'plain' | 'tls' | 'grpc'

export interface Hint {
  speech: Speech
  fact: Fact
}

const TLS_PORTS = new Set([443, 8443, 9443])

/** `setting.value` in capitals: HTTP, HTTPS, GRPC, GRPCS, AUTO_HTTP, FCGI. */
export function spoken(scene: Scene): { protocol: string; setting: Setting } {
  const setting = scene.setting('backend-protocol')
  return { protocol: setting.value.trim().toUpperCase(), setting }
}

/** What Service, container and probes say of the port that was asked, sharpest first. */
export function hintsOf(scene: Scene): Hint[] {
  const { service, servicePort, pod, container } = scene
  const port = scene.upstream?.port ?? scene.targetPort
  const hints: Hint[] = []
  const add = (speech: Speech | null, fact: Fact): void => {
    if (speech !== null) hints.push({ speech, fact })
  }
  if (service !== null && servicePort !== null) {
    const path = servicePortPath(servicePort)
    const { appProtocol, name } = servicePort
    if (appProtocol !== undefined)
      add(
        byName(appProtocol.replace(/^kubernetes\.io\//, '')) ?? (/^http$/i.test(appProtocol) ? 'plain' : null),
        field(
          service.history,
          `${path}.appProtocol`,
          appProtocol,
          `the Service says that its port speaks ${appProtocol}`
        )
      )
    if (name !== undefined)
      add(byName(name), field(service.history, `${path}.name`, name, `its port is called ${name}`))
  }
  if (pod !== null && container !== null) {
    for (const { probe, path } of probesOf(container)) {
      const asked = probe.httpGet?.port ?? probe.grpc?.port
      const isAsked =
        asked === port || listOf(container.ports).some(item => item.name === asked && item.containerPort === port)
      const { scheme = 'HTTP' } = probe.httpGet ?? {}
      if (!isAsked) continue
      if (probe.grpc !== undefined)
        add('grpc', field(pod.history, `${path}.grpc.port`, probe.grpc.port, 'its probe speaks gRPC'))
      else
        add(
          scheme === 'HTTPS' ? 'tls' : 'plain',
          field(pod.history, `${path}.httpGet.scheme`, probe.httpGet?.scheme, `its probe speaks ${scheme}`)
        )
    }
    for (const { name, containerPort } of listOf(container.ports)) {
      if (containerPort !== port || name === undefined) continue
      const path = `spec.containers[${container.name}].ports[${name}].name`
      add(byName(name), field(pod.history, path, name, `the container calls port ${port} ${name}`))
    }
  }
  if (port !== null && TLS_PORTS.has(port) && service !== null && servicePort !== null)
    add(
      'tls',
      field(
        service.history,
        `${servicePortPath(servicePort)}.targetPort`,
        servicePort.targetPort,
        `${port} is a port of TLS`
      )
    )
  else if (service !== null && servicePort !== null && TLS_PORTS.has(servicePort.port))
    add(
      'tls',
      field(
        service.history,
        `${servicePortPath(servicePort)}.port`,
        servicePort.port,
        `${servicePort.port} is a port of TLS`
      )
    )
  return hints
}

function byName(name: string): Speech | null {
  if (/^https(?:[-_]|$)|[-_]https$/i.test(name)) return 'tls'
  return /^(?:grpc|h2c)(?:[-_]|$)|[-_]grpc$/i.test(name) ? 'grpc' : null
}

export interface Saying {
  /** What the backend turned out to speak. */
  backend: Speech
  /** Protocols of the controller with which it happens. */
  asked: readonly string[]
  text: string
}

const SAYINGS: readonly (Saying & { pattern: RegExp })[] = [
  {
    pattern: /wrong version number/i,
    backend: 'plain',
    asked: ['HTTPS', 'GRPCS'],
    text: 'the backend answered a TLS greeting with plain text'
  },
  {
    pattern: /no valid HTTP\/1\.[01] header/i,
    backend: 'tls',
    asked: ['HTTP', 'AUTO_HTTP'],
    text: 'the backend answered plain HTTP with something else, as TLS and HTTP/2 do'
  },
  {
    pattern: /too large http2 frame/i,
    backend: 'plain',
    asked: ['GRPC', 'GRPCS'],
    text: 'the backend answered HTTP/2 with HTTP/1'
  },
  {
    pattern: /HTTP request (?:was sent )?to (?:an? )?HTTPS (?:server|port)/i,
    backend: 'tls',
    asked: ['HTTP', 'AUTO_HTTP'],
    text: 'the backend says that it wants TLS'
  }
]

/** What an error text or the beginning of a body says of the backend's protocol. */
export function sayingOf(...texts: (string | null)[]): Saying | null {
  return SAYINGS.find(({ pattern }) => texts.some(text => text !== null && pattern.test(text))) ?? null
}

/** Number of the TLS alert that the other side sent; null: none. */
export function alertOf(error: string | null): number | null {
  const match = /SSL alert number (\d{1,3})\b/i.exec(error ?? '')
  return match === null ? null : Number(match[1])
}
