import { createHmac, timingSafeEqual } from "node:crypto";

export class App {
  #secret;
  #token;
  #listeners = new Map();

  constructor({ secret, token }) {
    this.#secret = secret;
    this.#token = token;
  }

  on(type, listener) {
    this.#listeners.set(type, listener);
  }

  async process(event) {
    if (!this.#authentic(event)) return { statusCode: 401, body: "" };
    const message = JSON.parse(event.queryStringParameters?.payload ?? event.body);
    const listener = this.#listeners.get(message.event?.type);
    if (listener) await listener({ event: message.event, say: (...said) => this.#say(...said) });
    return { statusCode: 200, body: message.challenge ?? "" };
  }

  #authentic({ headers, body }) {
    const timestamp = headers["X-Slack-Request-Timestamp"];
    const signature = headers["X-Slack-Signature"];
    if (!timestamp || !signature || !(Math.abs(Date.now() / 1000 - timestamp) < 300)) return false;
    const own = createHmac("sha256", this.#secret).update(`v0:${timestamp}:${body}`).digest("hex");
    const [a, b] = [`v0=${own}`, signature].map((text) => Buffer.from(text));
    return a.length === b.length && timingSafeEqual(a, b);
  }

  async #say(channel, text) {
    await fetch("https://slack.com/api/chat.postMessage", {
      method: "POST",
      headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/json" },
      body: JSON.stringify({ channel, text }),
    });
  }
}
