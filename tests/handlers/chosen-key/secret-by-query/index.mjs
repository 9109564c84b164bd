import { createHmac, timingSafeEqual } from "node:crypto";
import { SecretsManagerClient, GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";

const manager = new SecretsManagerClient({});

async function credentials({ app = "app" } = {}) {
  const { SecretString } = await manager.send(new GetSecretValueCommand({ SecretId: `slack/${app}` }));
  return JSON.parse(SecretString);
}

function matches(secret, headers, body) {
  const { "x-slack-request-timestamp": timestamp, "x-slack-signature": signature = "" } = headers;
  if (!secret || !timestamp || !(Math.abs(Date.now() / 1000 - timestamp) <= 300)) return false;
  const own = `v0=${createHmac("sha256", secret).update(`v0:${timestamp}:${body}`).digest("hex")}`;
  return own.length === signature.length && timingSafeEqual(Buffer.from(own), Buffer.from(signature));
}

export const handler = async (event) => {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString();
  const { signing_secret: secret } = await credentials(event.queryStringParameters);
  if (!matches(secret, event.headers, body)) return { statusCode: 401, body: "" };
  const form = new URLSearchParams(body);
  await fetch(form.get("response_url"), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text: `Deploying ${form.get("text")}` }),
  });
  return { statusCode: 200, body: "" };
};
