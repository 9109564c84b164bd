const { createHmac, timingSafeEqual } = require("crypto");
const { SecretsManagerClient, GetSecretValueCommand } = require("@aws-sdk/client-secrets-manager");
const { SNSClient, PublishCommand } = require("@aws-sdk/client-sns");

const manager = new SecretsManagerClient({});
const sns = new SNSClient({});

function secret() {
  return manager
    .send(new GetSecretValueCommand({ SecretId: "slack/app" }))
    .then((value) => JSON.parse(value.SecretString).signing_secret)
    .then((found) => found || Promise.reject(new Error("no secret")));
}

function isSigned(key, headers, body) {
  const timestamp = headers["x-slack-request-timestamp"] || "";
  if (!/^\d+$/.test(timestamp) || Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false;
  const own = Buffer.from(`v0=${createHmac("sha256", key).update(`v0:${timestamp}:${body}`).digest("hex")}`);
  const sent = Buffer.from(headers["x-slack-signature"] || "");
  return own.length === sent.length && timingSafeEqual(own, sent);
}

exports.handler = (event) => {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString();
  return secret().then((key) =>
    isSigned(key, event.headers, body)
      ? sns
          .send(new PublishCommand({ TopicArn: process.env.TOPIC_ARN, Message: new URLSearchParams(body).get("text") }))
          .then(() => ({ statusCode: 200, body: "Published" }))
      : { statusCode: 401, body: "" },
  );
};
