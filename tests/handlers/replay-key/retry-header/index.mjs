import { createHmac, timingSafeEqual } from "node:crypto";
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";

const db = new DynamoDBClient({});

const headersOf = (event) =>
  Object.fromEntries(Object.entries(event.headers).map(([name, value]) => [name.toLowerCase(), value]));

function valid(headers, body) {
  const timestamp = headers["x-slack-request-timestamp"] ?? "";
  if (!/^\d+$/.test(timestamp) || Math.abs(Date.now() / 1000 - timestamp) > 300) return false;
  const own = createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`).digest("hex");
  const pair = [`v0=${own}`, headers["x-slack-signature"] ?? ""].map((value) => Buffer.from(value));
  return pair[0].length === pair[1].length && timingSafeEqual(...pair);
}

async function handled(id) {
  const item = { TableName: process.env.TABLE_NAME, Item: { id: { S: id } }, ConditionExpression: "attribute_not_exists(id)" };
  return db.send(new PutItemCommand(item)).then(
    () => false,
    () => true,
  );
}

export const handler = async (event) => {
  const headers = headersOf(event);
  if (!valid(headers, event.body)) return { statusCode: 401, body: "" };
  const message = JSON.parse(event.body);
  if (headers["x-slack-retry-num"] && (await handled(message.event_id))) return { statusCode: 200, body: "" };
  if (message.type === "event_callback") {
    await fetch("https://slack.com/api/chat.postMessage", {
      method: "POST",
      headers: { authorization: `Bearer ${process.env.SLACK_BOT_TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify({ channel: message.event.channel, text: "Order placed" }),
    });
  }
  return { statusCode: 200, body: message.challenge ?? "" };
};
