/**
 * Runbook of the causes on the way to the pods: connecting, waiting, answers, endpoints, TLS, names.
 *
 * Facts from nginx 1.19.10-1.27.1 with the ingress-nginx patches (status-semantics.md §1-§4, diagnosis.md §a).
 */

import type { Cause, CauseInfo } from './causes.ts'

export const upstreamCauses = {
  connection_refused: {
    title: "nothing listened on the pod's port",
    category: 'connect',
    blame: 'upstream',
    slo: true,
    meaning:
      'The pod address answered the SYN with a reset (errno 111): the address is up, but no process accepts on that port. nginx fails the attempt in 0-2 ms with 502, connect time "-", and tries up to 3 times for every method, POST included, because nothing was sent. A lone endpoint shows up three times with the same address. Typical moments: a container that crashed or was OOM-killed, a pod that shuts down, a wrong targetPort, a pod without a readiness probe that is still starting.',
    check: [
      'kubectl -n <namespace> get pod <pod> -o wide: restarts, Ready, age, deletion',
      'kubectl -n <namespace> describe pod <pod>: last state, exit code, OOMKilled, failed probes',
      'kubectl -n <namespace> logs <pod> --previous: why the last instance ended',
      "kubectl -n <namespace> get service <service> -o jsonpath='{.spec.ports}' against the containerPort of the pod",
      'kubectl -n <namespace> exec <pod> -- ss -ltn: does it listen on 0.0.0.0 or only on 127.0.0.1'
    ],
    fix: [
      'Crash, OOM kill or failing probe: repair that first, nginx only reports it',
      'Set spec.ports[].targetPort to the port the container listens on; bind to 0.0.0.0 (or ::), not to localhost',
      'During rollouts: lifecycle.preStop sleep of 10-15 s, a readinessProbe on the serving port, at least 2 replicas',
      'ConfigMap proxy-next-upstream (default "error timeout") and proxy-next-upstream-tries (default 3) decide whether another pod can save the request'
    ]
  },
  connect_timeout: {
    title: 'the pod did not answer the connection attempt in time',
    category: 'connect',
    blame: 'cluster',
    slo: true,
    meaning:
      'The SYN got no answer at all before proxy-connect-timeout ended (5 s by default): packets are dropped, or the accept queue of the pod is full. nginx gives the attempt 504 and connect time "-", and tries up to 3 times for every method, so the client waits about 15 s. When the kernel gives up first (errno 110 from connect()) the status is 502 instead.',
    check: [
      'kubectl -n <namespace> get networkpolicy -o yaml: does a policy select the pod and leave out the ingress-nginx namespace',
      'kubectl -n <namespace> get pod <pod> -o wide and kubectl get nodes: node NotReady, or only pods of one node affected',
      'kubectl -n <namespace> get endpointslice -l kubernetes.io/service-name=<service>: is the address still an endpoint',
      'kubectl -n <namespace> top pod <pod> --containers: a process at its CPU limit stops accepting'
    ],
    fix: [
      'NetworkPolicy: allow ingress from namespaceSelector kubernetes.io/metadata.name: ingress-nginx to the pod port',
      'Repair or drain the node; restart its CNI agent when all its pods are affected',
      'More replicas or CPU when the listen backlog overflows',
      'nginx.ingress.kubernetes.io/proxy-connect-timeout (default 5 s): lower it to fail over faster, raise it only for far backends'
    ]
  },
  host_unreachable: {
    title: 'no network path to the pod address',
    category: 'connect',
    blame: 'cluster',
    slo: true,
    meaning:
      'The kernel had no route or no neighbour for the address (errno 113, 101, 112, 100), or an established connection lost its peer. 101 fails at once; 113 usually after about 3 s per attempt, when ARP gave up. Attempts show 502 and connect time "-", three of them for every method. Typical: the pod IP no longer exists, the node is gone, an IPv6 endpoint on an IPv4-only node.',
    check: [
      'kubectl get pods -A -o wide | grep the address: who holds it now, since when',
      'kubectl get nodes -o wide: node of the pod NotReady or removed',
      'kubectl -n <namespace> get endpointslice -l kubernetes.io/service-name=<service> -o yaml: an address of a pod that is gone',
      'kubectl -n kube-system get pods -o wide: the CNI agent on that node'
    ],
    fix: [
      'Stale address: check that the controller reaches the API server and that kube-controller-manager updates the EndpointSlice',
      'Replace the node, repair the CNI agent or the routes',
      'IPv6: make the Service single-stack (spec.ipFamilies) when nodes have no IPv6 route',
      'Rollouts: lifecycle.preStop sleep of 10-15 s, so that the address outlives its endpoint entry'
    ]
  },
  local_port_exhausted: {
    title: 'the controller ran out of source ports towards one address',
    category: 'controller',
    blame: 'controller',
    slo: true,
    meaning:
      'connect() failed with errno 99: every ephemeral port towards this address and port was in use or in TIME_WAIT. The attempt fails in 0.000 s with 502, three times for every method. It hits services with one endpoint and without connection reuse, often the external auth service.',
    check: [
      'kubectl -n ingress-nginx exec deploy/ingress-nginx-controller -- cat /proc/net/sockstat: TCP inuse and tw',
      'kubectl -n <namespace> get endpointslice -l kubernetes.io/service-name=<service>: how many endpoints share the load',
      'kubectl -n ingress-nginx get configmap ingress-nginx-controller -o yaml: upstream-keepalive-* keys'
    ],
    fix: [
      'Keep connections open: ConfigMap upstream-keepalive-connections (default 320) and upstream-keepalive-requests (default 10000), a backend that does not answer "Connection: close"',
      'External auth: nginx.ingress.kubernetes.io/auth-keepalive instead of one connection a request',
      'More endpoints or more controller replicas; sysctl net.ipv4.ip_local_port_range on the controller pods'
    ]
  },
  read_timeout: {
    title: 'the application did not answer in time',
    category: 'timeout',
    blame: 'upstream',
    slo: true,
    meaning:
      'The request was sent, and nothing came back for proxy-read-timeout (60 s by default, between two reads, not in total). Before the response header this is 504. GET, HEAD, PUT and DELETE are tried on up to 3 pods, so a 504 after 180 s is three slow answers; POST, PATCH and LOCK are tried once. After the header the status stays as sent and the body is cut. Clients and balancers usually leave first, which the access log shows as 499.',
    check: [
      'kubectl -n <namespace> logs <pod> --since=10m: what the handler was waiting for',
      'kubectl -n <namespace> top pod <pod> --containers: CPU at its limit, throttling',
      'kubectl -n <namespace> get hpa: at maxReplicas, or without metrics',
      'Times of the attempts: all equal to one round limit means the timer; one path or one pod means that path or pod'
    ],
    fix: [
      'Make the slow call faster, asynchronous, or bound it with a timeout below that of nginx',
      'nginx.ingress.kubernetes.io/proxy-read-timeout for that path only (seconds, no unit)',
      'nginx.ingress.kubernetes.io/proxy-next-upstream-tries: "1" or proxy-next-upstream-timeout, so that one slow request is not repeated on three pods',
      'WebSockets and streams: send a ping more often than proxy-read-timeout'
    ]
  },
  send_timeout: {
    title: 'the application stopped reading the request',
    category: 'timeout',
    blame: 'upstream',
    slo: true,
    meaning:
      'nginx could not write the request for proxy-send-timeout (60 s by default, between two writes): the receive buffers of the pod were full because it stopped reading. The attempt gets 504. It takes a request body of some size, so uploads show it first, and POST is not repeated.',
    check: [
      'kubectl -n <namespace> top pod <pod> --containers: a blocked or saturated process',
      'kubectl -n <namespace> logs <pod> --since=10m: where the upload is handled',
      '$request_length of the failed requests: large bodies only, or all'
    ],
    fix: [
      'Read the body before slow work, or hand it to a queue',
      'nginx.ingress.kubernetes.io/proxy-send-timeout for that path',
      'nginx.ingress.kubernetes.io/proxy-request-buffering: "on" (the default), so that slow clients do not hold pod connections'
    ]
  },
  premature_close: {
    title: 'the application closed the connection before a full answer',
    category: 'response',
    blame: 'upstream',
    slo: true,
    meaning:
      'The pod accepted the request and ended the connection cleanly (FIN) before the response header was complete: 502, connect time set. GET, HEAD, PUT and DELETE get up to 3 attempts, POST, PATCH and LOCK one. After the header the status stays as sent and the body is short. Single fast ones, mostly POST, point at keep-alive: the pod closed an idle connection just as nginx reused it. Around rollouts it is a server that stops without draining.',
    check: [
      'kubectl -n <namespace> describe pod <pod>: exit code, OOMKilled, Killing events at that second',
      'kubectl -n <namespace> logs <pod> --previous: a crash in the handler',
      'Response time: under 2 ms means a reused connection, longer means a process that died or gave up',
      'Idle timeout of the application (Node.js 5 s, gunicorn 2 s, Tomcat 20 s) against ConfigMap upstream-keepalive-timeout (60 s)'
    ],
    fix: [
      'Keep-alive race: idle timeout of the application above 60 s, or ConfigMap upstream-keepalive-timeout below it',
      'Shutdown: handle SIGTERM, finish requests in flight, lifecycle.preStop sleep of 10-15 s',
      'Crash or OOM kill: repair it; bound the memory a request can take',
      'ConfigMap retry-non-idempotent: "true" only when the application can take the same POST twice'
    ]
  },
  connection_reset: {
    title: 'the connection to the application was reset',
    category: 'response',
    blame: 'upstream',
    slo: true,
    meaning:
      'The pod, or something before it, answered with RST (errno 104), or nginx wrote to a connection that was already closed (32). Before the response header this is 502; methods that nginx may repeat get up to 3 attempts, POST, PATCH and LOCK one. After the header the status stays and the body is cut. A SIGKILL of a process with unread data resets, and so does reuse of an idle connection that the pod had closed. With TLS backends nginx reports a reset as a premature close.',
    check: [
      'kubectl -n <namespace> describe pod <pod>: OOMKilled, exit code 137, restarts, deletion at that second',
      'kubectl -n <namespace> get events --sort-by=.lastTimestamp: Killing, Unhealthy, Evicted',
      'kubectl -n <namespace> logs <pod> --previous',
      'Sidecars, service mesh or firewalls between controller and pod: idle limits and their own logs'
    ],
    fix: [
      'OOM kill: resources.limits.memory above the working set, bound the heap',
      'Shutdown: terminationGracePeriodSeconds above preStop plus the longest request',
      'Keep-alive: idle timeout of the application above ConfigMap upstream-keepalive-timeout (60 s)',
      'gRPC: server keepalive and max-connection-age with a grace period, so that streams end with GOAWAY'
    ]
  },
  header_too_big: {
    title: 'the response header did not fit into the proxy buffer',
    category: 'response',
    blame: 'upstream',
    slo: true,
    meaning:
      'The response header, cookies and tokens above all, was larger than proxy-buffer-size (4k by default): "upstream sent too big header". nginx answers 502 after a single attempt, because a bad header is not in the default retry list. The application did its work, and its own log shows a success.',
    check: [
      'kubectl -n <namespace> exec <pod> -- curl -sD- -o /dev/null localhost: size of the header for the failing path',
      'kubectl -n <namespace> get ingress -o yaml | grep proxy-buffer-size',
      'Users affected: only signed-in ones, or ones with many cookies, means session data'
    ],
    fix: [
      'nginx.ingress.kubernetes.io/proxy-buffer-size: 16k (or ConfigMap proxy-buffer-size for all)',
      'nginx.ingress.kubernetes.io/proxy-buffers-number when nginx refuses the new size at reload',
      'Shrink the header: server-side sessions, fewer claims in tokens, no repeated Set-Cookie'
    ]
  },
  invalid_response: {
    title: 'the answer was not valid HTTP',
    category: 'response',
    blame: 'upstream',
    slo: true,
    meaning:
      'nginx could not parse the answer: bad or duplicate header lines, both Content-Length and Transfer-Encoding, broken chunks, wrong gRPC frames. That is 502 after one attempt, or a cut body when it was found after the header. Bytes without any status line pass as HTTP/0.9 and the access log shows status 009: usually TLS or HTTP/2 on a port addressed as plain HTTP. Since nginx 1.23 duplicate Content-Length or Transfer-Encoding lines are refused that older controllers let pass.',
    check: [
      'kubectl -n <namespace> get ingress -o yaml | grep backend-protocol against what the port speaks',
      "kubectl -n <namespace> get service <service> -o jsonpath='{.spec.ports}': port name and appProtocol (https, grpc, h2c)",
      'kubectl -n <namespace> port-forward <pod> 9999:8080, then curl -sv --http1.1 localhost:9999 (the port of the container for 8080)',
      'Error line: which header it quotes'
    ],
    fix: [
      'nginx.ingress.kubernetes.io/backend-protocol: HTTP, HTTPS, GRPC or GRPCS, as the port speaks',
      'Let the framework set Content-Length and Transfer-Encoding, not both and not twice',
      'Remove line breaks and control characters from header values'
    ]
  },
  no_endpoints: {
    title: 'the service had no ready pod',
    category: 'endpoints',
    blame: 'cluster',
    slo: true,
    meaning:
      'No endpoint was ready, so nginx had nobody to send the request to and answered 503 at once, without upstream fields. The address 0.0.0.1:80 in an attempt says the same (502 or 504 there). The controller log has `does not have any active Endpoint`. A rate limit and a location disabled by a bad annotation write the identical access line, so look for their own messages too.',
    check: [
      'kubectl -n <namespace> get endpointslice -l kubernetes.io/service-name=<service> -o yaml: no addresses, ready: false, or empty ports',
      'kubectl -n <namespace> get service <service> -o yaml: selector and targetPort against pod labels and container ports',
      'kubectl -n <namespace> get pods -o wide: Pending, CrashLoopBackOff, not Ready, or none',
      'kubectl -n <namespace> describe ingress: AnnotationParsingFailed, missing Secrets',
      'kubectl -n ingress-nginx logs deploy/ingress-nginx-controller | grep <service>'
    ],
    fix: [
      'Pods not ready: the reason in describe pod (image, config, probe, scheduling, OOM)',
      'Selector or port: align spec.selector with the labels, targetPort with the port (a named port must exist in the container)',
      'Scaled to zero: minReplicas of at least 1; rollouts: RollingUpdate with maxUnavailable: 0 and a PodDisruptionBudget',
      'nginx.ingress.kubernetes.io/default-backend for a page while nobody is ready'
    ]
  },
  no_live_upstreams: {
    title: 'every server of a static upstream was marked down',
    category: 'endpoints',
    blame: 'upstream',
    slo: true,
    meaning:
      'All servers of a fixed upstream block had failed max_fails times, and nginx skipped them for fail_timeout: 502, and $upstream_addr shows the name of the upstream instead of an address. Ordinary Ingress backends cannot get there, the Lua balancer has no such marks; it is the auth keepalive upstream, a snippet, or another nginx. The errors that led to it are in the lines before.',
    check: [
      'Error lines of the seconds before, same upstream: refused, timed out, TLS',
      'kubectl -n <namespace> get ingress -o yaml | grep -E "auth-keepalive|auth-url|snippet"',
      'kubectl -n <namespace> get endpointslice -l kubernetes.io/service-name=<service>: the service behind that upstream'
    ],
    fix: [
      'Repair the backend of that upstream; it is used again after fail_timeout (10 s unless set)',
      'Drop nginx.ingress.kubernetes.io/auth-keepalive, or give the auth service more than one address',
      'In snippets: max_fails=0 when there is only one server'
    ]
  },
  upstream_tls_handshake: {
    title: 'the TLS handshake with the application failed',
    category: 'tls',
    blame: 'upstream',
    slo: true,
    meaning:
      'TCP connected, TLS did not: wrong protocol on the port, no common version or cipher, a missing server name, or a client certificate demanded. The attempt fails with 502 and connect time "-", three times for every method. A handshake that hangs until proxy-connect-timeout is 504. "wrong version number" means that the port speaks plain HTTP; alert 40, 70, 80, 112 or 116 comes from the backend.',
    check: [
      'kubectl -n <namespace> get ingress -o yaml | grep -E "backend-protocol|proxy-ssl"',
      'kubectl -n <namespace> port-forward <pod> 9999:8443, then openssl s_client -connect localhost:9999 -servername with the expected name',
      'kubectl -n <namespace> logs <pod>: the handshake error from its side',
      'The reason in the error line: wrong version number, alert number'
    ],
    fix: [
      'nginx.ingress.kubernetes.io/backend-protocol: HTTP when the port is plain, HTTPS or GRPCS when it is not',
      'nginx.ingress.kubernetes.io/proxy-ssl-server-name: "on" and proxy-ssl-name when the backend needs SNI',
      'nginx.ingress.kubernetes.io/proxy-ssl-protocols: "TLSv1.2 TLSv1.3" and proxy-ssl-ciphers to what the backend offers',
      'nginx.ingress.kubernetes.io/proxy-ssl-secret (namespace/name) with a client key pair; without it the other proxy-ssl-* annotations are ignored'
    ]
  },
  upstream_tls_verify: {
    title: 'the certificate of the application was not accepted',
    category: 'tls',
    blame: 'upstream',
    slo: true,
    meaning:
      'With proxy-ssl-verify on, nginx finished the handshake and refused the certificate: expired (10), self-signed (18, 19), unknown issuer (20, 21), or a name that does not match. Each attempt is 502, three of them for every method. The name compared is proxy-ssl-name, and by default the literal upstream_balancer, which no certificate has.',
    check: [
      'Number and text in "upstream SSL certificate verify error: (10:certificate has expired)"',
      'kubectl -n <namespace> port-forward <pod> 9999:8443, then openssl s_client -connect localhost:9999 </dev/null | openssl x509 -noout -dates -ext subjectAltName',
      'kubectl -n <namespace> get ingress -o yaml | grep proxy-ssl',
      'kubectl -n <namespace> get certificate: cert-manager, not Ready'
    ],
    fix: [
      'Renew the certificate and restart what holds the old one in memory',
      'nginx.ingress.kubernetes.io/proxy-ssl-name: a name in the certificate, with proxy-ssl-server-name: "on"',
      'Put the issuing CA into ca.crt of nginx.ingress.kubernetes.io/proxy-ssl-secret; raise proxy-ssl-verify-depth for intermediate CAs'
    ]
  },
  dns_failure: {
    title: 'a backend name could not be resolved',
    category: 'dns',
    blame: 'cluster',
    slo: true,
    meaning:
      'nginx or its Lua code asked DNS for a name at run time and got no address. For an ExternalName service the Lua resolver fails and the request ends with 503, as if there were no endpoint; for auth-url or a variable proxy_pass it is 502 with "could not be resolved" and no upstream fields. (3: Host not found) is a wrong name, (110) and (2: Server failure) are DNS itself.',
    check: [
      'kubectl -n kube-system get pods -l k8s-app=kube-dns and their logs',
      "kubectl -n <namespace> get service <service> -o jsonpath='{.spec.externalName}'",
      'kubectl -n ingress-nginx exec deploy/ingress-nginx-controller -- nslookup with the name of the error line',
      'kubectl -n <namespace> get ingress -o yaml | grep auth-url'
    ],
    fix: [
      'Correct the name: externalName, or the host in nginx.ingress.kubernetes.io/auth-url',
      'CoreDNS: restart, more replicas or memory, a working forward in its Corefile',
      'A NetworkPolicy must let the controller reach port 53, UDP and TCP',
      'Prefer a Service with endpoints to ExternalName for names inside the cluster'
    ]
  },
  upstream_error: {
    title: 'the application answered with an error of its own',
    category: 'application',
    blame: 'upstream',
    slo: true,
    meaning:
      'nginx passed on a 5xx that the application sent: the upstream status equals the status, and the body is the one of the application. There is one attempt, because nginx does not retry a 5xx unless proxy-next-upstream names it. nginx itself makes only 502 and 504 for an attempt, so 500, 501 and 503 with an address are always the application or a proxy inside the pod.',
    check: [
      'kubectl -n <namespace> logs <pod> --since=10m: the exception at that second',
      'kubectl -n <namespace> get replicasets: a new revision shortly before the first error',
      'One pod or all: addresses of the failed attempts',
      'Its own backends: databases, caches and services named in the environment of the pod'
    ],
    fix: [
      'Fix the bug or the dependency; kubectl -n <namespace> rollout undo when a new revision brought it',
      'Fail readiness when a pod cannot serve, instead of answering 503 for a long time',
      'nginx.ingress.kubernetes.io/proxy-next-upstream: "error timeout http_503" only for idempotent calls'
    ]
  }
} satisfies Partial<Record<Cause, CauseInfo>>
