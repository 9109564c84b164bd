import { createHmac, timingSafeEqual } from "node:crypto";
import { LambdaClient, InvokeCommand } from "@aws-sdk/client-lambda";

const lambda = new LambdaClient({});
const verdicts = new Map(); // Slack retries: do not verify the same request twice

function verify(timestamp, signature, body) {
  const own = Buffer.from(
    `v0=${createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`).digest("hex")}`,
  );
  const sent = Buffer.from(signature);
  return own.length === sent.length && timingSafeEqual(own, sent);
}

function verdict(headers, body) {
  const { "x-slack-request-timestamp": timestamp = "", "x-slack-signature": signature = "" } = headers;
  if (!/^\d+$/.test(timestamp) || Math.abs(Date.now() / 1000 - timestamp) > 300) return false;
  if (!verdicts.has(signature)) verdicts.set(signature, verify(timestamp, signature, body));
  return verdicts.get(signature);
}

export const handler = async (event) => {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString();
  if (!verdict(event.headers, body)) return { statusCode: 401, body: "" };
  const Payload = JSON.stringify(Object.fromEntries(new URLSearchParams(body)));
  await lambda.send(new InvokeCommand({ FunctionName: process.env.WORKER_FUNCTION, InvocationType: "Event", Payload }));
  return { statusCode: 200, body: "" };
};
