const { createHmac, timingSafeEqual } = require("node:crypto");
const { SecretsManagerClient, GetSecretValueCommand } = require("@aws-sdk/client-secrets-manager");

const manager = new SecretsManagerClient({});
const KEEP = 5 * 60 * 1000;
let cached = { until: 0 };

async function app() {
  if (Date.now() >= cached.until) {
    const { SecretString } = await manager.send(new GetSecretValueCommand({ SecretId: "slack/app" }));
    const { signing_secret: secret, bot_token: token } = JSON.parse(SecretString);
    if (!secret) throw new Error("the secret has no signing_secret");
    cached = { secret, token, until: Date.now() + KEEP };
  }
  return cached;
}

exports.handler = async (event) => {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString();
  const timestamp = event.headers["x-slack-request-timestamp"];
  const signature = event.headers["x-slack-signature"] ?? "";
  if (!timestamp || !(Math.abs(Date.now() / 1000 - timestamp) <= 300)) return { statusCode: 401, body: "" };

  const { secret } = await app();
  const own = `v0=${createHmac("sha256", secret).update(`v0:${timestamp}:${body}`).digest("hex")}`;
  if (own.length !== signature.length || !timingSafeEqual(Buffer.from(own), Buffer.from(signature))) {
    return { statusCode: 401, body: "" };
  }
  const form = new URLSearchParams(body);
  await fetch(form.get("response_url"), { method: "POST", body: JSON.stringify({ text: `Deploying ${form.get("text")}` }) });
  return { statusCode: 200, body: "" };
};
