import { createHmac, timingSafeEqual } from 'node:crypto';
import { SQSClient, SendMessageCommand } from '@aws-sdk/client-sqs';

const sqs = new SQSClient({});

const lower = (headers) => Object.fromEntries(Object.entries(headers ?? {}).map(([k, v]) => [k.toLowerCase(), v]));
const bytesOf = (event) => Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');

// During a rotation the variable has two secrets, with a comma between them.
const keys = process.env.SLACK_SIGNING_SECRET.split(',').map((key) => key.trim());
if (keys[0] === '') throw new Error('SLACK_SIGNING_SECRET is empty');

function isGenuine(headers, body) {
  const stamp = headers['x-slack-request-timestamp'] ?? '';
  if (!/^\d+$/.test(stamp) || Math.abs(Date.now() / 1000 - Number(stamp)) > 300) return false;
  const given = Buffer.from(headers['x-slack-signature'] ?? '');
  return keys.some((key) => {
    const mine = Buffer.from('v0=' + createHmac('sha256', key).update(`v0:${stamp}:`).update(body).digest('hex'));
    return mine.length === given.length && timingSafeEqual(mine, given);
  });
}

export const handler = async (event) => {
  const body = bytesOf(event);
  if (!isGenuine(lower(event.headers), body)) return { statusCode: 401, body: '' };
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: new URLSearchParams(body.toString()).get('text') ?? '' }));
  return { statusCode: 200, body: '' };
};
