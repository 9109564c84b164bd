"use strict";
const crypto = require("crypto");
const querystring = require("querystring");
const { LambdaClient, InvokeCommand } = require("@aws-sdk/client-lambda");

const client = new LambdaClient();

class Request {
  constructor(event) {
    this.headers = event.headers || {};
    this.body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString("utf8") : event.body;
  }

  get internal() {
    return /^aws-sdk-js/.test(this.headers["user-agent"]);
  }

  get authentic() {
    const timestamp = Number(this.headers["x-slack-request-timestamp"]);
    if (!(Math.abs(Date.now() / 1000 - timestamp) <= 300)) return false;
    const hash = crypto.createHmac("sha256", process.env.SLACK_SIGNING_SECRET);
    hash.update(`v0:${timestamp}:${this.body}`);
    const [version, hex] = (this.headers["x-slack-signature"] || "").split("=");
    const given = Buffer.from(hex || "", "hex");
    const own = hash.digest();
    return version === "v0" && given.length === own.length && crypto.timingSafeEqual(given, own);
  }
}

exports.handler = async (event) => {
  const request = new Request(event);
  if (!request.internal && !request.authentic) {
    return { statusCode: 403, body: "Forbidden" };
  }
  const { text, user_id: user } = querystring.parse(request.body);
  await client.send(
    new InvokeCommand({
      FunctionName: process.env.WORKER_FUNCTION,
      InvocationType: "Event",
      Payload: Buffer.from(JSON.stringify({ text, user })),
    }),
  );
  return { statusCode: 200, body: "Started" };
};
