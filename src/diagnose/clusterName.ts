/** Names of Services as programs inside the cluster write them. */

export interface ServiceName {
  namespace: string
  service: string
}

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/

/**
 * The Service that a host name means inside a cluster; null: a name outside of it.
 *
 *   cart, cart.shop, cart.shop.svc, cart.shop.svc.cluster.local
 *
 * `isShort` of names that could be anybody's: `cart.shop` is a Service only where there is one.
 */
export function serviceNameOf(host: string, namespace: string): (ServiceName & { isShort: boolean }) | null {
  const labels = host.toLowerCase().replace(/\.$/, '').split('.')
  if (!labels.every(label => LABEL.test(label))) return null
  const [service, second, svc] = labels
  if (labels.length === 1) return { namespace, service: service!, isShort: true }
  if (labels.length === 2) return { namespace: second!, service: service!, isShort: true }
  return svc === 'svc' ? { namespace: second!, service: service!, isShort: false } : null
}

/** Host of a URL, without its port; null: no URL. Variables of nginx (`$host`) are no host. */
export function hostOfUrl(url: string): string | null {
  const match = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/@\s]*@)?(\[[0-9a-f:.]+\]|[^/:?#\s$]+)(?=[/:?#]|$)/i.exec(url)
  return match === null ? null : match[1]!.toLowerCase()
}
