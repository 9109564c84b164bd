// An app that others install: the state lies in a table and is used up, and commands are verified beside it.
import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { DeleteItemCommand, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";

const dynamodb = new DynamoDBClient({});
const sqs = new SQSClient({});
const secret = process.env.SLACK_SIGNING_SECRET;
const answer = (statusCode, body = "", headers = {}) => ({ statusCode, body, headers });

async function install() {
  const state = randomUUID();
  await dynamodb.send(new PutItemCommand({ TableName: process.env.STATE_TABLE, Item: { state: { S: state } } }));
  const where = `https://slack.com/oauth/v2/authorize?client_id=${process.env.SLACK_CLIENT_ID}&scope=commands&state=${state}`;
  return answer(302, "", { Location: where });
}

async function installed({ code, state }) {
  if (!code || !state) return answer(400);
  try {
    await dynamodb.send(
      new DeleteItemCommand({
        TableName: process.env.STATE_TABLE,
        Key: { state: { S: state } },
        ConditionExpression: "attribute_exists(#s)",
        ExpressionAttributeNames: { "#s": "state" },
      }),
    );
  } catch {
    return answer(403);
  }
  const form = new URLSearchParams({ code, client_id: process.env.SLACK_CLIENT_ID, client_secret: process.env.SLACK_CLIENT_SECRET });
  const told = await (await fetch("https://slack.com/api/oauth.v2.access", { method: "POST", body: form })).json();
  if (!told.ok) return answer(502);
  await dynamodb.send(
    new PutItemCommand({ TableName: process.env.TOKEN_TABLE, Item: { team: { S: told.team.id }, token: { S: told.access_token } } }),
  );
  return answer(200, "Installed.");
}

export const handler = async (event) => {
  const path = event.rawPath ?? event.path ?? "";
  if (path === "/slack/install") return install();
  if (path === "/slack/oauth/callback") return installed(event.queryStringParameters ?? {});
  const headers = Object.fromEntries(Object.entries(event.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
  const body = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");
  const sent = headers["x-slack-request-timestamp"] ?? "";
  if (!secret || !/^\d+$/.test(sent) || Math.abs(Date.now() / 1000 - sent) > 300) return answer(401);
  const expected = Buffer.from("v0=" + createHmac("sha256", secret).update(`v0:${sent}:`).update(body).digest("hex"));
  const given = Buffer.from(headers["x-slack-signature"] ?? "");
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return answer(401);
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: "work" }));
  return answer(200, "Working.");
};
