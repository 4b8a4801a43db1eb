/** What tests put into a namespace. */
import type { KubernetesClient } from '../../services/kubernetesClient.ts'

export interface Shop {
  namespace: string
  /** Paths of the API. */
  deployment: string
  pods: string
}

const LABELS = { app: 'cart' }

function cartPod(image: string) {
  return {
    metadata: { labels: LABELS },
    spec: {
      containers: [
        {
          name: 'cart',
          image,
          ports: [{ name: 'http', containerPort: 8080 }],
          readinessProbe: { httpGet: { path: '/ready', port: 8080 } }
        }
      ]
    }
  }
}

/** A Deployment `cart` behind a Service and an Ingress, with all its pods ready. */
export async function openShop(client: KubernetesClient, namespace: string, replicas = 2): Promise<Shop> {
  await client.makeNamespace(namespace)
  const shop = {
    namespace,
    deployment: `/apis/apps/v1/namespaces/${namespace}/deployments/cart`,
    pods: `/api/v1/namespaces/${namespace}/pods`
  }
  await client.create(`/api/v1/namespaces/${namespace}/services`, {
    metadata: { name: 'cart' },
    spec: { selector: LABELS, ports: [{ name: 'http', port: 80, targetPort: 'http' }] }
  })
  await client.create(`/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`, {
    metadata: { name: 'shop' },
    spec: {
      ingressClassName: 'nginx',
      defaultBackend: { service: { name: 'cart', port: { number: 80 } } }
    }
  })
  await client.create(`/apis/apps/v1/namespaces/${namespace}/deployments`, {
    metadata: { name: 'cart' },
    spec: { replicas, selector: { matchLabels: LABELS }, template: cartPod('registry.example/cart:1') }
  })
  await rolledOut(client, shop, replicas)
  return shop
}

export function newImage(client: KubernetesClient, shop: Shop, tag: string) {
  return client.patch(shop.deployment, { spec: { template: cartPod(`registry.example/cart:${tag}`) } })
}

export async function rolledOut(client: KubernetesClient, shop: Shop, replicas: number): Promise<void> {
  await client.until(
    shop.deployment,
    deployment => {
      const { metadata, status } = deployment as {
        metadata: { generation?: number }
        status?: { observedGeneration?: number; readyReplicas?: number; updatedReplicas?: number; replicas?: number }
      }
      return (
        status?.observedGeneration === metadata.generation &&
        (status?.readyReplicas ?? 0) === replicas &&
        (status?.updatedReplicas ?? 0) === replicas &&
        (status?.replicas ?? 0) === replicas
      )
    },
    `${replicas} pods of the deployment`
  )
}
