/** Pods of controllers as the API writes them. */

export interface ControllerPod {
  container?: string
  args?: string[]
  created?: string
  started?: string
  ended?: { startedAt: string; finishedAt: string }
  restarts?: number
}

export function controllerPod(name: string, pod: ControllerPod = {}): object {
  const { container = 'controller', args, created = '2026-11-01T00:00:00Z', started, ended, restarts = 0 } = pod
  return {
    metadata: { name, namespace: 'ingress-nginx', uid: `uid-${name}`, creationTimestamp: created },
    spec: { containers: [{ name: container, image: 'controller:1', ...(args && { args }) }] },
    status: {
      phase: 'Running',
      containerStatuses: [
        {
          name: container,
          restartCount: restarts,
          state:
            started === undefined ? { waiting: { reason: 'ContainerCreating' } } : { running: { startedAt: started } },
          lastState: ended === undefined ? {} : { terminated: { exitCode: 1, ...ended } }
        }
      ]
    }
  }
}
