import { webcrypto } from "node:crypto";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";

const { subtle } = webcrypto;
const sqs = new SQSClient({});
const bytes = (text) => new TextEncoder().encode(text);

async function verified(headers, body) {
  const { "x-slack-request-timestamp": timestamp = "", "x-slack-signature": signature = "" } = headers;
  if (!/^\d{10}$/.test(timestamp) || !/^v0=[0-9a-f]{64}$/.test(signature)) return false;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false;
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const secret = bytes(process.env.SLACK_SIGNING_SECRET ?? "");
  if (secret.length === 0) return false;
  const key = await subtle.importKey("raw", secret, algorithm, false, ["verify"]);
  const message = Buffer.concat([bytes(`v0:${timestamp}:`), body]);
  return subtle.verify("HMAC", key, Buffer.from(signature.slice(3), "hex"), message);
}

export async function handler(event) {
  const body = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");
  if ((await verified(event.headers, body)) !== true) return { statusCode: 401, body: "" };
  await sqs.send(
    new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: body.toString("utf8") }),
  );
  return { statusCode: 200, body: "" };
}
