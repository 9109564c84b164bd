const crypto = require("crypto");
const { SQSClient, SendMessageCommand } = require("@aws-sdk/client-sqs");

const sqs = new SQSClient({});

function isForged(headers, body) {
  const timestamp = headers["x-slack-request-timestamp"];
  const signature = headers["x-slack-signature"];
  if (!timestamp || !signature) return true;
  if (!(Math.abs(Date.now() / 1000 - timestamp) <= 300)) return true;
  try {
    const hmac = crypto.createHmac("sha256", process.env.SLACK_SIGNING_SECRET);
    const own = "v0=" + hmac.update(`v0:${timestamp}:${body}`).digest("hex");
    return !crypto.timingSafeEqual(Buffer.from(own), Buffer.from(signature));
  } catch (error) {
    console.error("signature check failed", error);
  }
}

exports.handler = async (event) => {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  if (isForged(event.headers, body)) {
    return { statusCode: 401, body: "" };
  }
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: body }));
  return { statusCode: 200, body: "Queued" };
};
