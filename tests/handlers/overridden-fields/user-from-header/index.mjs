import crypto from "node:crypto";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";

const sqs = new SQSClient({});

const hmac = (timestamp, body) =>
  crypto.createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`).digest();

function verified(headers, body) {
  const timestamp = headers["x-slack-request-timestamp"];
  const [, hex] = /^v0=([0-9a-f]{64})$/.exec(headers["x-slack-signature"]) ?? [];
  if (!hex || !/^\d{1,12}$/.test(timestamp)) return false;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false;
  return crypto.timingSafeEqual(hmac(timestamp, body), Buffer.from(hex, "hex"));
}

const userOf = (headers, form) => headers["x-slack-user-id"] ?? form.get("user_id");

export const handler = async (event) => {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString();
  if (!verified(event.headers, body)) return { statusCode: 401, body: "no" };
  const form = new URLSearchParams(body);
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: process.env.QUEUE_URL,
      MessageBody: JSON.stringify({ requester: userOf(event.headers, form), text: form.get("text") }),
    }),
  );
  return { statusCode: 200, body: "Thanks, I am on it." };
};
