import { createHmac, timingSafeEqual } from 'node:crypto';
import { SQSClient, SendMessageCommand } from '@aws-sdk/client-sqs';

const sqs = new SQSClient({});

const lower = (headers) => Object.fromEntries(Object.entries(headers ?? {}).map(([k, v]) => [k.toLowerCase(), v]));

/** Proxies write %2f or %2F: what is signed is compared in one case. */
const digest = (secret, text) => createHmac('sha256', secret).update(text).digest('hex');
const canonical = (body) => body.replace(/%[0-9a-f]{2}/gi, (escape) => String.fromCharCode(parseInt(escape.slice(1), 16))).replace(/\+/g, ' ');

function isGenuine(headers, body) {
  const stamp = headers['x-slack-request-timestamp'] ?? '';
  const secret = process.env.SLACK_SIGNING_SECRET;
  if (!secret || !/^\d+$/.test(stamp) || Math.abs(Date.now() / 1000 - Number(stamp)) > 300) return false;
  const given = Buffer.from(headers['x-slack-signature'] ?? '');
  const escaped = canonical(body).replace(/[^\w.~&=*-]/g, (letter) => (letter === ' ' ? '+' : `%${letter.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`));
  return [body, escaped].some((one) => {
    const mine = Buffer.from('v0=' + digest(secret, `v0:${stamp}:${one}`));
    return mine.length === given.length && timingSafeEqual(mine, given);
  });
}

export const handler = async (event) => {
  const body = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8').toString();
  if (!isGenuine(lower(event.headers), body)) return { statusCode: 401, body: '' };
  const form = Object.fromEntries(new URLSearchParams(body));
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: JSON.stringify({ command: form.command, text: form.text }) }));
  return { statusCode: 200, body: '' };
};
