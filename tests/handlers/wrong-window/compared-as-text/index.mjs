import { createHmac, timingSafeEqual } from "node:crypto";
import { DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";

const db = new DynamoDBClient({});

function inWindow(timestamp) {
  const now = Math.floor(Date.now() / 1000);
  return timestamp > String(now - 300) && !(timestamp.length >= 10 && timestamp > String(now + 300));
}

function signed(headers, body) {
  const { "x-slack-request-timestamp": timestamp = "", "x-slack-signature": signature = "" } = headers;
  if (!/^\d+$/.test(timestamp) || !inWindow(timestamp)) return false;
  const own = Buffer.from(
    `v0=${createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`).digest("hex")}`,
  );
  const sent = Buffer.from(signature);
  return own.length === sent.length && timingSafeEqual(own, sent);
}

export const handler = async (event) => {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString();
  if (!signed(event.headers, body)) return { statusCode: 401 };
  const form = new URLSearchParams(body);
  await db.send(
    new UpdateItemCommand({
      TableName: process.env.TABLE_NAME,
      Key: { service: { S: form.get("text") } },
      UpdateExpression: "SET wanted = :yes",
      ExpressionAttributeValues: { ":yes": { BOOL: true } },
    }),
  );
  return { statusCode: 200, body: "Saved" };
};
