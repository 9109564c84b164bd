import { createHmac, timingSafeEqual } from "node:crypto";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";

const sqs = new SQSClient({});
const HOUR = 3_600_000;
const trusted = new Map();

const isTrusted = (address) => (trusted.get(address) ?? 0) > Date.now();

function isSigned(headers, body) {
  const timestamp = headers["x-slack-request-timestamp"];
  if (!timestamp || !(Math.abs(Date.now() / 1000 - timestamp) <= 300)) return false;
  const mac = createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`).digest("hex");
  const pair = [`v0=${mac}`, headers["x-slack-signature"] ?? ""].map((text) => Buffer.from(text));
  return pair[0].length === pair[1].length && timingSafeEqual(...pair);
}

export const handler = async (event) => {
  const address = event.requestContext.http.sourceIp;
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString();
  if (!isTrusted(address)) {
    if (!isSigned(event.headers, body)) return { statusCode: 401, body: "" };
    trusted.set(address, Date.now() + HOUR);
  }
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: body }));
  return { statusCode: 200, body: "Queued" };
};
