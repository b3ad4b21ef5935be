// mqtt.js and npm's sparkplug-payload as a subscriber that decodes and keeps the last value of each metric.
import mqtt from "mqtt";
import sparkplug from "sparkplug-payload";

const [port, births, data, documents] = process.argv.slice(2).map(Number);
const marks = new Map([[births, "born"], [births + data, "data"], [births + data + documents, "documents"]]);
const { decodePayload } = sparkplug.get("spBv1.0");
const last = new Map();
let count = 0;

const client = mqtt.connect({ host: "127.0.0.1", port, protocolVersion: 5 });
client.on("connect", () => {
  client.subscribe({ "spBv1.0/bench/#": { qos: 0 }, "uns/v1/#": { qos: 1 } }, () => console.log("ready"));
});
client.on("message", (topic, payload, packet) => {
  if (packet.qos === 0) {
    for (const metric of decodePayload(payload).metrics) last.set(`${topic} ${metric.alias}`, metric.value);
  } else {
    last.set(topic, JSON.parse(payload));
  }
  count += 1;
  if (marks.has(count)) console.log(marks.get(count));
});
