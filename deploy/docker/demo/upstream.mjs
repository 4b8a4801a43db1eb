/**
 * One pod of the demo, which fails in its own way:
 *
 *   node upstream.mjs web|absent|silent|closing|resetting [ADDRESS] [PORT] [HEALTH-PORT]
 *
 * web answers, and with 500 below /web/broken; absent listens nowhere, so its port refuses; silent takes a request and never
 * answers; closing and resetting end the connection instead, with FIN and with RST. The health port answers in all of them.
 */
import { createServer } from 'node:http'

const BEHAVIOURS = {
  web: (request, response) => {
    const isBroken = request.url.startsWith('/web/broken')
    response.writeHead(isBroken ? 500 : 200, { 'content-type': 'text/plain' })
    response.end(isBroken ? 'the application failed\n' : 'hello\n')
  },
  absent: null,
  silent: () => {},
  closing: request => request.socket.end(),
  resetting: request => request.socket.resetAndDestroy()
}

const [kind, address = '0.0.0.0', port = '8080', healthPort = '9000'] = process.argv.slice(2)
if (!Object.hasOwn(BEHAVIOURS, kind ?? '')) {
  console.error(`expected one of ${Object.keys(BEHAVIOURS).join(', ')}`)
  process.exit(2)
}
const behaviour = BEHAVIOURS[kind]
const servers = [createServer((_request, response) => response.end('ok\n')).listen(Number(healthPort), address)]
if (behaviour !== null) {
  // Longer than nginx keeps an idle connection: else it would lose races that nobody asked for here.
  servers.push(createServer({ keepAliveTimeout: 90_000 }, behaviour).listen(Number(port), address))
}
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    for (const server of servers) {
      server.close()
      server.closeAllConnections()
    }
  })
}
