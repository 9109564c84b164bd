import { createHmac, timingSafeEqual } from 'node:crypto';

export const parseForm = () => (request) => {
  request.raw = request.event.isBase64Encoded ? Buffer.from(request.event.body, 'base64').toString() : request.event.body ?? '';
  request.form = {};
  for (const pair of request.raw.split('&')) {
    const [name, value = ''] = pair.split('=');
    request.form[decodeURIComponent(name)] = decodeURIComponent(value.replace(/\+/g, ' '));
  }
};

export const verifySlack = ({ secret }) => (request) => {
  const stamp = request.headers['x-slack-request-timestamp'] ?? '';
  const fresh = /^\d+$/.test(stamp) && Math.abs(Date.now() / 1000 - stamp) <= 300;
  const mine = Buffer.from(`v0=${createHmac('sha256', secret).update(`v0:${stamp}:${request.raw}`).digest('hex')}`);
  const given = Buffer.from(request.headers['x-slack-signature'] ?? '');
  if (!secret || !fresh || mine.length !== given.length || !timingSafeEqual(mine, given)) throw Object.assign(new Error('unauthorized'), { statusCode: 401 });
};
