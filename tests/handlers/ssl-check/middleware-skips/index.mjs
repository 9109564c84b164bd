import { chain } from "./chain.mjs";
import { verifySignature } from "./signature.mjs";
import { SQSClient, SendMessageCommand } from "@aws-sdk/client-sqs";

const sqs = new SQSClient({});

async function answerSslCheck(request, next) {
  if (request.method === "GET" && request.query.ssl_check) return { statusCode: 200 };
  return next();
}

async function enqueue(request) {
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: process.env.QUEUE_URL,
      MessageBody: JSON.stringify({ user: request.form.user_id, text: request.form.text }),
    }),
  );
  return { statusCode: 200, body: "Queued." };
}

export const handler = chain(verifySignature, answerSslCheck, enqueue);
