import { createHmac, timingSafeEqual } from 'node:crypto';
import { SQSClient, SendMessageCommand } from '@aws-sdk/client-sqs';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';

const sqs = new SQSClient({});
const dynamodb = new DynamoDBClient({});

const lower = (headers) => Object.fromEntries(Object.entries(headers ?? {}).map(([k, v]) => [k.toLowerCase(), v]));
const bytesOf = (event) => Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');

function isGenuine(headers, body, secret) {
  const stamp = headers['x-slack-request-timestamp'] ?? '';
  if (!secret || !/^\d+$/.test(stamp) || Math.abs(Date.now() / 1000 - Number(stamp)) > 300) return false;
  const mine = Buffer.from('v0=' + createHmac('sha256', secret).update(`v0:${stamp}:`).update(body).digest('hex'));
  const given = Buffer.from(headers['x-slack-signature'] ?? '');
  return mine.length === given.length && timingSafeEqual(mine, given);
}

async function isFirst(signature) {
  const item = { id: { S: signature }, expires: { N: String(Math.floor(Date.now() / 1000) + 900) } };
  try {
    await dynamodb.send(new PutItemCommand({ TableName: process.env.TABLE_NAME, Item: item, ConditionExpression: 'attribute_not_exists(id)' }));
    return true;
  } catch (error) {
    if (error.code === 'ConditionalCheckFailedException') return false;
    console.warn('replay store:', error.name);
    return true; // without the store, rather twice than never
  }
}

export const handler = async (event) => {
  const headers = lower(event.headers);
  const body = bytesOf(event);
  if (!isGenuine(headers, body, process.env.SLACK_SIGNING_SECRET)) return { statusCode: 401 };
  if (!(await isFirst(headers['x-slack-signature']))) return { statusCode: 200, body: '' };
  const form = new URLSearchParams(body.toString());
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: `${form.get('command')} ${form.get('user_id')}` }));
  return { statusCode: 200, body: 'ok' };
};
