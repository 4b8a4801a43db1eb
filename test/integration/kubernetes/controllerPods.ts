import type { KubernetesClient } from '../../services/kubernetesClient.ts'

/** A pod as the chart makes it; kwok runs it. */
export async function addController(client: KubernetesClient, namespace: string, name: string): Promise<void> {
  const pods = `/api/v1/namespaces/${namespace}/pods`
  await client.create(pods, {
    metadata: {
      name,
      labels: {
        'app.kubernetes.io/name': 'ingress-nginx',
        'app.kubernetes.io/component': 'controller',
        lab: name
      }
    },
    spec: {
      containers: [
        {
          name: 'controller',
          image: 'controller',
          args: ['/nginx-ingress-controller', '--configmap=$(POD_NAMESPACE)/edge']
        }
      ]
    }
  })
  await client.until(`${pods}/${name}`, ({ status }) => status?.phase === 'Running', `the controller ${name}`)
}
