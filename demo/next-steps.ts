/** What to try after the demo. The same lines stand in README.md, which a test sees to. */
export const nextSteps = `npm start                                   # the service, in one terminal; its data lie in ./.lehr
npx lehr import https://cloud.debian.org/images/cloud/bookworm/latest/debian-12-generic-amd64.qcow2 --wait
npx lehr images list
npx lehr events --follow                    # every event as it happens, until Ctrl-C
npx lehr --help                             # all commands, with examples`;
