import { createHmac, timingSafeEqual } from "node:crypto";
import { LambdaClient, InvokeCommand } from "@aws-sdk/client-lambda";

const FIVE_MINUTES = 5 * 60 * 1000;
const lambda = new LambdaClient({});

const age = (timestamp) => Math.abs(Math.floor(Date.now() / 1000) - Number(timestamp || NaN));

function authentic(headers, body) {
  const timestamp = headers["x-slack-request-timestamp"];
  if (!(age(timestamp) < FIVE_MINUTES)) return false;
  const own = createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`).digest("hex");
  const given = headers["x-slack-signature"] ?? "";
  return given.length === own.length + 3 && timingSafeEqual(Buffer.from(given), Buffer.from(`v0=${own}`));
}

export const handler = async (event) => {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString();
  if (!authentic(event.headers, body)) return { statusCode: 401, body: "" };
  const Payload = JSON.stringify(Object.fromEntries(new URLSearchParams(body)));
  await lambda.send(new InvokeCommand({ FunctionName: process.env.WORKER_FUNCTION, InvocationType: "Event", Payload }));
  return { statusCode: 200, body: "" };
};
