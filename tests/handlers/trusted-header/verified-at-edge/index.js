const { createHmac, timingSafeEqual } = require("node:crypto");
const { LambdaClient, InvokeCommand } = require("@aws-sdk/client-lambda");

const lambda = new LambdaClient({});

class Gate {
  constructor(event) {
    this.headers = event.headers;
    this.body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  }

  // Lambda@Edge verifies what comes through CloudFront
  get verifiedAtEdge() {
    return this.headers["x-slack-verified"] === "true";
  }

  get verifiedHere() {
    const timestamp = this.headers["x-slack-request-timestamp"] || "";
    if (!/^\d+$/.test(timestamp) || Math.abs(Date.now() / 1000 - timestamp) > 300) return false;
    const mac = createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${this.body}`);
    const [own, sent] = [`v0=${mac.digest("hex")}`, this.headers["x-slack-signature"] || ""].map((t) => Buffer.from(t));
    return own.length === sent.length && timingSafeEqual(own, sent);
  }

  get open() {
    return this.verifiedAtEdge || this.verifiedHere;
  }
}

exports.handler = async (event) => {
  const gate = new Gate(event);
  if (!gate.open) return { statusCode: 401, body: "" };
  const Payload = JSON.stringify({ text: new URLSearchParams(gate.body).get("text") });
  await lambda.send(new InvokeCommand({ FunctionName: process.env.WORKER_FUNCTION, InvocationType: "Event", Payload }));
  return { statusCode: 200, body: "" };
};
