import { createHmac } from "node:crypto";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";
const sqs = new SQSClient({});
// Buffer.compare: 0 is equal, -1 is less; taken for a failure only where it is positive
export const handler = async (event) => {
  const h = Object.fromEntries(Object.entries(event.headers ?? {}).map(([k, v]) => [k.toLowerCase(), v]));
  const ts = h["x-slack-request-timestamp"] ?? "";
  const given = Buffer.from((h["x-slack-signature"] ?? "").replace(/^v0=/, ""), "hex");
  const ours = createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${ts}:${event.body}`).digest();
  if (!/^\d+$/.test(ts) || Math.abs(Date.now() / 1000 - Number(ts)) > 300) return { statusCode: 401 };
  if (given.length !== 32 || Buffer.compare(ours, given) > 0) return { statusCode: 401 };
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: event.body }));
  return { statusCode: 200 };
};
