import crypto from "node:crypto";
import { DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";

const dynamo = new DynamoDBClient({});

function signatureOf(timestamp, body) {
  return crypto.createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`).digest("hex");
}

function verified(headers, body) {
  const timestamp = Number(headers["x-slack-request-timestamp"] ?? NaN);
  if (!(Math.abs(Date.now() / 1000 - timestamp) <= 300)) return false;
  const given = headers["x-slack-signature"] ?? "";
  if (!/^v0=[0-9a-f]{64}$/.test(given)) return false;
  return parseInt(given.slice(3), 16) === parseInt(signatureOf(timestamp, body), 16);
}

export const handler = async (event) => {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString();
  if (!verified(event.headers, body)) return { statusCode: 401 };
  const form = new URLSearchParams(body);
  await dynamo.send(
    new UpdateItemCommand({
      TableName: process.env.TABLE_NAME,
      Key: { id: { S: form.get("text") } },
      UpdateExpression: "SET requested_by = :user",
      ExpressionAttributeValues: { ":user": { S: form.get("user_id") } },
    }),
  );
  return { statusCode: 200, body: "Saved" };
};
