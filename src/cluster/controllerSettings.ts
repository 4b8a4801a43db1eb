/**
 * Which entries of the controller's ConfigMap are kept with their value: what rules ask for and `check --cluster` explains. Its
 * others hold keys of TLS tickets and passwords of tracers; what comes with the next release nobody knows.
 */
export const CONTROLLER_SETTINGS = [
  'allow-cross-namespace-resources',
  'allowlist-source-range',
  'auth-secret',
  'auth-tls-secret',
  'auth-tls-verify-client',
  'auth-type',
  'auth-url',
  'backend-protocol',
  'client-body-timeout',
  'client-header-timeout',
  'custom-http-errors',
  'denylist-source-range',
  'enable-modsecurity',
  'enable-owasp-core-rules',
  'global-auth-url',
  'limit-conn-status-code',
  'limit-req-status-code',
  'log-format-upstream',
  'max-worker-connections',
  'max-worker-open-files',
  'plugins',
  'proxy-body-size',
  'proxy-buffer-size',
  'proxy-connect-timeout',
  'proxy-read-timeout',
  'proxy-send-timeout',
  'proxy-ssl-server-name',
  'proxy-ssl-verify',
  'upstream-keepalive-timeout',
  'whitelist-source-range',
  'worker-processes',
  // Of these the names of their directives.
  'auth-snippet',
  'http-snippet',
  'location-snippet',
  'main-snippet',
  'modsecurity-snippet',
  'server-snippet'
] as const

export type ControllerSetting = (typeof CONTROLLER_SETTINGS)[number]
