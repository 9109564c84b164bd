import { App } from "./app.mjs";

const app = new App({
  signingSecret: process.env.SLACK_SIGNING_SECRET,
  token: process.env.SLACK_BOT_TOKEN,
});

app.event("app_mention", async ({ event, say }) => {
  if (event.bot_id) return;
  await say(event.channel, `<@${event.user}> on it`);
});

export const handler = app.handler();
