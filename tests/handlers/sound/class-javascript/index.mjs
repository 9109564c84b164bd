import { createHmac, timingSafeEqual } from "node:crypto";

class SlackApp {
  #secret;
  #token;

  constructor({ secret, token }) {
    if (!secret || !token) throw new TypeError("secret and token are required");
    this.#secret = secret;
    this.#token = token;
  }

  #isAuthentic({ headers, body }) {
    const timestamp = Number(headers["x-slack-request-timestamp"] ?? NaN);
    if (!Number.isInteger(timestamp) || Math.abs(Date.now() / 1000 - timestamp) > 300) return false;
    const own = createHmac("sha256", this.#secret).update(`v0:${timestamp}:${body}`).digest("hex");
    const sent = headers["x-slack-signature"] ?? "";
    return sent.length === own.length + 3 && timingSafeEqual(Buffer.from(sent), Buffer.from(`v0=${own}`));
  }

  async #reply(channel, text) {
    const answer = await fetch("https://slack.com/api/chat.postMessage", {
      method: "POST",
      headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/json" },
      body: JSON.stringify({ channel, text }),
    });
    if (!answer.ok) throw new Error(`Slack answered ${answer.status}`);
  }

  async handle(event) {
    if (event.isBase64Encoded || !this.#isAuthentic(event)) return { statusCode: 401 };
    const message = JSON.parse(event.body);
    if (message.type === "url_verification") return { statusCode: 200, body: message.challenge };
    if (message.event?.type === "app_mention") await this.#reply(message.event.channel, "Hello");
    return { statusCode: 200 };
  }
}

const app = new SlackApp({ secret: process.env.SLACK_SIGNING_SECRET, token: process.env.SLACK_BOT_TOKEN });
export const handler = (event) => app.handle(event);
