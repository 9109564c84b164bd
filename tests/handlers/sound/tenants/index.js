const crypto = require("crypto");
const { DynamoDBClient, GetItemCommand } = require("@aws-sdk/client-dynamodb");
const { LambdaClient, InvokeCommand } = require("@aws-sdk/client-lambda");

const db = new DynamoDBClient({});
const lambda = new LambdaClient({});

async function secretOf(team) {
  if (!/^T[0-9A-Z]+$/.test(team ?? "")) return undefined;
  const key = { team: { S: team } };
  const { Item: item } = await db.send(new GetItemCommand({ TableName: process.env.TABLE_NAME, Key: key }));
  return item?.signing_secret?.S;
}

function isValid(secret, headers, body) {
  const timestamp = Number(headers["x-slack-request-timestamp"]);
  if (!Number.isSafeInteger(timestamp) || Math.abs(Date.now() / 1000 - timestamp) > 300) return false;
  const own = Buffer.from(
    `v0=${crypto.createHmac("sha256", secret).update(`v0:${timestamp}:${body}`).digest("hex")}`,
  );
  const sent = Buffer.from(headers["x-slack-signature"] || "");
  return own.length === sent.length && crypto.timingSafeEqual(own, sent);
}

exports.handler = async (event) => {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  const form = new URLSearchParams(body);
  const secret = await secretOf(form.get("team_id"));
  if (!secret || !isValid(secret, event.headers, body)) return { statusCode: 401, body: "" };
  await lambda.send(
    new InvokeCommand({
      FunctionName: process.env.WORKER_FUNCTION,
      InvocationType: "Event",
      Payload: JSON.stringify({ team: form.get("team_id"), text: form.get("text") }),
    }),
  );
  return { statusCode: 200, body: "" };
};
