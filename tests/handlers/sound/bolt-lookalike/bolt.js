const { createHmac, timingSafeEqual } = require("node:crypto");

async function respond(url, text) {
  await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ text }) });
}

class App {
  constructor({ signingSecret }) {
    if (typeof signingSecret !== "string" || signingSecret === "") throw new Error("signingSecret is missing");
    this.secret = signingSecret;
    this.commands = new Map();
    this.actions = new Map();
  }

  command(name, listener) {
    this.commands.set(name, listener);
  }

  action(id, listener) {
    this.actions.set(id, listener);
  }

  isSigned(headers, body) {
    const timestamp = parseInt(headers["x-slack-request-timestamp"], 10);
    if (Number.isNaN(timestamp) || Math.abs(Math.floor(Date.now() / 1000) - timestamp) > 300) return false;
    const own = `v0=${createHmac("sha256", this.secret).update(`v0:${timestamp}:${body}`).digest("hex")}`;
    const sent = String(headers["x-slack-signature"]);
    return own.length === sent.length && timingSafeEqual(Buffer.from(own), Buffer.from(sent));
  }

  start() {
    return async (event) => {
      const body = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString() : event.body;
      if (!this.isSigned(event.headers, body)) return { statusCode: 401, body: "" };
      const form = new URLSearchParams(body);
      if (form.has("payload")) await this.interact(JSON.parse(form.get("payload")));
      else await this.commands.get(form.get("command"))?.({ form, respond });
      return { statusCode: 200, body: "" };
    };
  }

  async interact(payload) {
    for (const action of payload.actions ?? []) {
      await this.actions.get(action.action_id)?.({ payload, action, respond });
    }
  }
}

module.exports = { App };
