import { verify } from "./verify.mjs";
import { SFNClient, StartExecutionCommand } from "@aws-sdk/client-sfn";

const sfn = new SFNClient({});
const REFUSED = { statusCode: 401, body: "" };

const start = (input) =>
  sfn.send(
    new StartExecutionCommand({ stateMachineArn: process.env.STATE_MACHINE_ARN, input: JSON.stringify(input) }),
  );

export const handler = async (event) => {
  const body = Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8").toString();
  const form = new URLSearchParams(body);
  if (form.has("payload")) {
    if (!verify(event.headers, body)) return REFUSED;
    const { actions, user } = JSON.parse(form.get("payload"));
    await start({ action: actions[0].action_id, value: actions[0].value, user: user.id });
  } else {
    if (!(await verify(event.headers, body))) return REFUSED;
    await start({ command: form.get("command"), text: form.get("text"), user: form.get("user_id") });
  }
  return { statusCode: 200, body: "" };
};
