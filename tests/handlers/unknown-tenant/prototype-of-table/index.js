const { createHmac, timingSafeEqual } = require("crypto");
const { LambdaClient, InvokeCommand } = require("@aws-sdk/client-lambda");

const lambda = new LambdaClient({});
const secrets = JSON.parse(process.env.TEAM_SECRETS);

const sign = (secret, timestamp, body) =>
  "v0=" + createHmac("sha256", secret).update("v0:" + timestamp + ":" + body).digest("hex");

const same = (a, b) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

exports.handler = async ({ headers, body: sent, isBase64Encoded }) => {
  const body = Buffer.from(sent, isBase64Encoded ? "base64" : "utf8").toString();
  const form = new URLSearchParams(body);
  const secret = secrets[form.get("team_id")];
  if (secret === undefined) return { statusCode: 403, body: "unknown workspace" };

  const timestamp = headers["x-slack-request-timestamp"];
  const age = Math.abs(Math.floor(Date.now() / 1000) - timestamp);
  const ours = sign(String(secret), timestamp, body);
  if (!(age <= 300) || !same(ours, headers["x-slack-signature"] ?? "")) {
    return { statusCode: 401, body: "invalid signature" };
  }

  await lambda.send(
    new InvokeCommand({
      FunctionName: process.env.WORKER_FUNCTION,
      InvocationType: "Event",
      Payload: JSON.stringify(Object.fromEntries(form)),
    }),
  );
  return { statusCode: 200, body: "Accepted" };
};
