import crypto from "node:crypto";
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { SNSClient, PublishCommand } from "@aws-sdk/client-sns";

const db = new DynamoDBClient({});
const sns = new SNSClient({});

function signatureOf(headers, body) {
  const timestamp = headers["x-slack-request-timestamp"] ?? "";
  const secret = process.env.SLACK_SIGNING_SECRET;
  if (!secret || !/^[1-9]\d+$/.test(timestamp) || Math.abs(Date.now() / 1000 - timestamp) > 300) return undefined;
  const own = `v0=${crypto.createHmac("sha256", secret).update(`v0:${timestamp}:${body}`).digest("hex")}`;
  const sent = Buffer.from(headers["x-slack-signature"] ?? "");
  const same = sent.length === own.length && crypto.timingSafeEqual(sent, Buffer.from(own));
  return same ? own : undefined;
}

async function claim(signature) {
  const expires = String(Math.floor(Date.now() / 1000) + 900);
  const put = new PutItemCommand({
    TableName: process.env.TABLE_NAME,
    Item: { id: { S: signature }, expires: { N: expires } },
    ConditionExpression: "attribute_not_exists(id)",
  });
  try {
    await db.send(put);
    return true;
  } catch (error) {
    if (error.name === "ConditionalCheckFailedException") return false;
    throw error;
  }
}

export const handler = async (event) => {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString();
  const signature = signatureOf(event.headers, body);
  if (signature === undefined) return { statusCode: 401, body: "" };
  if (await claim(signature)) {
    await sns.send(
      new PublishCommand({ TopicArn: process.env.TOPIC_ARN, Message: new URLSearchParams(body).get("text") }),
    );
  }
  return { statusCode: 200, body: "" };
};
