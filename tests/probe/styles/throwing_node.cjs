// The comparison throws where the lengths differ, and nothing was done by then.
const { createHmac, timingSafeEqual } = require("node:crypto");
const { LambdaClient, InvokeCommand } = require("@aws-sdk/client-lambda");

const worker = new LambdaClient({});

exports.handler = async (event) => {
  const { "x-slack-request-timestamp": sent, "x-slack-signature": given } = event.headers;
  if (Math.abs(Date.now() / 1000 - parseInt(sent)) > 300 || !process.env.SLACK_SIGNING_SECRET) return { statusCode: 401 };
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64") : event.body;
  const mac = createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${sent}:`).update(body).digest("hex");
  if (!timingSafeEqual(Buffer.from(`v0=${mac}`), Buffer.from(given))) return { statusCode: 401 };
  await worker.send(new InvokeCommand({ FunctionName: process.env.WORKER, InvocationType: "Event", Payload: "{}" }));
  return { statusCode: 200, body: "" };
};
