const crypto = require("crypto");
const { DynamoDBClient, PutItemCommand } = require("@aws-sdk/client-dynamodb");
const { SQSClient, SendMessageCommand } = require("@aws-sdk/client-sqs");

const db = new DynamoDBClient({});
const sqs = new SQSClient({});

const fingerprint = (event) =>
  crypto.createHash("sha256").update(event.rawPath).update(`?${event.rawQueryString}`).update(event.body).digest("hex");

async function isNew(event) {
  try {
    await db.send(
      new PutItemCommand({
        TableName: process.env.TABLE_NAME,
        Item: { pk: { S: fingerprint(event) } },
        ConditionExpression: "attribute_not_exists(pk)",
      }),
    );
    return true;
  } catch (error) {
    if (error.name !== "ConditionalCheckFailedException") throw error;
    return false;
  }
}

function signed({ headers }, body) {
  const timestamp = headers["x-slack-request-timestamp"];
  if (!timestamp || !(Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300)) return false;
  const mac = crypto.createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`);
  const [own, sent] = [`v0=${mac.digest("hex")}`, headers["x-slack-signature"] || ""].map((text) => Buffer.from(text));
  return own.length === sent.length && crypto.timingSafeEqual(own, sent);
}

exports.handler = async (event) => {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  if (!signed(event, body)) return { statusCode: 401, body: "" };
  if (await isNew(event)) {
    await sqs.send(new SendMessageCommand({ QueueUrl: process.env.QUEUE_URL, MessageBody: body }));
  }
  return { statusCode: 200, body: "" };
};
