'use strict';

const DAY = 24 * 60;
const minuteOfDay = (date) => date.getUTCHours() * 60 + date.getUTCMinutes() + date.getUTCSeconds() / 60;

/** At most five minutes apart, also around midnight. */
exports.isRecent = (sent, now) => {
  const apart = Math.abs(minuteOfDay(now) - minuteOfDay(sent));
  return Math.min(apart, DAY - apart) <= 5;
};
