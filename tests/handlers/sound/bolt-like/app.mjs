import { createHmac, timingSafeEqual } from "node:crypto";

export class App {
  constructor({ signingSecret, token }) {
    if (!signingSecret) throw new Error("signingSecret is required");
    this.signingSecret = signingSecret;
    this.token = token;
    this.listeners = {};
  }

  event(type, listener) {
    this.listeners[type] = listener;
  }

  handler() {
    return async (event) => {
      const rawBody = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
      if (!this.isValid(event.headers, rawBody)) return { statusCode: 401, body: "" };
      const body = JSON.parse(rawBody);
      if (body.type === "url_verification") return { statusCode: 200, body: body.challenge };
      if (body.type === "event_callback" && Object.hasOwn(this.listeners, body.event?.type)) {
        await this.listeners[body.event.type]({ event: body.event, say: this.say.bind(this) });
      }
      return { statusCode: 200, body: "" };
    };
  }

  isValid(headers, body) {
    const timestamp = headers["x-slack-request-timestamp"];
    const signature = headers["x-slack-signature"];
    if (typeof timestamp !== "string" || typeof signature !== "string") return false;
    const age = Math.floor(Date.now() / 1000) - Number(timestamp);
    if (!Number.isFinite(age) || Math.abs(age) > 60 * 5) return false;
    const hmac = createHmac("sha256", this.signingSecret).update(`v0:${timestamp}:${body}`);
    const expected = `v0=${hmac.digest("hex")}`;
    return signature.length === expected.length && timingSafeEqual(Buffer.from(signature), Buffer.from(expected));
  }

  async say(channel, text) {
    await fetch("https://slack.com/api/chat.postMessage", {
      method: "POST",
      headers: { authorization: `Bearer ${this.token}`, "content-type": "application/json" },
      body: JSON.stringify({ channel, text }),
    });
  }
}
