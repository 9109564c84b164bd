import { createHmac, timingSafeEqual } from "node:crypto";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";

const sqs = new SQSClient({});
const cors = { "Access-Control-Allow-Origin": "https://app.example.com", "Access-Control-Allow-Methods": "POST" };

function signed(headers, body) {
  const timestamp = headers["x-slack-request-timestamp"];
  if (!timestamp || !(Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300)) return false;
  const own = Buffer.from(
    `v0=${createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`).digest("hex")}`,
  );
  const sent = Buffer.from(headers["x-slack-signature"] ?? "");
  return own.length === sent.length && timingSafeEqual(own, sent);
}

export const handler = async (event) => {
  const preflight = event.requestContext.http.method === "OPTIONS";
  const body = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8").toString();
  if (!preflight && !signed(event.headers, body)) return { statusCode: 401, headers: cors };
  if (body) {
    const form = Object.fromEntries(new URLSearchParams(body));
    await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: JSON.stringify(form) }));
  }
  return { statusCode: preflight ? 204 : 200, headers: cors };
};
