import crypto from "node:crypto";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";

const db = new DynamoDBClient({});
const sqs = new SQSClient({});
const secrets = new Map();

async function secretOf(team) {
  if (!secrets.has(team)) {
    const { Item } = await db.send(
      new GetItemCommand({ TableName: process.env.TABLE_NAME, Key: { team: { S: `${team}` } } }),
    );
    secrets.set(team, `${Item?.signing_secret?.S}`.trim());
  }
  return secrets.get(team);
}

function matches(secret, { headers }, body) {
  const timestamp = headers["x-slack-request-timestamp"];
  if (!timestamp || !(Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300)) return false;
  const expected = Buffer.from(
    `v0=${crypto.createHmac("sha256", secret).update(`v0:${timestamp}:${body}`).digest("hex")}`,
  );
  const given = Buffer.from(headers["x-slack-signature"] || "");
  return given.length === expected.length && crypto.timingSafeEqual(given, expected);
}

export async function handler(event) {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  const form = Object.fromEntries(new URLSearchParams(body));
  const secret = await secretOf(form.team_id);
  if (!matches(secret, event, body)) return { statusCode: 401, body: "Bad signature" };
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: JSON.stringify(form) }));
  return { statusCode: 200, body: "" };
}
