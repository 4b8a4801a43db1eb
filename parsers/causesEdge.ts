/**
 * Runbook of the causes on the client's side, of policies, and of the controller itself.
 *
 * Facts from nginx 1.19.10-1.27.1 with the ingress-nginx patches (status-semantics.md §5-§9, diagnosis.md §a5).
 */

import type { Cause, CauseInfo } from './causes.ts'

export const edgeCauses = {
  client_tls_failure: {
    title: 'a client could not agree on TLS with the controller',
    category: 'tls',
    blame: 'client',
    slo: false,
    meaning:
      'The handshake between client and controller failed: old TLS version, no common cipher, an alert because the client does not trust our certificate, or a bad or missing client certificate. Handshake failures leave no access line, and at the default error-log-level most are invisible (info). A client certificate that fails is answered 400 (495, 496), plain HTTP on the TLS port 400 (497), a host of another mTLS server 421. Scanners and TCP health checks cause a constant trickle.',
    check: [
      'openssl s_client -connect with host and port 443, -servername the host: which certificate is served, until when',
      'kubectl -n <namespace> get ingress -o yaml: spec.tls hosts and secretName, auth-tls-* annotations',
      'kubectl -n ingress-nginx logs deploy/ingress-nginx-controller | grep -i "default certificate"',
      'kubectl -n <namespace> get certificate,secret: missing, expired, or names that leave out the host'
    ],
    fix: [
      'Renew or create the TLS Secret in the namespace of the Ingress, with the host in its names and the full chain',
      'Old clients: ConfigMap ssl-protocols and ssl-ciphers, knowing what that weakens',
      'Client certificates: nginx.ingress.kubernetes.io/auth-tls-secret with the right ca.crt, auth-tls-verify-depth for intermediate CAs',
      'Ignore a steady low rate from scanners; a balancer that only opens TCP should use a real health check'
    ]
  },
  client_closed: {
    title: 'the client left before the answer',
    category: 'client',
    blame: 'client',
    slo: false,
    meaning:
      'The client, or the load balancer before the controller, closed the connection before a response byte was sent: status 499, and the last attempt shows "-". While the body was being uploaded it is 400 with 0 bytes; after the header the status stays and only the body is short. A request time at a round number (5, 10, 30, 60 s) is a timeout on the other side, and then a slow application is behind it.',
    check: [
      'Group by request time and user agent: one value means a timeout, spread means people leaving',
      'Earlier attempts of the same request: "504, -" is a read timeout that outlasted the client',
      'Idle and response timeout of the load balancer before the controller',
      'kubectl -n <namespace> top pod: latency of the service at that time'
    ],
    fix: [
      'Make the slow path faster, or move it out of the request',
      'Timeouts that grow outwards: application below nginx below balancer below client',
      'Leave it out of alerts on availability; watch its rate instead'
    ]
  },
  client_timeout: {
    title: 'the client sent its request too slowly',
    category: 'client',
    blame: 'client',
    slo: false,
    meaning:
      'The client opened a connection and did not finish the request line, headers or body within 60 s: 408 with 0 bytes, and nginx closes the connection. A body that stalls leaves no error line at all. A client that does not take the response in time also ends here, with the status already sent. Slow mobile networks, port scanners and connections opened in advance are the usual senders.',
    check: [
      'Share per client address and user agent: one network or one client version',
      'Upstream name of the lines: [] is request line or headers, a service name is the body',
      'Health checks of a balancer that connects and never sends'
    ],
    fix: [
      'ConfigMap client-header-timeout and client-body-timeout (60 s) for slow but honest clients',
      'Large uploads: chunked or resumable uploads, straight to object storage',
      'Point TCP health checks at /healthz on port 10254 of the controller instead'
    ]
  },
  body_too_large: {
    title: 'the request body was larger than allowed',
    category: 'policy',
    blame: 'client',
    slo: false,
    meaning:
      'The body was larger than proxy-body-size (1m by default): 413 from nginx, and the application never saw the request. With a Content-Length it is refused before the location is known, so the access line shows [-]; a chunked upload is refused while it is read, and shows the service. A 413 with an upstream status is the limit of the application.',
    check: [
      'Error line "client intended to send too large body": how many bytes',
      'kubectl -n <namespace> get ingress -o yaml | grep proxy-body-size',
      'kubectl -n ingress-nginx get configmap ingress-nginx-controller -o yaml | grep proxy-body-size'
    ],
    fix: [
      'nginx.ingress.kubernetes.io/proxy-body-size: 20m on the Ingress of that path ("0" is no limit)',
      'ConfigMap proxy-body-size for all, with an eye on disk: bodies are buffered to files',
      'Tell the client its limit before the upload'
    ]
  },
  bad_request: {
    title: 'the client sent something that is not valid HTTP',
    category: 'client',
    blame: 'client',
    slo: false,
    meaning:
      'nginx refused the request itself: a bad request line, host or header, headers above large-client-header-buffers (400, body of 226 bytes), a URI too long (414), an unknown transfer encoding (501), or PROXY protocol expected and not sent. The messages are at level info, so the default log shows only the access line. HTTP/2 protocol errors close the connection and leave no access line.',
    check: [
      '$request of the lines: \\x16\\x03 is TLS sent to the plain port, PRI * is HTTP/2 without TLS',
      'Body size 226: headers too large, mostly cookies',
      'kubectl -n ingress-nginx get configmap ingress-nginx-controller -o yaml | grep -E "proxy-protocol|large-client-header|error-log-level"'
    ],
    fix: [
      'Cookies too large: shrink them, or ConfigMap large-client-header-buffers: "4 16k"',
      'ConfigMap use-proxy-protocol must match the load balancer, for every listener and health check',
      'ConfigMap error-log-level: info for a while, to see the reasons'
    ]
  },
  rate_limited: {
    title: 'a configured rate or connection limit refused the request',
    category: 'policy',
    blame: 'client',
    slo: false,
    meaning:
      'limit-rps, limit-rpm or limit-connections of the Ingress refused the request, with 503 unless another status is set, and nginx logs "limiting requests" or "limiting connections" at error. Nothing was sent to a pod. The limits hold per client address and per controller replica. Clients behind one NAT, or all of them when the real client address is lost, share one counter.',
    check: [
      'zone "..." in the error line: namespace, Ingress and kind of the limit',
      'kubectl -n <namespace> get ingress -o yaml | grep -E "limit-(rps|rpm|connections|burst)"',
      'client: in the lines: many users behind one address, or the address of the load balancer'
    ],
    fix: [
      'Raise nginx.ingress.kubernetes.io/limit-rps or limit-burst-multiplier, or exempt networks with limit-whitelist',
      'ConfigMap limit-req-status-code: "429" and limit-conn-status-code: "429", so that a refusal does not look like an outage',
      'Keep the client address: externalTrafficPolicy: Local, use-proxy-protocol, or use-forwarded-headers'
    ]
  },
  auth_failure: {
    title: 'authentication or an access rule stopped the request',
    category: 'policy',
    blame: 'unknown',
    slo: false,
    meaning:
      'Basic auth, external auth, an address list or ModSecurity stopped the request. 401 and 403 are decisions; 500 with "auth request unexpected status" means that the auth service answered neither 2xx nor 401 nor 403, or could not be reached. Then every request of that Ingress fails, and the sibling error line with subrequest: "/_external-auth-..." has the true cause.',
    check: [
      'kubectl -n <namespace> get ingress -o yaml | grep -E "auth-|whitelist-source-range|denylist-source-range|modsecurity"',
      'Error lines of the same request with subrequest: refused, timed out, not resolved',
      'Pods and endpoints of the service in nginx.ingress.kubernetes.io/auth-url (or ConfigMap global-auth-url)',
      'ModSecurity: id and msg of the rule in the error line'
    ],
    fix: [
      'Repair the auth service first; more than one replica, a readiness probe, its DNS name and NetworkPolicy',
      'nginx.ingress.kubernetes.io/auth-cache-key and auth-keepalive take load off it',
      'Address lists: nginx.ingress.kubernetes.io/whitelist-source-range, and a client address that survives the balancer',
      'WAF: exclude the one rule in nginx.ingress.kubernetes.io/modsecurity-snippet'
    ]
  },
  controller_overload: {
    title: 'the controller ran out of connections, files, memory or disk',
    category: 'controller',
    blame: 'controller',
    slo: true,
    meaning:
      'nginx or the controller process hit a limit: worker_connections, open files, shared memory, temporary disk, or a worker was killed (signal 9 is mostly the OOM killer). A request that finds no connection gets 500 with an empty upstream address; a new client connection is dropped without an access line; a killed worker takes all of its requests with it, and none of them is logged.',
    check: [
      'kubectl -n ingress-nginx top pod --containers',
      'kubectl -n ingress-nginx describe pod -l app.kubernetes.io/component=controller: OOMKilled, restarts, evictions',
      'kubectl -n ingress-nginx logs deploy/ingress-nginx-controller | grep -E "worker_connections|Too many open files|No file descriptors|exited on signal|No space"',
      'kubectl -n ingress-nginx get configmap ingress-nginx-controller -o yaml: max-worker-connections, worker-processes'
    ],
    fix: [
      'More controller replicas, and memory and CPU limits with room for a reload (two generations of workers live together)',
      'ConfigMap max-worker-connections and max-worker-open-files; ulimit of the container runtime',
      'Fewer reloads and a shorter worker-shutdown-timeout when old workers pile up',
      'Disk: an emptyDir with room at /tmp for bodies, or smaller bodies'
    ]
  },
  lua_error: {
    title: 'Lua code in the controller failed',
    category: 'controller',
    blame: 'controller',
    slo: true,
    meaning:
      'A Lua handler of the controller, a plugin or a snippet raised an error. In the rewrite or access phase the request ends with 500; in the balancer no peer is set, which gives 500 or 502 with an empty or 0.0.0.1 address; in log and timer phases nothing reaches the client. The stack trace is in the lines that follow the message.',
    check: [
      'The file and line in the message: balancer.lua and certificate.lua belong to the controller, others to plugins and snippets',
      'kubectl -n ingress-nginx get configmap ingress-nginx-controller -o yaml | grep -E "plugins|snippet|lua-shared-dicts"',
      'kubectl -n <namespace> get ingress -o yaml | grep snippet',
      'kubectl -n ingress-nginx logs deploy/ingress-nginx-controller | grep -A5 "\\[lua\\]"'
    ],
    fix: [
      'Remove or correct the plugin or the snippet; go back to the controller version before the first error',
      'ConfigMap lua-shared-dicts: larger dictionaries when the text says "no memory"',
      'Bad annotation values, such as upstream-hash-by: correct them'
    ]
  },
  redirect_cycle: {
    title: 'nginx redirected a request to itself until it gave up',
    category: 'routing',
    blame: 'controller',
    slo: true,
    meaning:
      'A rewrite, an internal redirect or an error page sent the request round in a circle, and nginx stopped it after 10 rounds with 500. Typical: a rewrite in a snippet that matches its own result, try_files with a missing fallback, or a custom error page whose backend answers with an error that is intercepted again.',
    check: [
      'The URI at the end of the message: which rule matches it',
      'kubectl -n <namespace> get ingress -o yaml | grep -E "rewrite-target|snippet|custom-http-errors|default-backend"',
      'kubectl -n ingress-nginx get configmap ingress-nginx-controller -o yaml | grep custom-http-errors'
    ],
    fix: [
      'nginx.ingress.kubernetes.io/rewrite-target with capture groups instead of rewrite in a snippet; "break" instead of "last"',
      'An error backend that answers the code it was asked for and does not fail itself',
      'nginx.ingress.kubernetes.io/enable-rewrite-log: "true" for a while shows each step'
    ]
  },
  no_route: {
    title: 'no Ingress rule matched host and path',
    category: 'routing',
    blame: 'unknown',
    slo: false,
    meaning:
      'No rule of this controller matched, so the catch-all answered: 404 from the default backend, upstream name upstream-default-backend, 146 bytes (548 for Chrome). By default its requests are not even logged (enable-access-log-for-default-backend). An Ingress of another class, or one that was refused for a bad annotation, looks the same as one that does not exist.',
    check: [
      'kubectl get ingress -A: host, class and address of the Ingress that should match',
      'kubectl get ingressclass, and spec.ingressClassName of that Ingress',
      'kubectl -n <namespace> describe ingress: events, rejected annotations',
      'kubectl -n ingress-nginx logs deploy/ingress-nginx-controller | grep -iE "ignoring ingress|error reloading"'
    ],
    fix: [
      'Correct spec.rules[].host, path and pathType (Prefix matches whole segments)',
      'Set spec.ingressClassName, or make one class the default',
      'Repair a refused configuration: while a reload fails, new rules do not exist'
    ]
  },
  config_reload: {
    title: 'the controller reloaded nginx or its endpoints',
    category: 'controller',
    blame: 'controller',
    slo: false,
    meaning:
      'A mark, seldom a failure: the controller wrote a new configuration and reloaded nginx, or pushed new endpoints. Old workers finish what they have; requests and WebSockets that outlive worker-shutdown-timeout (240 s) are cut without an access line. "Dynamic reconfiguration failed" means that nginx goes on with the old endpoints until the next try.',
    check: [
      'kubectl -n ingress-nginx logs deploy/ingress-nginx-controller | grep -E "reload|reconfiguration"',
      'How many reloads an hour, and which object changed before each',
      'kubectl get ingress -A --sort-by=.metadata.creationTimestamp: what was applied last'
    ],
    fix: [
      'Fewer reloads: batch changes to Ingresses, no controller that rewrites annotations all the time',
      'ConfigMap worker-shutdown-timeout above the longest request that must survive; clients of WebSockets that reconnect',
      'Failed pushes (413, refused): more memory for the controller, one that is not mid-start'
    ]
  },
  controller_config: {
    title: 'the controller refused or could not apply a configuration',
    category: 'controller',
    blame: 'controller',
    slo: true,
    meaning:
      'An Ingress, Secret, ConfigMap or snippet could not be used: nginx -t failed, an annotation was rejected, a Service or certificate was not found. A failed reload keeps the last good configuration, so later changes have no effect either. A location that is disabled answers 503, or 403 for the whole host after a bad auth-tls-secret; a missing certificate is replaced by the fake one.',
    check: [
      'kubectl -n ingress-nginx logs deploy/ingress-nginx-controller | grep -E "emerg|Error|invalid|does not exist"',
      'kubectl -n <namespace> describe ingress: AnnotationParsingFailed, RELOAD events',
      'kubectl -n <namespace> get service,secret: names and ports that the Ingress refers to',
      'kubectl get validatingwebhookconfiguration: is the admission webhook of ingress-nginx there'
    ],
    fix: [
      'Correct or remove the object that the message names; the [emerg] line gives file and line',
      'ConfigMap allow-snippet-annotations and annotations-risk-level decide which annotations are taken at all',
      'Keep the admission webhook on: it refuses what nginx -t refuses, before it is stored'
    ]
  },
  unclassified: {
    title: 'a failure that fits no known cause',
    category: 'unknown',
    blame: 'unknown',
    slo: true,
    meaning:
      'The request failed, and neither an error line nor the fields of the access line tell why: a message that no row has, an access line without upstream fields, or an error line that never arrived. It counts as a failure, and its line template is counted too, so that the list can grow.',
    check: [
      'The evidence of the document: status, attempts, times, and the raw message if there was one',
      'kubectl -n ingress-nginx logs deploy/ingress-nginx-controller --since=10m around that second',
      'kubectl -n <namespace> describe pod <pod>: restarts or probes at that time'
    ],
    fix: [
      'ConfigMap log-format-upstream with the upstream fields and $connection, so that lines can be joined',
      'ConfigMap error-log-level: notice (the default) or info, and error-log-path on stderr',
      'Report the message template, so that it gets a row'
    ]
  }
} satisfies Partial<Record<Cause, CauseInfo>>
