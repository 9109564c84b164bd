import { createHmac, timingSafeEqual } from "node:crypto";
import { SNSClient, PublishCommand } from "@aws-sdk/client-sns";

const sns = new SNSClient({});
const internal = `Bearer ${process.env.INTERNAL_TOKEN}`;

const equal = (a, b) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

function fromSlack({ headers, body }) {
  const timestamp = headers["x-slack-request-timestamp"];
  if (!timestamp || !(Math.abs(Date.now() / 1000 - timestamp) <= 300)) return false;
  const mac = createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`).digest("hex");
  return equal(`v0=${mac}`, headers["x-slack-signature"] ?? "");
}

const fromOurselves = ({ headers }) => equal(headers.authorization ?? "", internal);

export const handler = async (event) => {
  if (!fromSlack(event) && !fromOurselves(event)) return { statusCode: 401 };
  const message = JSON.parse(event.body);
  if (message.type === "url_verification") return { statusCode: 200, body: message.challenge };
  await sns.send(new PublishCommand({ TopicArn: process.env.TOPIC_ARN, Message: JSON.stringify(message.event) }));
  return { statusCode: 200 };
};
