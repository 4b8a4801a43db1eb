/** The names in a scene, for commands and documents. */

import type { Names } from './diagnosis.ts'
import type { Scene } from './scene.ts'

export function namesOf(scene: Scene): Names {
  const { pod, routed, ingress, controller, container, workload, owner } = scene
  const spec = pod?.object.spec
  return {
    namespace: routed?.namespace ?? pod?.history.namespace ?? scene.input.namespace,
    service: routed?.service ?? scene.input.service,
    ingress: ingress?.history.name ?? scene.input.ingress,
    pod: pod?.history.name ?? null,
    podUid: pod?.history.uid ?? null,
    podIp: scene.upstream?.ip ?? pod?.object.status?.podIP ?? null,
    container: container?.name ?? null,
    node: spec?.nodeName ?? null,
    workload: workload && { kind: workload.history.kind, name: workload.history.name },
    controllerNamespace: controller.namespace,
    controllerPod: controller.pods[0]?.history.name ?? scene.input.controllerPod,
    certainty: owner.certainty,
    labels: { ...pod?.object.metadata.labels }
  }
}
