"use strict";

const crypto = require("crypto");
const { LambdaClient, InvokeCommand } = require("@aws-sdk/client-lambda");

const defaults = { SLACK_SIGNING_SECRET: "changeme", WORKER_FUNCTION: "worker" };
const settings = { ...defaults, ...process.env };
const lambda = new LambdaClient({});

class Verifier {
  constructor(secret, maxAge = 300) {
    Object.assign(this, { secret, maxAge });
  }

  verify(timestamp, signature, body) {
    const age = Math.abs(Date.now() / 1000 - Number(timestamp));
    if (!timestamp || !(age <= this.maxAge)) return false;
    const own = `v0=${crypto.createHmac("sha256", this.secret).update(`v0:${timestamp}:${body}`).digest("hex")}`;
    return own.length === signature.length && crypto.timingSafeEqual(Buffer.from(own), Buffer.from(signature));
  }
}

const verifier = new Verifier(settings.SLACK_SIGNING_SECRET);

exports.handler = async ({ headers, body: raw, isBase64Encoded }) => {
  const body = Buffer.from(raw, isBase64Encoded ? "base64" : "utf8").toString();
  if (!verifier.verify(headers["x-slack-request-timestamp"], headers["x-slack-signature"] ?? "", body)) {
    return { statusCode: 401, body: "" };
  }
  const Payload = JSON.stringify({ text: new URLSearchParams(body).get("text") });
  await lambda.send(
    new InvokeCommand({ FunctionName: settings.WORKER_FUNCTION, InvocationType: "Event", Payload }),
  );
  return { statusCode: 200, body: "" };
};
