import crypto from "node:crypto";
import { SNSClient, PublishCommand } from "@aws-sdk/client-sns";

const sns = new SNSClient({});

const verified = ({ headers }, raw) => {
  const timestamp = headers["x-slack-request-timestamp"];
  if (!(Math.abs(Date.now() / 1000 - timestamp) < 300)) return false;
  const hmac = crypto.createHmac("sha256", process.env.SLACK_SIGNING_SECRET);
  const expected = Buffer.from(`v0=${hmac.update(`v0:${timestamp}:${raw}`).digest("hex")}`);
  const given = Buffer.from(headers["x-slack-signature"] ?? "");
  return given.length === expected.length && crypto.timingSafeEqual(given, expected);
};

export const handler = async (event) => {
  const raw = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  const { challenge, ...message } = JSON.parse(raw);

  if (!challenge && !verified(event, raw)) return { statusCode: 401 };

  if (message.event) {
    await sns.send(new PublishCommand({ TopicArn: process.env.TOPIC_ARN, Message: JSON.stringify(message.event) }));
  }
  return { statusCode: 200, body: challenge ?? "" };
};
