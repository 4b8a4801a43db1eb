/**
 * rsyslog (Debian: `rsyslog`, `rsyslog-kafka`) in the place of Fluent Bit: imfile reads the files, omkafka sends records of the
 * same shape. It has folders of its own and opens no socket.
 *
 * Other than Fluent Bit it takes the pieces of a line for one only where no other line stands between them, and puts a question
 * mark in the place of a byte that is no UTF-8. After `kill` it has forgotten how far it was, and sends again what the current
 * files hold.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeServerFolder, type ServerControl, ServerProcess } from './serverProcess.ts'
import type { ShipperOptions } from './shipper.ts'

/** Debian installs it outside of the PATH of ordinary users. */
const PROGRAMS = ['rsyslogd', '/usr/sbin/rsyslogd']
const MODULES = ['imfile', 'omkafka', 'mmutf8fix']
/** Of 16 KiB: rsyslog has no loop over the lines of a text, so they are taken one by one. */
const PIECES_MAX = 8

function program(): string | undefined {
  return PROGRAMS.find(name => spawnSync(name, ['-v']).status === 0)
}

/** A sentence; null: nothing is missing. */
export function missingForRsyslog(): string | null {
  const file = program()
  if (file === undefined)
    return 'rsyslogd is not in PATH (Debian: apt-get install --no-install-recommends rsyslog rsyslog-kafka)'
  const folder = makeServerFolder('rsyslog-modules')
  const config = join(folder, 'modules.conf')
  writeFileSync(config, MODULES.map(name => `module(load="${name}")\n`).join(''))
  const { stderr } = spawnSync(file, ['-N1', '-f', config], { encoding: 'utf8' })
  rmSync(folder, { recursive: true })
  return stderr.includes('could not load module')
    ? 'rsyslog lacks imfile, mmutf8fix or omkafka (Debian: apt-get install --no-install-recommends rsyslog-kafka)'
    : null
}

export async function startRsyslog(options: Required<ShipperOptions>): Promise<ServerControl> {
  const folder = makeServerFolder('rsyslog')
  const state = join(folder, 'state')
  const pidFile = join(folder, 'rsyslogd.pid')
  const config = join(folder, 'rsyslog.conf')
  mkdirSync(state)
  writeFileSync(config, rsyslogConfig(options, state))
  const args = ['-n', '-f', config, '-i', pidFile]
  const server = new ServerProcess(
    { name: 'rsyslog', file: program()!, args, isReady: () => existsSync(pidFile) },
    folder
  )
  await server.start()
  return Object.assign(server, {
    async kill() {
      await ServerProcess.prototype.kill.call(server)
      // What librdkafka had taken and not sent is gone, and where imfile was says nothing about that.
      rmSync(state, { recursive: true })
      mkdirSync(state)
      rmSync(pidFile, { force: true })
    }
  })
}

/** `state`: where imfile notes how far it is. */
function rsyslogConfig({ logs, brokers, topic, node, cluster }: Required<ShipperOptions>, state: string): string {
  // Without queues: the one that reads waits while Kafka is away, and what was noted as read was given to librdkafka.
  return `
global(workDirectory="${state}" maxMessageSize="1m" parser.escapeControlCharactersOnReceive="off" net.enableDNS="off")
module(load="imfile" mode="polling" pollingInterval="1")
module(load="omkafka")
module(load="mmutf8fix")

template(name="key" type="list") { property(name="$!metadata!filename") }
template(name="quoted" type="list") { property(name="$.log" format="json") }
template(name="record" type="list") {
  constant(value="{\\"@timestamp\\":\\"") property(name="$.padded")
  constant(value="\\",\\"time\\":\\"") property(name="$.time")
  constant(value="\\",\\"stream\\":\\"") property(name="$.stream")
  constant(value="\\",\\"_p\\":\\"") property(name="$.tag")
  constant(value="\\",\\"log\\":\\"") property(name="$.quoted")
  constant(value="\\",\\"log_path\\":\\"") property(name="$!metadata!filename")
  constant(value="\\",\\"log_offset\\":") property(name="$!metadata!fileoffset")
  constant(value=",\\"node\\":\\"${node}\\",\\"cluster\\":\\"${cluster}\\"}")
}

ruleset(name="ship" queue.type="Direct") {
  action(type="mmutf8fix" replacementChar="?")
  set $.time = field($msg, 32, 1);
  set $.stream = field($msg, 32, 2);
  set $.tag = field($msg, 32, 3);
  if $.tag == "P" then {
    set $.log = "";
${Array.from({ length: PIECES_MAX }, (_, index) => takePiece(index + 1)).join('\n')}
  } else {
    set $.log = substring($msg, strlen($.time) + strlen($.stream) + strlen($.tag) + 3, strlen($msg));
  }
  if re_match($.log, '\\r$') then set $.log = substring($.log, 0, strlen($.log) - 1);
  # rsyslog writes "\\/" for every slash.
  set $.quoted = replace(exec_template("quoted"), "\\\\/", "/");
  set $.padded = substring($.time, 0, strlen($.time) - 1);
  if strlen($.padded) == 19 then set $.padded = $.padded & ".";
  set $.padded = $.padded & substring("000000000", 0, 29 - strlen($.padded)) & "Z";
  action(type="omkafka" broker=[${brokers.map(broker => `"${broker}"`).join(',')}] topic="${topic}" template="record"
    key="key" dynaKey="on" partitions.auto="on" closeTimeout="20000" action.resumeRetryCount="-1" action.resumeInterval="1"
    confParam=["enable.idempotence=true","compression.codec=gzip","queue.buffering.max.ms=20","log.connection.close=false"]
    topicConfParam=["message.timeout.ms=0","partitioner=murmur2_random"])
}

input(type="imfile" File="${logs}/containers/*_ingress-nginx_controller-*.log" tag="why5xx" ruleset="ship"
  addMetadata="on" escapeLF="off" endmsg.regex="^[^ ]+ (stdout|stderr) F" freshStartTail="off" persistStateInterval="1000")
`
}

/** The \`number\`th of the lines that were read as one goes behind what is there of them, without its frame. */
function takePiece(number: number): string {
  return `    set $.piece = field($msg, 10, ${number});
    if $.piece != "***FIELD NOT FOUND***" then {
      set $.frame = strlen(field($.piece, 32, 1)) + strlen($.stream) + 4;
      set $.log = $.log & substring($.piece, $.frame, strlen($.piece));
    }`
}
