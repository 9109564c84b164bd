import { App } from "./app.mjs";

const app = new App({ secret: process.env.SLACK_SIGNING_SECRET, token: process.env.SLACK_BOT_TOKEN });

app.on("app_mention", async ({ event, say }) => {
  await say(event.channel, `Working on: ${event.text}`);
});

export const handler = (event) => app.process(event);
