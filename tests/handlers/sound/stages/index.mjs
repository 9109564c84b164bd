import { webcrypto } from "node:crypto";
import { SNSClient, PublishCommand } from "@aws-sdk/client-sns";

const sns = new SNSClient({});
const bytes = (text) => new TextEncoder().encode(text);
const imported = async () => {
  const secret = process.env.SLACK_SIGNING_SECRET;
  if (!secret) throw new Refusal(500);
  return webcrypto.subtle.importKey("raw", bytes(secret), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
};

class Refusal extends Error {
  constructor(status) {
    super("refused");
    this.status = status;
  }
}

async function* stages(event) {
  const headers = new Headers(Object.entries(event.headers));
  const raw = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");
  const stamp = headers.get("x-slack-request-timestamp") ?? "";
  yield /^\d{1,11}$/.test(stamp) && Math.abs(Date.now() - stamp * 1000) <= 300_000;
  const given = /^v0=([0-9a-f]{64})$/.exec(headers.get("x-slack-signature") ?? "");
  yield given !== null;
  const base = Buffer.concat([Buffer.from(`v0:${stamp}:`), raw]);
  yield await webcrypto.subtle.verify("HMAC", await imported(), Buffer.from(given[1], "hex"), base);
  const form = new URLSearchParams(raw.toString());
  const message = { TopicArn: process.env.TOPIC_ARN, Message: form.get("text") ?? "" };
  await sns.send(new PublishCommand(message));
  yield true;
}

export async function handler(event) {
  try {
    for await (const good of stages(event)) if (!good) throw new Refusal(401);
    return { statusCode: 200, body: "" };
  } catch (error) {
    if (error instanceof Refusal) return { statusCode: error.status, body: "" };
    throw error;
  }
}
