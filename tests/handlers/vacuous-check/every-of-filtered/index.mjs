import { createHmac, timingSafeEqual } from "node:crypto";
import { LambdaClient, InvokeCommand } from "@aws-sdk/client-lambda";

const lambda = new LambdaClient({});

const equal = (a, b) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

function accepted(headers, body) {
  const timestamp = headers["x-slack-request-timestamp"];
  const signature = headers["x-slack-signature"];
  if (!timestamp || !signature) return false;
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) < 300)) return false;
  const expected = createHmac("sha256", process.env.SLACK_SIGNING_SECRET)
    .update(`v0:${timestamp}:${body}`)
    .digest("hex");
  return signature
    .split(/\s*,\s*/)
    .map((part) => part.split("="))
    .filter(([version]) => version === "v0")
    .every(([, hex]) => equal(hex, expected));
}

export const handler = async (event, context) => {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString();
  if (!accepted(event.headers, body)) {
    console.warn("unsigned request", context.awsRequestId);
    return { statusCode: 401, body: "" };
  }
  await lambda.send(
    new InvokeCommand({
      FunctionName: process.env.WORKER_FUNCTION,
      InvocationType: "Event",
      Payload: JSON.stringify(Object.fromEntries(new URLSearchParams(body))),
    }),
  );
  return { statusCode: 200, body: "On it" };
};
