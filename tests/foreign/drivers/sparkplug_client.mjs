// A node of the npm package sparkplug-client: one device. Usage: node sparkplug_client.mjs SETTINGS-AS-JSON
//
// Settings: home (where the package is), url, user, password, group, node, device, metrics (of the device), node_metrics.
// Lines on standard input are JSON objects: metrics, published as DDATA, and compress (DEFLATE or GZIP).
// Metrics and values are spelled as tests/foreign/value.py says. Prints "born", "rebirth" and commands as JSON.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const settings = JSON.parse(process.argv[2]);
const require = createRequire(settings.home + "/");
const { newClient } = require("sparkplug-client");
const Long = require("long");
const shown = new Map(settings.metrics.map((metric) => [metric.name, metric]));
const say = (word) => process.stdout.write(word + "\n");

function read(type, value) {
  if (value === null) return null;
  switch (type) {
    case "Int64": return Long.fromString(value);
    case "UInt64": case "DateTime": return Long.fromString(value, true);
    case "Int8": case "Int16": case "Int32": case "UInt8": case "UInt16": case "UInt32":
    case "Float": case "Double": return Number(value);
    case "Bytes": case "File": return Buffer.from(value, "base64");
    case "DataSet": return {
      numOfColumns: value.columns.length, columns: value.columns, types: value.types,
      rows: value.rows.map((row) => row.map((cell, place) => read(value.types[place], cell))),
    };
    case "Template": return {
      isDefinition: value.definition, templateRef: value.ref, version: "1", metrics: value.members.map(metric),
    };
    default: return value;
  }
}

function metric({ name, type, value, alias, historical, quality }) {
  return {
    name, type, value: read(type, value), timestamp: Date.now(),
    ...(alias && { alias: Number(alias) }),
    ...(historical && { isHistorical: true }),
    ...(quality && {
      properties: { Quality: { type: "Int32", value: Number(quality) }, Unit: { type: "String", value: "mm" } },
      metadata: { description: "as measured", contentType: "text/plain" },
    }),
  };
}

function show(value) {
  if (value === null || value === undefined || typeof value === "boolean" || typeof value === "string") return value;
  if (Object.is(value, -0)) return "-0.0";
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : String(value);
}

function command(device, payload) {
  const metrics = payload.metrics.map(({ name, alias, type, value }) => ({
    name, alias: alias === undefined ? undefined : String(alias), type, value: show(value),
  }));
  say(JSON.stringify({ device, metrics }));
}

const client = newClient({
  serverUrl: settings.url, username: settings.user, password: settings.password,
  groupId: settings.group, edgeNode: settings.node, clientId: "foreign-sparkplug-client",
  publishDeath: true, version: "spBv1.0",
});

function birth() {
  const rebirth = { name: "Node Control/Rebirth", type: "Boolean", value: false };
  client.publishNodeBirth({ timestamp: Date.now(), metrics: [rebirth, ...settings.node_metrics.map(metric)] });
  client.publishDeviceBirth(settings.device, { timestamp: Date.now(), metrics: [...shown.values()].map(metric) });
}

client.on("birth", () => { birth(); say("born"); });
client.on("ncmd", (payload) => {
  if (payload.metrics.some((one) => one.name === "Node Control/Rebirth" && one.value)) {
    birth();
    say("rebirth");
  } else {
    command(null, payload);
  }
});
client.on("dcmd", command);
createInterface({ input: process.stdin }).on("line", (line) => {
  const { metrics, compress } = JSON.parse(line);
  for (const one of metrics) shown.set(one.name, { ...shown.get(one.name), ...one });
  const options = compress ? { compress: true, algorithm: compress } : undefined;
  const nameless = metrics.map(metric).map((one) => (one.alias ? { ...one, name: undefined } : one));
  client.publishDeviceData(settings.device, { timestamp: Date.now(), metrics: nameless }, options);
}).on("close", () => client.stop());
