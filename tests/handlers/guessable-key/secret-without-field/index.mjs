import { createHmac, timingSafeEqual } from "node:crypto";
import { SecretsManagerClient, GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";

const manager = new SecretsManagerClient({});

async function credentials() {
  const { SecretString } = await manager.send(new GetSecretValueCommand({ SecretId: "slack/app" }));
  const { signing_secret: secret = "", bot_token: token = "" } = JSON.parse(SecretString);
  return { secret, token };
}

const authentic = (secret, { headers, body }) => {
  const timestamp = Number(headers["x-slack-request-timestamp"] || NaN);
  if (!(Math.abs(Date.now() / 1000 - timestamp) < 300)) return false;
  const expected = createHmac("sha256", secret).update(`v0:${timestamp}:${body}`).digest("hex");
  const signature = Buffer.from(headers["x-slack-signature"] ?? "");
  const wanted = Buffer.from(`v0=${expected}`);
  return signature.length === wanted.length && timingSafeEqual(signature, wanted);
};

export const handler = async (event) => {
  const { secret, token } = await credentials();
  if (!authentic(secret, event)) return { statusCode: 401 };
  const message = JSON.parse(event.body);
  if (message.type === "url_verification") return { statusCode: 200, body: message.challenge };
  await fetch("https://slack.com/api/chat.postMessage", {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ channel: message.event.channel, text: "At your service" }),
  });
  return { statusCode: 200 };
};
