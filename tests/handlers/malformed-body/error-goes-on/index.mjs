import { compose } from './onion.mjs';
import { parseForm, verifySlack } from './middlewares.mjs';
import { SQSClient, SendMessageCommand } from '@aws-sdk/client-sqs';

const sqs = new SQSClient({});

async function work({ form, event }) {
  const command = form?.command ?? new URLSearchParams(event.body).get('command');
  if (!command) return { statusCode: 200, body: 'nothing to do' };
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: command }));
  return { statusCode: 200, body: 'ok' };
}

export const handler = compose(work).use(parseForm()).use(verifySlack({ secret: process.env.SLACK_SIGNING_SECRET }));
