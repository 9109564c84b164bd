const { App } = require("./bolt");

const app = new App({ signingSecret: process.env.SLACK_SIGNING_SECRET });

app.command("/deploy", async ({ form, respond }) => {
  await respond(form.get("response_url"), `Deploying ${form.get("text")}`);
});

app.action("approve", async ({ payload, action, respond }) => {
  await respond(payload.response_url, `<@${payload.user.id}> approved ${action.value}`);
});

exports.handler = app.start();
