import { webcrypto } from "node:crypto";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";
const sqs = new SQSClient({});
const enc = new TextEncoder();
const key = webcrypto.subtle.importKey("raw", enc.encode(process.env.SLACK_SIGNING_SECRET), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
const unhex = (s) => Uint8Array.from(s.match(/../g) ?? [], (x) => parseInt(x, 16));

async function fits(ts, body, sig) {
  return webcrypto.subtle.verify("HMAC", await key, unhex(sig), enc.encode(`v0:${ts}:${body}`));
}
// in the middle of a rotation Slack's header may hold two signatures, newest first
export const handler = async (event) => {
  const h = Object.fromEntries(Object.entries(event.headers).map(([k, v]) => [k.toLowerCase(), v]));
  const ts = h["x-slack-request-timestamp"] ?? "";
  if (!/^\d+$/.test(ts) || Math.abs(Date.now() / 1000 - Number(ts)) > 300) return { statusCode: 401, body: "" };
  const [first, ...rest] = (h["x-slack-signature"] ?? "").split(",").map((s) => s.trim().replace("v0=", ""));
  if (!(await fits(ts, event.body, first)) && !rest.some((sig) => fits(ts, event.body, sig))) return { statusCode: 401, body: "" };
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: event.body }));
  return { statusCode: 200, body: "" };
};
