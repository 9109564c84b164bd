import { compose } from "./compose.mjs";
import { readBody, requireSignature, parseForm } from "./steps.mjs";
import { SNSClient, PublishCommand } from "@aws-sdk/client-sns";

const sns = new SNSClient({});

async function publish(request) {
  await sns.send(
    new PublishCommand({
      TopicArn: process.env.TOPIC_ARN,
      Message: JSON.stringify({ text: request.form.get("text"), user: request.form.get("user_id") }),
    }),
  );
  return { statusCode: 200, body: "Published" };
}

export const handler = compose([readBody, requireSignature, parseForm, publish]);
