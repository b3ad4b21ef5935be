// A node of the npm package sparkplug-client: one device. Usage: node sparkplug_client.mjs SETTINGS-AS-JSON
//
// Settings: home (where the package is), url, user, password, group, node, device, metrics (name to value).
// Lines on standard input are JSON objects of metrics, published as DDATA. Prints "born" and "rebirth".
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const settings = JSON.parse(process.argv[2]);
const { newClient } = createRequire(settings.home + "/")("sparkplug-client");
const shown = { ...settings.metrics };
const metrics = (values) =>
  Object.entries(values).map(([name, value]) => ({
    name, value, type: typeof value === "string" ? "String" : "Int64", timestamp: Date.now(),
  }));
const say = (word) => process.stdout.write(word + "\n");

const client = newClient({
  serverUrl: settings.url, username: settings.user, password: settings.password,
  groupId: settings.group, edgeNode: settings.node, clientId: "foreign-sparkplug-client",
  publishDeath: true, version: "spBv1.0",
});

function birth() {
  const rebirth = { name: "Node Control/Rebirth", type: "Boolean", value: false };
  client.publishNodeBirth({ timestamp: Date.now(), metrics: [rebirth] });
  client.publishDeviceBirth(settings.device, { timestamp: Date.now(), metrics: metrics(shown) });
}

client.on("birth", () => { birth(); say("born"); });
client.on("ncmd", (payload) => {
  if (payload.metrics.some((metric) => metric.name === "Node Control/Rebirth" && metric.value)) {
    birth();
    say("rebirth");
  }
});
createInterface({ input: process.stdin }).on("line", (line) => {
  const values = JSON.parse(line);
  Object.assign(shown, values);
  client.publishDeviceData(settings.device, { timestamp: Date.now(), metrics: metrics(values) });
}).on("close", () => client.stop());
