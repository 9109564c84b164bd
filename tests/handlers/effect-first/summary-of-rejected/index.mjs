import { createHmac, timingSafeEqual } from 'node:crypto';
import { SQSClient, SendMessageCommand } from '@aws-sdk/client-sqs';

const sqs = new SQSClient({});

const lower = (headers) => Object.fromEntries(Object.entries(headers ?? {}).map(([k, v]) => [k.toLowerCase(), v]));
const bytesOf = (event) => Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');

function isGenuine(headers, body, secret) {
  const stamp = headers['x-slack-request-timestamp'] ?? '';
  if (!secret || !/^\d+$/.test(stamp) || Math.abs(Date.now() / 1000 - Number(stamp)) > 300) return false;
  const mine = Buffer.from('v0=' + createHmac('sha256', secret).update(`v0:${stamp}:`).update(body).digest('hex'));
  const given = Buffer.from(headers['x-slack-signature'] ?? '');
  return mine.length === given.length && timingSafeEqual(mine, given);
}

const rejected = [];

/** Tells the team about attempts, not more often than every fortieth time. */
async function note(body) {
  rejected.push(body.toString().slice(0, 200));
  if (rejected.length < 40) return;
  const MessageBody = JSON.stringify({ command: '/report', rejected: rejected.splice(0) });
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody }));
}

export const handler = async (event) => {
  const body = bytesOf(event);
  if (!isGenuine(lower(event.headers), body, process.env.SLACK_SIGNING_SECRET)) {
    await note(body);
    return { statusCode: 401, body: '' };
  }
  const form = new URLSearchParams(body.toString());
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: JSON.stringify({ command: form.get('command') }) }));
  return { statusCode: 200, body: '' };
};
