import { createHmac, timingSafeEqual } from 'node:crypto';
import { SQSClient, SendMessageCommand } from '@aws-sdk/client-sqs';

const sqs = new SQSClient({});

/** CGI style: HTTP_X_SLACK_SIGNATURE, x_slack_signature and X-Slack-Signature are one header. */
const normalize = (headers) => Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase().replace(/^http_/, '').replaceAll('_', '-'), value]));

const isFresh = (event, now = Date.now() / 1000) => {
  const entry = Object.entries(event.headers ?? {}).find(([name]) => name.toLowerCase() === 'x-slack-request-timestamp');
  return /^\d+$/.test(entry?.[1] ?? '') && Math.abs(now - Number(entry[1])) <= 300;
};

const isSigned = (event, body) => {
  const headers = normalize(event.headers);
  const secret = process.env.SLACK_SIGNING_SECRET;
  const base = Buffer.concat([Buffer.from(`v0:${headers['x-slack-request-timestamp']}:`), body]);
  const mine = Buffer.from(`v0=${createHmac('sha256', secret).update(base).digest('hex')}`);
  const given = Buffer.from(headers['x-slack-signature'] ?? '');
  return Boolean(secret) && mine.length === given.length && timingSafeEqual(mine, given);
};

export const handler = async (event) => {
  const body = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  if (!isFresh(event) || !isSigned(event, body)) return { statusCode: 401, body: '' };
  const form = new URLSearchParams(body.toString());
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: form.get('command') ?? '' }));
  return { statusCode: 200, body: '' };
};
