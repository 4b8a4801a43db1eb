/** How the containers of the shop's services are configured. */

import type { Container } from '../../../src/cluster/objects.ts'
import { PORTS } from '../services.ts'

const PROBE = { periodSeconds: 5, timeoutSeconds: 1, failureThreshold: 3 }

type Peculiar = Partial<Pick<Container, 'command' | 'args' | 'env'>> & { memory?: string; cpu?: string; ready?: string }

const PECULIAR: Readonly<Record<string, Peculiar>> = {
  'shop/cart': { memory: '256Mi', env: [{ name: 'REDIS_URL', value: 'redis://carts.cache.example.com:6379/0' }] },
  'shop/catalog': { memory: '512Mi' },
  'pay/api': {
    env: [{ name: 'DATABASE_URL', value: 'postgres://payments.database.example.com:5432/payments' }],
    ready: '/ready'
  },
  'search/query': { env: [{ name: 'INDEX_URL', value: 'http://index.search.svc.cluster.local:9300' }] },
  'account/portal': {
    command: ['node', 'server.js'],
    args: ['--port=3000', '--keep-alive-timeout=5000'],
    env: [{ name: 'SESSION_KEY', valueFrom: { secretKeyRef: { name: 'portal-session', key: 'key' } } }]
  },
  'media/img': { cpu: '2', ready: '/ping' }
}

export function containerOf(service: string, image: string): Container {
  const { memory = '384Mi', cpu = '1', ready = '/healthz', command, args, env } = PECULIAR[service] ?? {}
  const port = PORTS[service] ?? 8080
  return {
    name: service.split('/')[1]!,
    image,
    ...(command && { command }),
    ...(args && { args }),
    ports: [{ containerPort: port, name: 'http', protocol: 'TCP' }],
    ...(env && { env }),
    resources: { limits: { cpu, memory } },
    readinessProbe: { httpGet: { path: ready, port, scheme: 'HTTP' }, ...PROBE }
  }
}

/** The port of a Service, as its Ingress names it: the end of the upstream name. */
export function servicePortOf(upstream: string, service: string): { name?: string; port: number; targetPort: number } {
  const written = upstream.slice(upstream.lastIndexOf('-') + 1)
  const targetPort = PORTS[service] ?? 8080
  const port = Number(written)
  return Number.isNaN(port) ? { name: written, port: 80, targetPort } : { port, targetPort }
}

/** Paths of the services that share a host. */
export const PATHS: Readonly<Record<string, string>> = {
  'shop/cart': '/cart',
  'shop/checkout': '/checkout',
  'search/query': '/search'
}
