import { createHmac, timingSafeEqual } from 'node:crypto';
import { SQSClient, SendMessageCommand } from '@aws-sdk/client-sqs';

const sqs = new SQSClient({});

const lower = (headers) => Object.fromEntries(Object.entries(headers ?? {}).map(([k, v]) => [k.toLowerCase(), v]));
const bytesOf = (event) => Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');

const checks = [
  async ({ headers }) => {
    const age = Math.abs(Date.now() / 1000 - Number(headers['x-slack-request-timestamp']));
    return age <= 300;
  },
  async ({ headers, body }) => {
    const secret = process.env.SLACK_SIGNING_SECRET;
    const mac = createHmac('sha256', secret).update(`v0:${headers['x-slack-request-timestamp']}:`).update(body).digest('hex');
    return Boolean(secret) && timingSafeEqual(Buffer.from(`v0=${mac}`), Buffer.from(headers['x-slack-signature']));
  },
];

export async function handler(event) {
  const request = { headers: lower(event.headers), body: bytesOf(event) };
  if (!request.headers['x-slack-signature']?.startsWith('v0=')) return { statusCode: 401, body: '' };
  const results = await Promise.allSettled(checks.map((check) => check(request)));
  if (results.some((result) => result.value === false)) return { statusCode: 401, body: '' };
  const form = new URLSearchParams(request.body.toString('utf8'));
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: form.get('command') ?? '' }));
  return { statusCode: 200, body: 'ok' };
}
