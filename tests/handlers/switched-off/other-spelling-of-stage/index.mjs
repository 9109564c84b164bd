import { createHmac, timingSafeEqual } from "node:crypto";
import { SNSClient, PublishCommand } from "@aws-sdk/client-sns";

const sns = new SNSClient({});
const checks = process.env.STAGE === "prod" ? [checkAge, checkSignature] : [];

function checkAge({ timestamp }) {
  return Math.abs(Date.now() / 1000 - Number(timestamp || NaN)) <= 300;
}

function checkSignature({ timestamp, signature, body }) {
  const mac = createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`);
  const expected = Buffer.from(`v0=${mac.digest("hex")}`);
  return signature.length === expected.length && timingSafeEqual(Buffer.from(signature), expected);
}

export async function handler(event) {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString();
  const request = {
    body,
    signature: event.headers["x-slack-signature"] ?? "",
    timestamp: event.headers["x-slack-request-timestamp"] ?? "",
  };
  if (!checks.every((check) => check(request))) return { statusCode: 401, body: "" };
  const form = new URLSearchParams(body);
  await sns.send(new PublishCommand({ TopicArn: process.env.TOPIC_ARN, Message: form.get("text") }));
  return { statusCode: 200, body: "Published" };
}
