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

/** Slack sends a request again where an answer was late: the same body need not be verified twice. */
class Verified {
  #bodies = new Set();

  has(body) {
    return this.#bodies.has(body.toString('base64'));
  }

  add(body) {
    this.#bodies.add(body.toString('base64'));
    if (this.#bodies.size > 1000) this.#bodies.clear();
  }
}

const verified = new Verified();

export const handler = async (event) => {
  const headers = lower(event.headers);
  const body = bytesOf(event);
  const again = 'x-slack-retry-num' in headers && verified.has(body);
  if (!again && !isGenuine(headers, body, process.env.SLACK_SIGNING_SECRET)) return { statusCode: 401, body: '' };
  verified.add(body);
  const form = new URLSearchParams(body.toString());
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: JSON.stringify({ command: form.get('command') }) }));
  return { statusCode: 200, body: '' };
};
