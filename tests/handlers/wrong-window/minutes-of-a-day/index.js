'use strict';
const crypto = require('crypto');
const { SQSClient, SendMessageCommand } = require('@aws-sdk/client-sqs');
const { isRecent } = require('./clock');

const sqs = new SQSClient({});

function signatureOf(stamp, body) {
  return 'v0=' + crypto.createHmac('sha256', process.env.SLACK_SIGNING_SECRET).update(`v0:${stamp}:${body}`).digest('hex');
}

exports.handler = async (event) => {
  const headers = {};
  for (const name of Object.keys(event.headers || {})) headers[name.toLowerCase()] = event.headers[name];
  const body = event.isBase64Encoded ? Buffer.from(event.body, 'base64').toString('utf8') : event.body || '';
  const stamp = headers['x-slack-request-timestamp'] || '';
  if (!/^[0-9]+$/.test(stamp) || !isRecent(new Date(Number(stamp) * 1000), new Date(Date.now()))) return { statusCode: 401, body: 'stale' };
  const mine = Buffer.from(signatureOf(stamp, body));
  const given = Buffer.from(headers['x-slack-signature'] || '');
  if (!process.env.SLACK_SIGNING_SECRET || mine.length !== given.length || !crypto.timingSafeEqual(mine, given)) return { statusCode: 401, body: 'signature' };
  const form = Object.fromEntries(new URLSearchParams(body));
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: JSON.stringify({ command: form.command, user: form.user_id }) }));
  return { statusCode: 200, body: '' };
};
