import { slackSigned } from "./verify.mjs";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";

const sqs = new SQSClient({});

const enqueue = (job) =>
  sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: JSON.stringify(job) }));

async function post({ channel, text, user }) {
  await fetch("https://slack.com/api/chat.postMessage", {
    method: "POST",
    headers: {
      "Content-Type": "application/json; charset=utf-8",
      Authorization: `Bearer ${process.env.SLACK_BOT_TOKEN}`,
    },
    body: JSON.stringify({ channel, text: `<@${user}> ${text}: done` }),
  });
}

// Called by the HTTP API and by the queue; both arrive as JSON.
export const handler = async (event) => {
  const input = event.body ? JSON.parse(event.body) : event;
  if (input.Records) {
    for (const record of input.Records) await post(JSON.parse(record.body));
    return {};
  }
  if (!slackSigned(event)) return { statusCode: 401 };
  const { user, text, channel } = input.event;
  await enqueue({ user, text, channel });
  return { statusCode: 200 };
};
