import { createHmac } from "node:crypto";
import { LambdaClient, InvokeCommand } from "@aws-sdk/client-lambda";

const lambda = new LambdaClient({});

// timingSafeEqual throws where lengths differ, so compare by hand
const equal = (a, b) => a.length === b.length && a.reduce((_, byte, index) => byte ^ b[index], 0) === 0;

function isFromSlack(headers, body) {
  const { "x-slack-request-timestamp": timestamp = "", "x-slack-signature": signature = "" } = headers;
  if (!/^\d+$/.test(timestamp) || Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false;
  const own = createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`).digest();
  return signature.startsWith("v0=") && equal(own, Buffer.from(signature.slice(3), "hex"));
}

export const handler = async (event) => {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString();
  if (!isFromSlack(event.headers, body)) return { statusCode: 401 };
  await lambda.send(
    new InvokeCommand({ FunctionName: process.env.WORKER_FUNCTION, InvocationType: "Event", Payload: JSON.stringify(body) }),
  );
  return { statusCode: 200 };
};
