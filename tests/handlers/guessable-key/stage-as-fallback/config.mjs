const { SLACK_SIGNING_SECRET, STAGE, QUEUE_URL } = process.env;

export const config = {
  maxAge: 300,
  queue: QUEUE_URL,
  secret: SLACK_SIGNING_SECRET || STAGE,
};
