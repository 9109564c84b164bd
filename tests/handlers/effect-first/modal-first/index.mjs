import { createHmac, timingSafeEqual } from "node:crypto";

const slack = (method, body) =>
  fetch(`https://slack.com/api/${method}`, {
    method: "POST",
    headers: { authorization: `Bearer ${process.env.SLACK_BOT_TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });

const modal = {
  type: "modal",
  title: { type: "plain_text", text: "Deploy" },
  blocks: [],
};

function verified(headers, body) {
  const timestamp = headers["x-slack-request-timestamp"];
  if (!timestamp || !(Math.abs(Date.now() / 1000 - timestamp) <= 300)) return false;
  const mac = createHmac("sha256", process.env.SLACK_SIGNING_SECRET).update(`v0:${timestamp}:${body}`).digest("hex");
  const [own, sent] = [Buffer.from(`v0=${mac}`), Buffer.from(headers["x-slack-signature"] ?? "")];
  return own.length === sent.length && timingSafeEqual(own, sent);
}

export const handler = async (event) => {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString();
  const payload = JSON.parse(new URLSearchParams(body).get("payload"));
  const opened = payload.type === "shortcut" && slack("views.open", { trigger_id: payload.trigger_id, view: modal });
  if (!verified(event.headers, body)) return { statusCode: 401 };
  await opened;
  if (payload.type === "block_actions") {
    await slack("chat.postMessage", { channel: payload.channel.id, text: `Approved ${payload.actions[0].value}` });
  }
  return { statusCode: 200 };
};
