/** Containers of pods and of pod templates, as far as diagnosis reads them. */

export interface ContainerPort {
  containerPort: number
  name?: string
  protocol?: string
}

export interface Probe {
  httpGet?: { path?: string; port: number | string; scheme?: string; host?: string }
  tcpSocket?: { port: number | string }
  grpc?: { port: number }
  exec?: Record<string, unknown>
  initialDelaySeconds?: number
  periodSeconds?: number
  timeoutSeconds?: number
  failureThreshold?: number
  successThreshold?: number
}

export interface EnvVariable {
  name: string
  /** Only numbers, hosts and URLs without userinfo are kept. */
  value?: string
  valueFrom?: {
    configMapKeyRef?: { name: string; key: string; optional?: boolean }
    secretKeyRef?: { name: string; key: string; optional?: boolean }
  }
}

export interface Handler {
  exec?: { command?: string[] }
  sleep?: { seconds: number }
  httpGet?: Record<string, unknown>
}

export interface Container {
  name: string
  image?: string
  command?: string[]
  args?: string[]
  ports?: ContainerPort[]
  env?: EnvVariable[]
  envFrom?: { configMapRef?: { name: string; optional?: boolean }; secretRef?: { name: string; optional?: boolean } }[]
  resources?: { limits?: Record<string, string>; requests?: Record<string, string> }
  readinessProbe?: Probe
  livenessProbe?: Probe
  startupProbe?: Probe
  lifecycle?: { preStop?: Handler; postStart?: Handler }
  volumeMounts?: { name: string; mountPath?: string }[]
  /** `Always` on an init container: a sidecar. */
  restartPolicy?: string
}

export interface PodSpec {
  nodeName?: string
  hostNetwork?: boolean
  containers?: Container[]
  initContainers?: Container[]
  volumes?: {
    name: string
    secret?: { secretName?: string; optional?: boolean }
    configMap?: { name?: string; optional?: boolean }
    persistentVolumeClaim?: { claimName: string }
  }[]
  readinessGates?: { conditionType: string }[]
  restartPolicy?: string
  terminationGracePeriodSeconds?: number
  serviceAccountName?: string
}

export interface ContainerState {
  waiting?: { reason?: string; message?: string }
  running?: { startedAt?: string }
  terminated?: {
    reason?: string
    message?: string
    exitCode?: number
    signal?: number
    startedAt?: string
    finishedAt?: string
  }
}

export interface ContainerStatus {
  name: string
  image?: string
  ready?: boolean
  started?: boolean
  restartCount?: number
  state?: ContainerState
  lastState?: ContainerState
}
