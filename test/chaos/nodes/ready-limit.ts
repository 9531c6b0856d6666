/** A node that nothing is done to any more is ready after so long: it reads what it has missed of the log. */
export const readyLimitMs = 90_000;
