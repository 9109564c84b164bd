import { createHmac, timingSafeEqual } from "node:crypto";
import { once } from "./once.mjs";
import { SNSClient, PublishCommand } from "@aws-sdk/client-sns";

const sns = new SNSClient({});

function verify(timestamp, signature, body) {
  if (!/^\d{10}$/.test(timestamp) || Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false;
  const expected = createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`).digest();
  const given = Buffer.from(signature.slice(3), "hex");
  return signature.startsWith("v0=") && given.length === expected.length && timingSafeEqual(given, expected);
}

export const handler = async (event) => {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString();
  const { "x-slack-request-timestamp": timestamp = "", "x-slack-signature": signature = "" } = event.headers;
  if (!verify(timestamp, signature, body)) return { statusCode: 401, body: "" };
  await once(signature, () =>
    sns.send(new PublishCommand({ TopicArn: process.env.TOPIC_ARN, Message: new URLSearchParams(body).get("text") })),
  );
  return { statusCode: 200, body: "" };
};
