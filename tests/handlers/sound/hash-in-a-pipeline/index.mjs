import { createHmac, timingSafeEqual } from "node:crypto";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
const bus = new EventBridgeClient({});
export const handler = async (event) => {
  const h = Object.fromEntries(Object.entries(event.headers).map(([k, v]) => [k.toLowerCase(), v]));
  const stamp = h["x-slack-request-timestamp"] ?? "";
  const mac = createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${stamp}:`);
  const parts = [];
  const tap = new Transform({ transform(chunk, _, done) { mac.update(chunk); parts.push(chunk); done(); } });
  await pipeline(Readable.from([Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8")]), tap.resume());
  const mine = mac.digest(), given = Buffer.from((h["x-slack-signature"] ?? "").replace(/^v0=/, ""), "hex");
  if (!/^\d+$/.test(stamp) || Math.abs(Date.now() / 1000 - stamp) > 300 || given.length !== mine.length || !timingSafeEqual(mine, given)) return { statusCode: 401 };
  await bus.send(new PutEventsCommand({ Entries: [{ Source: "slack", DetailType: "command", Detail: JSON.stringify(Object.fromEntries(new URLSearchParams(Buffer.concat(parts).toString()))) }] }));
  return { statusCode: 200 };
};
