import { createHmac, timingSafeEqual } from "node:crypto";
import { SecretsManagerClient, GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { LambdaClient, InvokeCommand } from "@aws-sdk/client-lambda";

const manager = new SecretsManagerClient({});
const lambda = new LambdaClient({});
let pending;

function signingSecret() {
  pending ??= manager
    .send(new GetSecretValueCommand({ SecretId: "slack/app" }))
    .then(({ SecretString }) => JSON.parse(SecretString).signing_secret);
  return pending;
}

async function verify(headers, body) {
  const timestamp = headers["x-slack-request-timestamp"];
  if (!timestamp || !(Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300)) return false;
  const hmac = createHmac("sha256", await signingSecret());
  const expected = Buffer.from(`v0=${hmac.update(`v0:${timestamp}:${body}`).digest("hex")}`);
  const given = Buffer.from(headers["x-slack-signature"] ?? "");
  return expected.length === given.length && timingSafeEqual(expected, given);
}

export const handler = async (event) => {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  if (!(await verify(event.headers, body))) return { statusCode: 401, body: "" };
  await lambda.send(
    new InvokeCommand({ FunctionName: process.env.WORKER_FUNCTION, InvocationType: "Event", Payload: JSON.stringify({ body }) }),
  );
  return { statusCode: 200, body: "" };
};
