import { createHmac, timingSafeEqual } from 'node:crypto';
import { SQSClient, SendMessageCommand } from '@aws-sdk/client-sqs';

const sqs = new SQSClient({});

class SlackReceiver {
  constructor({ signingSecret }) {
    if (!signingSecret) throw new Error('signingSecret is needed');
    this.signingSecret = signingSecret;
  }

  rawBody(event) {
    const bytes = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
    return { signed: bytes.toString('ascii'), bytes };
  }

  isValid(headers, signed) {
    const stamp = headers['x-slack-request-timestamp'] ?? '';
    const signature = headers['x-slack-signature'] ?? '';
    if (!/^\d+$/.test(stamp) || Math.abs(Math.floor(Date.now() / 1000) - Number(stamp)) > 300) return false;
    const digest = createHmac('sha256', this.signingSecret).update(`v0:${stamp}:${signed}`).digest('hex');
    return signature.length === digest.length + 3 && timingSafeEqual(Buffer.from(`v0=${digest}`), Buffer.from(signature, 'latin1'));
  }

  toHandler(work) {
    return async (event) => {
      const headers = Object.fromEntries(Object.entries(event.headers ?? {}).map(([k, v]) => [k.toLowerCase(), v]));
      const { signed, bytes } = this.rawBody(event);
      if (!this.isValid(headers, signed)) return { statusCode: 401, body: '' };
      return work(new URLSearchParams(bytes.toString('utf8')));
    };
  }
}

export const handler = new SlackReceiver({ signingSecret: process.env.SLACK_SIGNING_SECRET }).toHandler(async (form) => {
  const message = { command: form.get('command'), text: form.get('text'), user: form.get('user_id') };
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: JSON.stringify(message) }));
  return { statusCode: 200, body: '' };
});
