const { createHmac, timingSafeEqual } = require('node:crypto');
const { DynamoDBClient, PutItemCommand } = require('@aws-sdk/client-dynamodb');
const { SQSClient, SendMessageCommand } = require('@aws-sdk/client-sqs');

const dynamodb = new DynamoDBClient({});
const sqs = new SQSClient({});

const lower = (headers) => Object.fromEntries(Object.entries(headers || {}).map(([k, v]) => [k.toLowerCase(), v]));

// A gateway joins headers that came twice with a comma.
const first = (value) => (value || '').split(',', 1)[0].trim();

function verify(headers, body) {
  const stamp = first(headers['x-slack-request-timestamp']);
  const secret = process.env.SLACK_SIGNING_SECRET;
  if (!secret || !/^\d+$/.test(stamp) || Math.abs(Date.now() / 1000 - Number(stamp)) > 300) return false;
  const mine = Buffer.from('v0=' + createHmac('sha256', secret).update(`v0:${stamp}:`).update(body).digest('hex'));
  const given = Buffer.from(first(headers['x-slack-signature']));
  return mine.length === given.length && timingSafeEqual(mine, given);
}

async function once(headers, work) {
  const id = createHmac('sha256', 'replay').update(headers['x-slack-signature']).update(headers['x-slack-request-timestamp']).digest('hex');
  try {
    await dynamodb.send(new PutItemCommand({ TableName: process.env.TABLE_NAME, Item: { id: { S: id }, expires: { N: `${Math.floor(Date.now() / 1000) + 900}` } }, ConditionExpression: 'attribute_not_exists(id)' }));
  } catch (error) {
    if (error.name === 'ConditionalCheckFailedException') return;
    throw error;
  }
  await work();
}

module.exports.handler = async function (event) {
  const headers = lower(event.headers);
  const body = Buffer.from(event.body || '', event.isBase64Encoded ? 'base64' : 'utf8');
  if (!verify(headers, body)) return { statusCode: 401, body: '' };
  const form = new URLSearchParams(body.toString('utf8'));
  await once(headers, () => sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: form.get('command') || '' })));
  return { statusCode: 200, body: '' };
};
