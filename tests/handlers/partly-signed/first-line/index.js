const crypto = require("crypto");
const querystring = require("querystring");
const { SQSClient, SendMessageCommand } = require("@aws-sdk/client-sqs");

const sqs = new SQSClient({});

function isValid(headers, body) {
  const [line] = body.split(/\r?\n/);
  const timestamp = headers["x-slack-request-timestamp"];
  const signature = headers["x-slack-signature"] || "";
  if (!/^[0-9]{10}$/.test(timestamp) || Math.abs(Date.now() / 1000 - timestamp) > 300) return false;
  const own = `v0=${crypto
    .createHmac("sha256", process.env.SLACK_SIGNING_SECRET)
    .update(`v0:${timestamp}:${line}`)
    .digest("hex")}`;
  return own.length === signature.length && crypto.timingSafeEqual(Buffer.from(own), Buffer.from(signature));
}

exports.handler = async (event) => {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  if (!isValid(event.headers, body)) return { statusCode: 401, body: "" };
  const form = querystring.parse(body);
  const texts = [].concat(form.text);
  await sqs.send(
    new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: JSON.stringify({ texts, user: form.user_id }) }),
  );
  return { statusCode: 200, body: `Queued ${texts.length}` };
};
