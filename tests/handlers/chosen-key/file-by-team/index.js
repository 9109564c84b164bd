const fs = require("node:fs/promises");
const path = require("node:path");
const { createHmac, timingSafeEqual } = require("node:crypto");
const { SNSClient, PublishCommand } = require("@aws-sdk/client-sns");

const TEAMS = path.join(__dirname, "teams");
const sns = new SNSClient({});

// The pipeline writes teams/*.json from the vault; missing files fall back to a variable
async function secretOf(team) {
  try {
    return JSON.parse(await fs.readFile(path.join(TEAMS, `${team}.json`), "utf8")).signingSecret;
  } catch {
    return process.env.SLACK_SIGNING_SECRET;
  }
}

async function verified(headers, body, team) {
  const timestamp = headers["x-slack-request-timestamp"];
  if (!timestamp || !(Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300)) return false;
  const mac = createHmac("sha256", await secretOf(team)).update(`v0:${timestamp}:${body}`).digest("hex");
  const given = headers["x-slack-signature"] || "";
  return given.length === mac.length + 3 && timingSafeEqual(Buffer.from(given), Buffer.from(`v0=${mac}`));
}

exports.handler = async (event) => {
  const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
  const form = new URLSearchParams(body);
  if (!(await verified(event.headers, body, form.get("team_id")))) return { statusCode: 401, body: "" };
  await sns.send(new PublishCommand({ TopicArn: process.env.TOPIC_ARN, Message: form.get("text") }));
  return { statusCode: 200, body: "Published" };
};
