import type { HttpCredential } from '../credentials/credential.ts';
import { credentialHost } from './check-source-credential.ts';
import type { HttpQuestion } from './http-question.ts';

/** What is asked of a URL. */
export type QuestionOf = (url: URL) => HttpQuestion;

/** Adds the header Authorization for the hosts that a credential is for; where a redirect leads to another it stays behind. */
export function authorized(question: QuestionOf, credential: HttpCredential | undefined): QuestionOf {
  if (credential === undefined) return question;
  return (url) => {
    const asked = question(url);
    return { ...asked, headers: { ...asked.headers, ...authorizationFor(url, credential) } };
  };
}

/** The header Authorization for a URL whose host the credential is for; no header for any other. */
export function authorizationFor(url: URL, credential: HttpCredential | undefined): Readonly<Record<string, string>> {
  return credential?.hosts.includes(credentialHost(url)) === true ? { authorization: credential.authorization.reveal() } : {};
}
