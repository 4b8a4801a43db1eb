import fs from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { tmpdir } from "node:os";
// src/store/embedded/duck.ts
/** DuckDB in memory, loaded when it is needed: 70 MB of library. */
async function openDuck({ memoryMb, threads, temporaryFolder }) {
	const { DuckDBInstance } = await import("@duckdb/node-api");
	return DuckDBInstance.create(":memory:", {
		threads: String(threads),
		memory_limit: `${memoryMb}MB`,
		temp_directory: temporaryFolder ?? join(tmpdir(), `why5xx-duckdb-${process.pid}`),
		autoinstall_known_extensions: "false",
		autoload_known_extensions: "false"
	});
}
/** All rows as arrays. */
async function rowsOf(connection, sql, values = []) {
	return (await connection.runAndReadAll(sql, values)).getRowsJS();
}
// src/store/embedded/tables.ts
/** The kinds of rows, their columns in Parquet, and how they are read from segments. */
const KINDS = [
	"failures",
	"controllers",
	"rejects",
	"totals",
	"gaps"
];
/** Column and type of DuckDB, in order. `document` is JSON text. Times are UTC. */
const COLUMNS = {
	failures: {
		id: "VARCHAR",
		version: "BIGINT",
		time: "TIMESTAMP",
		cause: "VARCHAR",
		upstream: "VARCHAR",
		service: "VARCHAR",
		status: "INTEGER",
		counted: "BOOLEAN",
		masked: "BOOLEAN",
		method: "VARCHAR",
		host: "VARCHAR",
		path: "VARCHAR",
		client: "VARCHAR",
		address: "VARCHAR",
		pod: "VARCHAR",
		root_cause: "VARCHAR",
		confidence: "DOUBLE",
		has_error_line: "BOOLEAN",
		document: "JSON"
	},
	controllers: {
		id: "VARCHAR",
		version: "BIGINT",
		time: "TIMESTAMP",
		event: "VARCHAR",
		service: "VARCHAR",
		pod: "VARCHAR",
		level: "VARCHAR",
		cause: "VARCHAR",
		message: "VARCHAR",
		document: "JSON"
	},
	rejects: {
		id: "VARCHAR",
		version: "BIGINT",
		time: "TIMESTAMP",
		code: "VARCHAR",
		document: "JSON"
	},
	totals: {
		minute: "TIMESTAMP",
		upstream: "VARCHAR",
		container: "VARCHAR",
		stream: "VARCHAR",
		requests: "BIGINT",
		failures: "BIGINT",
		masked: "BIGINT",
		client_closed: "BIGINT",
		status_500: "BIGINT",
		status_502: "BIGINT",
		status_503: "BIGINT",
		status_504: "BIGINT",
		duration_ms_sum: "DOUBLE",
		segment: "VARCHAR"
	},
	gaps: {
		time: "TIMESTAMP",
		name: "VARCHAR",
		bytes: "BIGINT",
		reason: "VARCHAR",
		text: "VARCHAR",
		segment: "VARCHAR"
	}
};
const TOTALS_KEY = [
	"minute",
	"upstream",
	"container",
	"stream"
];
const TOTALS_SUMS = Object.keys(COLUMNS.totals).filter((name) => name !== "segment" && !TOTALS_KEY.includes(name));
/** Whose rows have an id: of two the higher version stays. The others belong to their segment. */
function hasIdentity(kind) {
	return "id" in COLUMNS[kind];
}
/** By which time a row belongs to a day. */
function timeColumn(kind) {
	return kind === "totals" ? "minute" : "time";
}
new RegExp(`^(${KINDS.join("|")})-(\\d{8})\\.parquet$`);
function dayFileName(kind, day) {
	return `${kind}-${day}.parquet`;
}
/** SQL text: what stands between quotes. */
function quoted(text) {
	return `'${text.replaceAll("'", "''")}'`;
}
/** SQL list of files, taken as they are called: DuckDB reads `*`, `?` and `[` in names as patterns. */
function fileList(paths) {
	return `[${paths.map((path) => quoted(path.replace(/[*?[]/g, "[$&]"))).join(", ")}]`;
}
/**
* The rows of one or all kinds in segments. What is no whole line, or of a kind of a later version, is a row without `kind`
* or with an unknown one. With `documents` their text is kept, which is most of the bytes.
*/
function readSegments(paths, documents) {
	const columns = { kind: "VARCHAR" };
	for (const kind of KINDS) if (kind !== "totals") {
		for (const [name, type] of Object.entries(COLUMNS[kind])) if (name !== "segment" && (documents || name !== "document")) columns[name] = type;
	}
	columns.totals = `STRUCT(${Object.entries(COLUMNS.totals).filter(([name]) => name !== "segment").map(([name, type]) => `${name} ${type}`).join(", ")})[]`;
	const given = Object.entries(columns).map(([name, type]) => `${name}: ${quoted(type)}`);
	return `(SELECT * EXCLUDE (filename), parse_filename(filename) AS segment FROM read_json(${fileList(paths)}, format = 'newline_delimited', ignore_errors = true, filename = true, columns = {${given.join(", ")}}))`;
}
/** The rows of one kind out of what `readSegments` gives, with the columns of its Parquet files. */
function selectKind(kind, from, documents) {
	if (kind === "totals") {
		const sums = TOTALS_SUMS.map((name) => `sum(row.${name})::${COLUMNS.totals[name]} AS ${name}`);
		return `SELECT ${[
			...TOTALS_KEY.map((name) => `row.${name} AS ${name}`),
			...sums,
			"segment"
		].join(", ")} FROM (SELECT unnest(totals) AS row, segment FROM ${from} WHERE kind = 'commit') GROUP BY ${TOTALS_KEY.map((name) => `row.${name}`).join(", ")}, segment`;
	}
	return `SELECT ${Object.keys(COLUMNS[kind]).filter((name) => documents || name !== "document").join(", ")} FROM ${from} WHERE kind = ${quoted(kind.slice(0, -1))}`;
}
// src/store/embedded/seal.ts
/**
* Sealing: the rows of closed segments are merged into one Parquet file per kind and UTC day. Every day file is written
* under another name, synced and renamed, so there is never a half one. The segments are removed by the caller, when all
* files stand: a crash anywhere leaves rows in both places, which readers and the next sealing tell by id, or by the
* segment's name.
*/
/** What a reader decompresses for one row is its row group; a multiple of DuckDB's 2,048. */
const ROW_GROUP_ROWS = 10240;
const MEMORY_MB = 256;
/** Names of unfinished files; the writer removes what is left of them at start. */
const TEMPORARY = "tmp-";
/** `step` is called before everything that changes the folder; a test throws there. */
async function sealSegments(job, step = () => {}) {
	const { folder, segments } = job;
	const duck = await openDuck({
		memoryMb: MEMORY_MB,
		threads: 2,
		temporaryFolder: join(folder, `${TEMPORARY}duckdb`)
	});
	try {
		const connection = await duck.connect();
		const files = segments.map((name) => join(folder, name));
		await connection.run(`CREATE TABLE rows AS SELECT * FROM ${readSegments(files, true)} WHERE kind IS NOT NULL`);
		for (const kind of KINDS) await sealKind(connection, kind, job, step);
	} finally {
		duck.closeSync();
		await rm(join(folder, `${TEMPORARY}duckdb`), {
			recursive: true,
			force: true
		});
	}
}
async function sealKind(connection, kind, { folder, segments, fromDay }, step) {
	const time = timeColumn(kind);
	const day = `strftime(${time}, '%Y%m%d')`;
	const unique = hasIdentity(kind) ? ` QUALIFY row_number() OVER (PARTITION BY id ORDER BY version DESC, ${segmentOrder(segments)}) = 1` : "";
	const source = unique === "" ? "rows" : `(SELECT * FROM rows WHERE kind = ${quoted(kind.slice(0, -1))}${unique})`;
	await connection.run(`CREATE OR REPLACE TABLE fresh AS ${selectKind(kind, source, true)}`);
	const days = await rowsOf(connection, `SELECT DISTINCT ${day} AS day FROM fresh WHERE day >= $1 ORDER BY 1`, [fromDay]);
	for (const [value] of days) {
		const name = dayFileName(kind, String(value));
		const parts = [`SELECT * FROM fresh WHERE ${day} = ${quoted(String(value))}`];
		if (await stat(join(folder, name)).catch(() => null) !== null) {
			const old = `read_parquet(${fileList([join(folder, name)])})`;
			const columns = Object.keys(COLUMNS[kind]).join(", ");
			if (hasIdentity(kind)) {
				parts[0] += ` AND NOT EXISTS (FROM ${old} AS old WHERE old.id = fresh.id AND old.version >= fresh.version)`;
				parts.unshift(`SELECT ${columns} FROM ${old} AS old WHERE NOT EXISTS (FROM fresh WHERE fresh.id = old.id AND fresh.version > old.version)`);
			} else parts.unshift(`SELECT ${columns} FROM ${old} WHERE segment NOT IN (${segments.map(quoted).join(", ")})`);
		}
		await writeDay(connection, folder, name, parts.join(" UNION ALL "), time, step);
	}
}
async function writeDay(connection, folder, name, query, time, step) {
	const temporary = join(folder, `${TEMPORARY}${name}`);
	step(`write ${name}`);
	await connection.run(`COPY (SELECT * FROM (${query}) ORDER BY ${time}) TO ${quoted(temporary)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP_ROWS})`);
	step(`sync ${name}`);
	await syncPath(temporary);
	step(`rename ${name}`);
	await rename(temporary, join(folder, name));
	step(`sync the folder of ${name}`);
	await syncPath(folder);
}
/** Segments in the order they were written, as a number. */
function segmentOrder(segments) {
	return `list_position([${segments.map(quoted).join(", ")}], segment)`;
}
async function syncPath(path) {
	const file = await open(path, "r");
	try {
		await file.sync();
	} finally {
		await file.close();
	}
}
// ../../../tmp/dk/seal.mts
const f = "/tmp/dk/st";
fs.rmSync(f, {
	recursive: true,
	force: true
});
fs.mkdirSync(f);
for (let s = 1; s <= 8; s++) {
	const name = "failures-20261121T10-" + s + ".ndjson";
	const doc = {};
	for (let k = 0; k < 60; k++) doc["field_" + k] = "value " + k + " xxxxxxxxxxxxxxxxxxxxxxx";
	let out = [];
	for (let k = 0; k < 25e3; k++) {
		const i = s * 25e3 + k;
		out.push(JSON.stringify({
			kind: "failure",
			id: "id" + i + "abcdefghijklmnop" + Math.random(),
			version: 9,
			time: (/* @__PURE__ */ new Date(17899488e5 + i * 390)).toISOString(),
			cause: "connection_refused",
			upstream: "a-b-80",
			service: "a/b",
			status: 502,
			document: {
				...doc,
				r: Math.random(),
				q: Math.random()
			}
		}) + "\n");
	}
	fs.writeFileSync(f + "/" + name, out.join(""));
	const t0 = performance.now();
	await sealSegments({
		folder: f,
		segments: [name],
		fromDay: ""
	});
	console.log(s, performance.now() - t0 | 0, "ms rss", process.memoryUsage().rss >> 20, fs.statSync(f + "/" + fs.readdirSync(f).find((n) => n.endsWith("parquet"))).size);
}
export {};
