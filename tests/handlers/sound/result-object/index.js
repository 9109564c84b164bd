const crypto = require("crypto");
const { LambdaClient, InvokeCommand } = require("@aws-sdk/client-lambda");

const lambda = new LambdaClient({});
const ok = { ok: true };
const refuse = (reason) => ({ ok: false, reason });

const checks = [
  ({ secret }) => (secret ? ok : refuse("not configured")),
  ({ timestamp }) => (/^\d+$/.test(timestamp) ? ok : refuse("no timestamp")),
  ({ timestamp }) => (Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300 ? ok : refuse("too old")),
  ({ secret, timestamp, signature, body }) => {
    const own = `v0=${crypto.createHmac("sha256", secret).update(`v0:${timestamp}:${body}`).digest("hex")}`;
    const same = own.length === signature.length && crypto.timingSafeEqual(Buffer.from(own), Buffer.from(signature));
    return same ? ok : refuse("wrong signature");
  },
];

function judge(request) {
  for (const check of checks) {
    const result = check(request);
    if (result.ok !== true) return result;
  }
  return ok;
}

exports.handler = async (event) => {
  const headers = {};
  for (const [name, value] of Object.entries(event.headers)) headers[name.toLowerCase()] = value;
  const result = judge({
    secret: process.env.SLACK_SIGNING_SECRET,
    timestamp: headers["x-slack-request-timestamp"] || "",
    signature: headers["x-slack-signature"] || "",
    body: event.body,
  });
  if (!result.ok) return { statusCode: 401, body: result.reason };
  const Payload = JSON.stringify({ text: new URLSearchParams(event.body).get("text") });
  await lambda.send(new InvokeCommand({ FunctionName: process.env.WORKER_FUNCTION, InvocationType: "Event", Payload }));
  return { statusCode: 200, body: "" };
};
