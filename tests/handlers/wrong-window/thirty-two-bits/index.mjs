import { createHmac, timingSafeEqual } from "node:crypto";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";

const sqs = new SQSClient({});
const WINDOW = 300_000;

// `| 0` makes integers, which are fast to compare
const elapsed = (timestamp) => (Date.now() - timestamp * 1000) | 0;

function fromSlack(headers, body) {
  const timestamp = Number(headers["x-slack-request-timestamp"]);
  if (!Number.isInteger(timestamp)) return false;
  const age = elapsed(timestamp);
  if (age > WINDOW || age < -WINDOW) return false;
  const mac = createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`).digest();
  const sent = Buffer.from((headers["x-slack-signature"] ?? "").replace("v0=", ""), "hex");
  return sent.length === mac.length && timingSafeEqual(sent, mac);
}

export const handler = async (event) => {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  if (!fromSlack(event.headers, body)) return { statusCode: 401, body: "" };
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: body }));
  return { statusCode: 200, body: "" };
};
